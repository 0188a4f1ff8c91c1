import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { createDuties } from '../create-domain.ts';
import type { ClusterName, LegacyRestoreRequest } from '../domain.ts';
import { Refusal } from '../refusals.ts';

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

test('the legacy schedule is kept field by field, and takes no checkpoint interval', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    const { legacy } = world.domain;
    const first = await legacy.schedule(cluster);
    const changed = await legacy.updateSchedule({ ...cluster, changes: { snapshotIntervalHours: 24 } });
    assert.deepEqual(changed, { ...first, snapshotIntervalHours: 24 });
    await legacy.updateSchedule({ ...cluster, changes: { snapshotRetentionDays: 5 } });
    assert.deepEqual(await legacy.schedule(cluster), { ...changed, snapshotRetentionDays: 5 });
    await assert.rejects(
      legacy.updateSchedule({ ...cluster, changes: { snapshotRetentionDays: 3 }, clusterCheckpointIntervalMin: 30 }),
      refused('CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET'),
    );
    assert.equal((await legacy.schedule(cluster)).snapshotRetentionDays, 5);
  });
});

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
