import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OnDemandSnapshotRequest, SnapshotRetention } from './snapshots.ts';
import { problemsOf } from './validate.ts';

test('a value of the shape has no problems, and fields that the schema does not name are no concern', () => {
  assert.deepEqual(problemsOf(OnDemandSnapshotRequest, {}), []);
  assert.deepEqual(problemsOf(OnDemandSnapshotRequest, { retentionInDays: 3, links: [], id: 7 }), []);
});

test('each field is named once, missing ones as missing', () => {
  assert.deepEqual(problemsOf(SnapshotRetention, { retentionUnit: 'DAYS' }), [
    { field: 'retentionValue', missing: true, description: 'must be present' },
  ]);
  const [problem, ...others] = problemsOf(OnDemandSnapshotRequest, { retentionInDays: 0 });
  assert.equal(problem?.field, 'retentionInDays');
  assert.equal(problem?.missing, false);
  assert.match(problem?.description ?? '', /^must be integer to be greater or equal to 1$/);
  assert.deepEqual(others, []);
});
