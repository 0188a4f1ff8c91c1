import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckpointState } from '../../catalog/schema.ts';
import { Bug } from '../../lib/assert.ts';
import { type CheckpointEvent, checkpointTransitions, nextCheckpointState } from './checkpoint-state.ts';

test('a checkpoint goes its way, may be taken up where an attempt was cut off, and stays as it ended', () => {
  const way: CheckpointEvent[] = ['start', 'start', 'written', 'start', 'complete'];
  let state: CheckpointState = 'queued';
  const states = way.map((event) => {
    state = nextCheckpointState(state, event);
    return state;
  });
  assert.deepEqual(states, ['inProgress', 'inProgress', 'discovering', 'discovering', 'completed']);
  for (const open of ['queued', 'inProgress', 'discovering'] as const)
    assert.equal(nextCheckpointState(open, 'fail'), 'failed');
  for (const ended of ['completed', 'failed'] as const) {
    for (const event of Object.keys(checkpointTransitions[ended]) as CheckpointEvent[])
      assert.throws(() => nextCheckpointState(ended, event), Bug);
  }
  assert.throws(() => nextCheckpointState('queued', 'complete'), Bug, 'nothing completes without tokens');
  assert.throws(() => nextCheckpointState('inProgress', 'complete'), Bug);
});
