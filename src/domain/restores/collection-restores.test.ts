import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld } from '../../../test/support/domain-world.ts';
import type { CollectionRestoreRequest } from '../domain.ts';
import { Refusal } from '../refusals.ts';
import { restoreSource } from './collection-restore-plan.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const nobody = '0'.repeat(24);

const good: CollectionRestoreRequest = {
  projectId: nobody,
  clusterName: 'shop',
  snapshotId: nobody,
  databases: [{ source: 'lab' }],
  collections: [{ source: 'shop.items.archived', target: 'shop.items' }],
  targetProjectId: nobody,
  targetClusterName: 'shop',
};

test('a collection restore has one source and names that MongoDB takes', () => {
  assert.deepEqual(restoreSource(good), { snapshotId: nobody });
  const { snapshotId: _none, ...bare } = good;
  assert.deepEqual(restoreSource({ ...bare, oplogTs: 2, oplogInc: 1 }), { oplogTs: 2, oplogInc: 1 });
  const many = Array.from({ length: 101 }, (_, n) => ({ source: `db.c${n}` }));
  const wrong: [CollectionRestoreRequest, string][] = [
    [bare, 'MISSING_ATTRIBUTE'],
    [{ ...bare, oplogTs: 2 }, 'MISSING_ATTRIBUTE'],
    [{ ...good, pointInTimeUtcSeconds: 5 }, 'VALIDATION_ERROR'],
    [{ ...good, databases: [], collections: [] }, 'MISSING_ATTRIBUTE'],
    [{ ...good, collections: many }, 'VALIDATION_ERROR'],
    [{ ...good, collections: [{ source: 'nodot' }] }, 'VALIDATION_ERROR'],
    [{ ...good, collections: [{ source: 'a.b', target: 'a.system.users' }] }, 'VALIDATION_ERROR'],
    [{ ...good, collections: [{ source: 'a.b' }, { source: 'a.b' }] }, 'VALIDATION_ERROR'],
    [{ ...good, databases: [{ source: 'a b' }] }, 'VALIDATION_ERROR'],
  ];
  for (const [request, code] of wrong) assert.throws(() => restoreSource(request), refused(code), code);
});

test('a collection restore is checked in every respect, and refused in the end because nothing can run it', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    const snapshotId = await world.takeWhole(cluster);
    const target = { targetProjectId: cluster.projectId, targetClusterName: cluster.clusterName };
    const request = { ...good, ...cluster, ...target, snapshotId };
    const running = await world.domain.snapshots.take(cluster);
    const jobs = world.domain.collectionRestoreJobs;
    const refusals: [CollectionRestoreRequest, string][] = [
      [{ ...request, clusterName: 'none' }, 'CLUSTER_NOT_FOUND'],
      [{ ...request, snapshotId: nobody }, 'SNAPSHOT_NOT_FOUND'],
      [{ ...request, snapshotId: running.id }, 'CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT'],
      [{ ...request, targetClusterName: 'none' }, 'CLUSTER_NOT_FOUND'],
      [request, 'FEATURE_UNSUPPORTED'],
    ];
    for (const [wrong, code] of refusals) await assert.rejects(jobs.create(wrong), refused(code), code);
    await assert.rejects(jobs.get({ ...cluster, jobId: nobody }), refused('COLLECTION_RESTORE_JOB_NOT_FOUND'));
    const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
    assert.deepEqual(await jobs.list({ ...cluster, page }), { items: [], totalCount: 0 });
  });
});
