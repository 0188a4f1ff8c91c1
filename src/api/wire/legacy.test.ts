import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleSnapshots } from '../../../test/samples/rows.ts';
import { must } from '../../lib/assert.ts';
import { linkBuilder } from '../links.ts';
import { legacyScheduleBody, legacySnapshotBody } from './legacy.ts';

const links = linkBuilder('https://b.example');

test('a snapshot has one part, with its sizes; of a sharded cluster one for each replica set, as far as they are known', () => {
  const whole = must(sampleSnapshots[0], 'a sample');
  const [only, ...others] = legacySnapshotBody(whole, true, links).parts;
  assert.deepEqual(others, []);
  assert.deepEqual(
    [only?.typeName, only?.replicaSetName, only?.storageSizeBytes, only?.encryptionEnabled],
    ['REPLICA_SET', 'rs0', whole.storageSizeBytes, true],
  );
  const replicaSet = (shardName: string, replicaSetName: string, configServer: boolean) => ({
    ...{ id: 'ab'.repeat(12), shardName, replicaSetName, configServer },
  });
  const replicaSets = [replicaSet('s0', 'rs0', false), replicaSet('config', 'cfg', true)];
  const sharded = legacySnapshotBody({ ...whole, type: 'sharded', replicaSets }, false, links);
  assert.deepEqual(
    sharded.parts.map((part) => [part.typeName, part.replicaSetName, part.storageSizeBytes]),
    [
      ['REPLICA_SET', 'rs0', undefined],
      ['CONFIG_SERVER_REPLICA_SET', 'cfg', undefined],
    ],
  );
  assert.deepEqual(legacySnapshotBody({ ...whole, type: 'sharded', replicaSets: [] }, false, links).parts, []);
});

test('the checkpoint interval is shown where there is one', () => {
  const schedule = {
    ...{ projectId: 'a'.repeat(24), clusterId: 'c'.repeat(24), clusterName: 'shop', snapshotIntervalHours: 6 },
    ...{ snapshotRetentionDays: 2, dailySnapshotRetentionDays: 7, weeklySnapshotRetentionWeeks: 4 },
    ...{ monthlySnapshotRetentionMonths: 12, pointInTimeWindowHours: 24 },
  };
  const shown = (minutes: number | null) =>
    legacyScheduleBody({ ...schedule, clusterCheckpointIntervalMin: minutes }, links);
  assert.equal(shown(30).clusterCheckpointIntervalMin, 30);
  assert.equal('clusterCheckpointIntervalMin' in shown(null), false);
});
