import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import type { ClusterName } from '../names.ts';
import { Refusal } from '../refusals/refusals.ts';
import type { ClusterChange } from './clusters.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

async function inCluster(work: (world: DomainWorld, name: ClusterName) => Promise<void>): Promise<void> {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    await work(world, name);
  });
}

const snapshotsOf = async (world: DomainWorld, name: ClusterName) =>
  (await world.domain.snapshots.list({ ...name, page })).totalCount;

test('what is asked of a cluster is what it shows from then on, and what is left out stays', async () => {
  await inCluster(async (world, name) => {
    const { update, get } = world.domain.clusters;
    await update({ ...name, change: { terminationProtectionEnabled: true, retainBackups: true } });
    const changed = await update({ ...name, change: { paused: true } });
    assert.deepEqual(await get(name), changed);
    assert.deepEqual(
      [changed.backupEnabled, changed.paused, changed.retainBackups, changed.terminationProtectionEnabled],
      [true, true, true, true],
    );
  });
});

test('a paused cluster is only resumed, and nothing is read from it or restored into it', async () => {
  await inCluster(async (world, name) => {
    const snapshotId = await world.takeWhole(name);
    const { update } = world.domain.clusters;
    await update({ ...name, change: { paused: true } });
    await assert.rejects(
      update({ ...name, change: { paused: false, retainBackups: true } }),
      refused('CANNOT_UPDATE_PAUSED_CLUSTER'),
    );
    await update({ ...name, change: { paused: true, backupEnabled: true } });
    await assert.rejects(world.domain.snapshots.take(name), refused('CLUSTER_PAUSED_CANNOT_TAKE_SNAPSHOT'));
    const { projectId: targetProjectId, clusterName: targetClusterName } = name;
    const restore = { ...name, deliveryType: 'automated' as const, snapshotId, targetProjectId, targetClusterName };
    await assert.rejects(world.domain.restoreJobs.create(restore), refused('CLUSTER_PAUSED_CANNOT_RESTORE'));
    await update({ ...name, change: { paused: false } });
    await world.domain.restoreJobs.create(restore);
    await assert.rejects(
      update({ ...name, change: { retainBackups: true } }),
      refused('CLUSTER_RESTORE_IN_PROGRESS_CANNOT_UPDATE'),
    );
  });
});

test('switching backups off deletes the snapshots, unless they are to be kept; and none are taken until it is on again', async () => {
  for (const retainBackups of [false, true]) {
    await inCluster(async (world, name) => {
      await world.takeWhole(name);
      const { update } = world.domain.clusters;
      await update({ ...name, change: { backupEnabled: false, retainBackups } });
      await world.run();
      assert.equal(await snapshotsOf(world, name), retainBackups ? 1 : 0);
      await assert.rejects(world.domain.snapshots.take(name), refused('BACKUP_JOB_NOT_FOUND'));
      await update({ ...name, change: { backupEnabled: true } });
      await world.domain.snapshots.take(name);
    });
  }
});

test('a change that would pull the data from under running work waits for its end', async () => {
  await inCluster(async (world, name) => {
    await world.domain.snapshots.take(name);
    await world.run();
    const changes: ClusterChange[] = [
      { paused: true },
      { backupEnabled: false },
      { backupEnabled: false, retainBackups: true },
    ];
    for (const change of changes)
      await assert.rejects(world.domain.clusters.update({ ...name, change }), refused('CLUSTER_BUSY'));
    await assert.rejects(world.domain.clusters.terminate(name), refused('CLUSTER_BUSY'));
    await world.domain.clusters.update({ ...name, change: { retainBackups: true } });
  });
});

test('continuous backup is switched on and off', async () => {
  await inCluster(async (world, name) => {
    const { update } = world.domain.clusters;
    assert.equal((await update({ ...name, change: { pitEnabled: true } })).pitEnabled, true);
    assert.equal((await update({ ...name, change: { pitEnabled: false } })).pitEnabled, false);
  });
});

test('termination takes the snapshots with it, or not: as the request says, else as the cluster says; protection forbids it', async () => {
  const cases: [boolean, { retainBackups?: boolean }, number][] = [
    [false, {}, 0],
    [true, {}, 1],
    [true, { retainBackups: false }, 0],
    [false, { retainBackups: true }, 1],
  ];
  for (const [own, request, left] of cases) {
    await inCluster(async (world, name) => {
      await world.takeWhole(name);
      const { update, terminate, remove } = world.domain.clusters;
      await update({ ...name, change: { retainBackups: own, terminationProtectionEnabled: true } });
      const isProtected = refused('CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED');
      await assert.rejects(terminate({ ...name, ...request }), isProtected);
      await assert.rejects(remove(name), isProtected);
      await update({ ...name, change: { terminationProtectionEnabled: false } });
      await terminate({ ...name, ...request });
      await world.run();
      assert.equal(await snapshotsOf(world, name), left);
      await assert.rejects(world.domain.clusters.get(name), refused('CLUSTER_NOT_FOUND'));
    });
  }
});
