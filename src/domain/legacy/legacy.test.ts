import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { createDuties } from '../create-domain.ts';
import type { ClusterName } from '../names.ts';
import { Refusal } from '../refusals/refusals.ts';
import type { LegacyRestoreRequest, LegacySchedule } from './legacy.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const nobody = '0'.repeat(24);

async function withSnapshot(world: DomainWorld): Promise<{ cluster: ClusterName; snapshotId: string }> {
  const cluster = await world.withCluster();
  world.startWorker();
  return { cluster, snapshotId: await world.takeWhole(cluster) };
}

async function runDuties(world: DomainWorld): Promise<void> {
  for (const duty of createDuties(world.context)) await duty.run(new AbortController().signal);
}

test('a snapshot that is not to be deleted outlives its time, its cluster and every request, until that is taken back', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { snapshots, clusters } = world.domain;
    const name = { ...cluster, snapshotId };
    const kept = await snapshots.updateExpiry({ ...name, doNotDelete: true });
    assert.equal(kept.doNotDelete, true);
    await assert.rejects(snapshots.delete(name), refused('CANNOT_DELETE_PROTECTED_SNAPSHOT'));
    await clusters.remove({ ...cluster, deleteSnapshots: true });
    await world.worker?.stop();
    await world.clock.advance(30 * 86_400_000);
    await runDuties(world);
    assert.equal((await snapshots.get(name)).id, snapshotId);
    await snapshots.updateExpiry({ ...name, doNotDelete: false });
    await runDuties(world);
    await assert.rejects(snapshots.get(name), refused('SNAPSHOT_NOT_FOUND'));
  });
});

test('an end by date is the same as one by retention, after the snapshot’s own end and for completed ones alone', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { snapshots } = world.domain;
    const name = { ...cluster, snapshotId };
    const expiresAtMs = world.clock.nowMs() + 90 * 86_400_000;
    const changed = await snapshots.updateExpiry({ ...name, expiresAtMs });
    assert.equal(changed.expiresAtMs, expiresAtMs);
    assert.equal(changed.retentionMs, expiresAtMs - (changed.finishedAtMs ?? 0));
    assert.deepEqual(await snapshots.updateExpiry(name), changed);
    await assert.rejects(snapshots.updateExpiry({ ...name, expiresAtMs: 1 }), refused('VALIDATION_ERROR'));
    await assert.rejects(
      snapshots.updateExpiry({ ...name, expiresAtMs, doNotDelete: true }),
      refused('VALIDATION_ERROR'),
    );
    const running = await snapshots.take(cluster);
    await assert.rejects(
      snapshots.updateExpiry({ ...cluster, snapshotId: running.id, doNotDelete: true }),
      refused('CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION'),
    );
    const listed = async (completed: boolean) =>
      (await snapshots.list({ ...cluster, page, completed })).items.map((snapshot) => snapshot.id);
    assert.deepEqual([await listed(true), await listed(false)], [[snapshotId], [running.id]]);
  });
});

test('the legacy schedule is the backup schedule in other words: what it says is what is taken and kept', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    const { legacy, schedules } = world.domain;
    const items = async () =>
      (await schedules.get(cluster)).items.map(
        ({ frequencyType, frequencyInterval, retentionValue, retentionUnit }) =>
          `${frequencyType} ${frequencyInterval}: ${retentionValue} ${retentionUnit}`,
      );
    const first = await legacy.schedule(cluster);
    const before = await items();
    assert.deepEqual(first.snapshotIntervalHours, 6);
    // Five days is the most that its words can say; sent back, they lower nothing.
    assert.equal(first.snapshotRetentionDays, 5);
    assert.deepEqual(await legacy.updateSchedule({ ...cluster, changes: settingsIn(first) }), first);
    assert.deepEqual(await items(), before);

    const changes = { snapshotIntervalHours: 8, weeklySnapshotRetentionWeeks: 12, dailySnapshotRetentionDays: 0 };
    const changed = await legacy.updateSchedule({ ...cluster, changes });
    assert.deepEqual(changed, { ...first, ...changes });
    assert.deepEqual(await legacy.schedule(cluster), changed);
    assert.deepEqual(await items(), [
      'hourly 8: 7 days',
      'weekly 6: 12 weeks',
      'monthly 40: 12 months',
      'yearly 12: 1 years',
    ]);

    await legacy.updateSchedule({ ...cluster, changes: { snapshotRetentionDays: 2, pointInTimeWindowHours: 30 } });
    assert.equal((await schedules.get(cluster)).restoreWindowDays, 2);
    assert.equal((await legacy.schedule(cluster)).pointInTimeWindowHours, 30);
    await world.clock.leap(8 * 3_600_000);
    await runDuties(world);
    await world.run();
    const taken = world.completeTake(world.takes.length - 1);
    await world.run();
    const snapshot = await world.domain.snapshots.get({ ...cluster, snapshotId: taken.header.snapshotId });
    assert.deepEqual([snapshot.snapshotType, snapshot.retentionMs], ['scheduled', 2 * 86_400_000]);

    // Once a day is what the daily item does.
    await legacy.updateSchedule({ ...cluster, changes: { snapshotIntervalHours: 24, snapshotRetentionDays: 4 } });
    assert.deepEqual((await items())[0], 'daily 1: 4 days');
    assert.equal((await legacy.schedule(cluster)).snapshotIntervalHours, 24);

    // Changed in today's words, it is shown as it is now.
    const item = { frequencyType: 'hourly', frequencyInterval: 2, retentionUnit: 'days', retentionValue: 20 } as const;
    await schedules.update({ ...cluster, patch: { policies: [{ policyItems: [item] }] } });
    const { snapshotIntervalHours, snapshotRetentionDays, dailySnapshotRetentionDays } = await legacy.schedule(cluster);
    assert.deepEqual([snapshotIntervalHours, snapshotRetentionDays, dailySnapshotRetentionDays], [6, 5, 0]);
    await schedules.delete(cluster);
    await assert.rejects(legacy.schedule(cluster), refused('BACKUP_CONFIG_NOT_FOUND'));
    const begun = await legacy.updateSchedule({ ...cluster, changes: { snapshotIntervalHours: 12 } });
    assert.deepEqual([begun.snapshotIntervalHours, begun.snapshotRetentionDays], [12, 2]);
    assert.equal((await items()).length, 4);

    await assert.rejects(
      legacy.updateSchedule({ ...cluster, changes: { snapshotRetentionDays: 3 }, clusterCheckpointIntervalMin: 30 }),
      refused('CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET'),
    );
    assert.equal((await legacy.schedule(cluster)).snapshotRetentionDays, 2);
  });
});

function settingsIn(schedule: LegacySchedule) {
  const { clusterId: _id, projectId: _project, clusterName: _name, ...rest } = schedule;
  const { clusterCheckpointIntervalMin: _interval, ...settings } = rest;
  return settings;
}

test('a legacy restore is one of a snapshot into a cluster, named or by id; the others are refused', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { legacy, clusters, restoreJobs } = world.domain;
    const { id: targetClusterId } = await clusters.get(cluster);
    const target = { targetProjectId: cluster.projectId, targetClusterName: cluster.clusterName };
    const good: LegacyRestoreRequest = { ...cluster, methodName: 'AUTOMATED_RESTORE', snapshotId, ...target };
    const bare: LegacyRestoreRequest = { ...cluster, methodName: 'AUTOMATED_RESTORE', ...target };
    const refusals: [LegacyRestoreRequest, string][] = [
      [{ ...good, methodName: 'SCP' }, 'UNSUPPORTED_DELIVERY_METHOD'],
      [bare, 'MISSING_ATTRIBUTE'],
      [{ ...bare, checkpointId: nobody }, 'CHECKPOINT_RESTORE_UNSUPPORTED_FOR_REPLICA_SETS'],
      [{ ...bare, pointInTimeUtcMillis: 1_700_000_000_001 }, 'FRACTIONAL_TIMESTAMP'],
      [{ ...bare, pointInTimeUtcMillis: 9_000_000_000_000 }, 'INVALID_PIT_RESTORE_TIME'],
      [{ ...bare, oplogTs: '2999-01-01T00:00:00Z', oplogInc: 1 }, 'INVALID_PIT_RESTORE_TIME'],
      [{ ...bare, oplogTs: '2999-01-01T00:00:00Z' }, 'MISSING_ATTRIBUTE'],
      [{ ...bare, oplogInc: 1 }, 'MISSING_ATTRIBUTE'],
      [{ ...good, checkpointId: nobody }, 'VALIDATION_ERROR'],
      [{ ...good, snapshotId: nobody }, 'SNAPSHOT_NOT_FOUND'],
      [{ ...cluster, methodName: 'AUTOMATED_RESTORE', snapshotId }, 'MISSING_ATTRIBUTE'],
    ];
    for (const [request, code] of refusals) await assert.rejects(legacy.restore(request), refused(code), code);
    const { targetClusterName: _name, ...byId } = good;
    await assert.rejects(legacy.restore({ ...byId, targetClusterId: nobody }), refused('CLUSTER_NOT_FOUND'));
    const job = await legacy.restore({ ...byId, targetClusterId });
    assert.equal(job.targetClusterName, cluster.clusterName);
    assert.equal((await restoreJobs.list({ ...cluster, page })).totalCount, 1);
  });
});
