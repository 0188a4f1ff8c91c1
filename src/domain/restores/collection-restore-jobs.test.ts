import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import type { CollectionRecord } from '../../engine/collections/collection-record.ts';
import { must } from '../../lib/assert.ts';
import { Cancelled, Fault } from '../../lib/errors.ts';
import type { ClusterName } from '../names.ts';
import { Refusal } from '../refusals/refusals.ts';
import type { CollectionRestoreRequest } from './collection-restore-jobs.ts';
import { restoreSource, selectionOf } from './collection-restore-plan.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const nobody = '0'.repeat(24);

const good: CollectionRestoreRequest = {
  projectId: nobody,
  clusterName: 'shop',
  snapshotId: nobody,
  databases: [{ source: 'lab' }],
  collections: [{ source: 'shop.items.archived', target: 'shop.items' }],
  writeStrategy: 'CREATE_NEW',
  indexStrategy: 'ALL',
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
    [{ ...good, databases: [{ source: 'admin' }] }, 'VALIDATION_ERROR'],
    [{ ...good, databases: [{ source: 'lab', target: 'local' }] }, 'VALIDATION_ERROR'],
    [{ ...good, collections: [{ source: 'shop.a', target: 'config.a' }] }, 'VALIDATION_ERROR'],
    [{ ...good, collections: [{ source: 'lab.a' }] }, 'VALIDATION_ERROR'],
    [{ ...good, collections: [{ source: 'a.b', target: 'c.d' }, { source: 'c.d' }] }, 'VALIDATION_ERROR'],
    [{ ...good, databaseSuffix: '.x' }, 'VALIDATION_ERROR'],
    [{ ...good, databases: [], collectionSuffix: '$' }, 'VALIDATION_ERROR'],
  ];
  for (const [request, code] of wrong) assert.throws(() => restoreSource(request), refused(code), code);
});

test('suffixes stand behind the names that are asked for', () => {
  const { databases, collections, collectionSuffix } = selectionOf({
    ...good,
    databaseSuffix: '_d',
    collectionSuffix: '_c',
  });
  assert.deepEqual(databases, [{ source: 'lab', target: 'lab_d' }]);
  assert.equal(collectionSuffix, '_c');
  assert.deepEqual(collections, [
    { source: { db: 'shop', name: 'items.archived' }, target: { db: 'shop_d', name: 'items_c' } },
  ]);
});

/** A world with a completed snapshot, and a request for a part of it. */
async function inRestorable(
  work: (world: DomainWorld, request: CollectionRestoreRequest, cluster: ClusterName) => Promise<void>,
): Promise<void> {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    const snapshotId = await world.takeWhole(cluster);
    const target = { targetProjectId: cluster.projectId, targetClusterName: cluster.clusterName };
    await work(world, { ...good, ...cluster, ...target, snapshotId }, cluster);
  });
}

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };

const record = (source: string, change: Partial<CollectionRecord> = {}): CollectionRecord => ({
  ...{ source, target: source, effectiveTarget: source, state: 'NOT_STARTED' },
  ...{ stagedName: null, stagedUuid: null, totalDocuments: 10, restoredDocuments: 0 },
  ...{ indexState: 'NOT_STARTED', indexError: null },
  ...change,
});

test('what cannot be restored is refused before a job is made', async () => {
  await inRestorable(async (world, request, cluster) => {
    const running = await world.domain.snapshots.take(cluster);
    const { snapshotId: _snapshotId, ...inTime } = request;
    const second = Math.floor(world.clock.nowMs() / 1000) - 1;
    const jobs = world.domain.collectionRestoreJobs;
    const refusals: [CollectionRestoreRequest, string][] = [
      [{ ...request, clusterName: 'none' }, 'CLUSTER_NOT_FOUND'],
      [{ ...request, snapshotId: nobody }, 'SNAPSHOT_NOT_FOUND'],
      [{ ...request, snapshotId: running.id }, 'CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT'],
      [{ ...request, targetClusterName: 'none' }, 'CLUSTER_NOT_FOUND'],
      [{ ...inTime, pointInTimeUtcSeconds: second }, 'INVALID_PIT_RESTORE_TIME'],
      [{ ...inTime, oplogTs: 1_300_000_000, oplogInc: 1 }, 'UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME'],
    ];
    for (const [wrong, code] of refusals) await assert.rejects(jobs.create(wrong), refused(code), code);
    await assert.rejects(jobs.get({ ...cluster, jobId: nobody }), refused('COLLECTION_RESTORE_JOB_NOT_FOUND'));
    assert.deepEqual(await jobs.list({ ...cluster, page }), { items: [], totalCount: 0 });
  });
});

test('of a sharded cluster collections go into a replica set', async () => {
  await inRestorable(async (world, request, cluster) => {
    const second = await world.register(cluster.projectId, 'second');
    const become = async (change: { id: string; type: 'sharded' | 'replicaSet' }) =>
      await world.catalog.transact(async (writer) => {
        await writer.updateTable('clusters').set({ type: change.type }).where('id', '=', change.id).execute();
      });
    const { id } = await world.domain.clusters.get(cluster);
    await become({ id, type: 'sharded' });
    const jobs = world.domain.collectionRestoreJobs;
    const into = { ...request, targetClusterName: 'second' };
    const { snapshotId: _snapshotId, ...inTime } = into;
    const unsupported = (error: unknown) =>
      error instanceof Refusal && error.code === 'FEATURE_UNSUPPORTED' && /into a replica set/.test(error.message);
    await assert.rejects(jobs.create(request), unsupported);
    // A point in time is judged as of any cluster: here nothing is captured.
    const point = { pointInTimeUtcSeconds: Math.floor(world.clock.nowMs() / 1000) };
    await assert.rejects(jobs.create({ ...inTime, ...point }), refused('INVALID_PIT_RESTORE_TIME'));
    assert.equal((await jobs.create(into)).state, 'INITIALIZING');
    assert.notEqual(second.id, id);
  });
});

test('a job goes from being looked at to its end, and shows what its journal says', async () => {
  await inRestorable(async (world, request, cluster) => {
    const jobs = world.domain.collectionRestoreJobs;
    const job = await jobs.create({ ...request, collectionSuffix: '_old', indexStrategy: 'ALL_EXCEPT_TTL' });
    assert.equal(job.state, 'INITIALIZING');
    assert.deepEqual(job.collections, good.collections);
    const name = { ...cluster, jobId: job.id };
    await assert.rejects(jobs.create(request), refused('ATLAS_CLUSTER_RESTORE_IN_PROGRESS'));
    await world.run();
    const work = must(world.collectionRestores[0], 'the restore has begun');
    const { journal, selection, writeStrategy, indexStrategy, restoreId } = work.request;
    assert.deepEqual([writeStrategy, indexStrategy, restoreId], ['createNew', 'allExceptTtl', job.id]);
    assert.deepEqual(selection.databases, [{ source: 'lab', target: 'lab' }]);
    assert.deepEqual((await jobs.listCollections({ ...name, page })).items, []);
    assert.equal(await journal.read(), null);

    await journal.begin([record('lab.a'), record('lab.b'), record('lab.q', { state: 'UNSUPPORTED' })]);
    await journal.update('lab.a', { state: 'IN_PROGRESS', stagedName: 'staged', stagedUuid: 'ab' });
    await journal.progress(new Map([['lab.a', 4]]));
    const half = await jobs.get(name);
    assert.deepEqual([half.state, half.totalDocuments, half.restoredDocuments], ['IN_PROGRESS', 20, 4]);
    assert.equal(half.indexState, 'NOT_STARTED');
    const left = await journal.read();
    assert.deepEqual([left?.placing, left?.records[0]?.stagedUuid], [false, 'ab']);
    assert.equal(JSON.stringify(await jobs.getCollection({ ...name, source: 'lab.a' })).includes('staged'), false);
    await assert.rejects(jobs.getCollection({ ...name, source: 'lab.z' }), refused('RESOURCE_NOT_FOUND'));

    for (const source of ['lab.a', 'lab.b']) await journal.update(source, { indexState: 'SUCCESSFUL' });
    await journal.placing();
    assert.equal((await jobs.get(name)).state, 'FINALIZING');
    assert.equal((await journal.read())?.placing, true);
    await journal.update('lab.a', { state: 'SUCCESSFUL', restoredDocuments: 10 });
    const found = await jobs.listCollections({ ...name, state: 'SUCCESSFUL', page });
    assert.deepEqual([found.totalCount, found.items[0]?.source], [1, 'lab.a']);
    assert.deepEqual((await jobs.listCollections({ ...name, target: 'lab.none', page })).items, []);
    work.succeed({ documents: 10, leftOut: { named: [], count: 0 } });
    await world.run();
    const done = await jobs.get(name);
    assert.deepEqual([done.state, done.indexState, done.errorMessage], ['SUCCESSFUL', 'SUCCESSFUL', null]);
    assert.equal((await jobs.list({ ...cluster, page })).items[0]?.id, job.id);
  });
});

test('a job that fails or is cancelled says what became of each collection, and what may be left', async () => {
  await inRestorable(async (world, request, cluster) => {
    const jobs = world.domain.collectionRestoreJobs;
    const statesOf = async (jobId: string) =>
      (await jobs.listCollections({ ...cluster, jobId, page })).items.map(({ state, indexState }) => [
        state,
        indexState,
      ]);
    const failing = await jobs.create(request);
    await world.run();
    const first = must(world.collectionRestores[0], 'it has begun');
    await first.request.journal.begin([record('lab.a'), record('lab.b'), record('lab.c')]);
    await first.request.journal.placing();
    await first.request.journal.update('lab.a', { state: 'SUCCESSFUL', indexState: 'SUCCESSFUL' });
    await first.request.journal.update('lab.b', { state: 'FINALIZING', stagedName: 'x' });
    first.fail(new Fault({ op: 'rename', subject: 'lab.b', message: 'no' }));
    await world.run();
    const failed = await jobs.get({ ...cluster, jobId: failing.id });
    assert.equal(failed.state, 'FAILED');
    assert.match(
      failed.errorMessage ?? '',
      new RegExp(`^no; what was loaded of one collection may still .*_${failing.id} `),
    );
    assert.deepEqual(await statesOf(failing.id), [
      ['SUCCESSFUL', 'SUCCESSFUL'],
      ['FAILED', 'NOT_RESTORED'],
      ['NOT_RESTORED', 'NOT_RESTORED'],
    ]);

    const stopped = await jobs.create(request);
    await world.run();
    const second = must(world.collectionRestores[1], 'it has begun');
    await second.request.journal.begin([record('lab.a')]);
    const goesOn = async () => await second.request.goesOn(new Cancelled());
    await world.domain.tasks.cancel(must(stopped.taskId, 'it has a task'));
    assert.equal(await goesOn(), false);
    await world.run();
    const cancelled = await jobs.get({ ...cluster, jobId: stopped.id });
    assert.deepEqual([cancelled.state, cancelled.errorMessage], ['CANCELED', 'cancelled on request']);
    assert.deepEqual(await statesOf(stopped.id), [['NOT_RESTORED', 'NOT_RESTORED']]);
  });
});

test('after a passing failure it is tried again, and what waits for its place is left to the next attempt', async () => {
  await inRestorable(async (world, request, cluster) => {
    const job = await world.domain.collectionRestoreJobs.create(request);
    await world.run();
    const first = must(world.collectionRestores[0], 'it has begun');
    await first.request.journal.begin([record('lab.a')]);
    await first.request.journal.placing();
    const passing = new Fault({ op: 'rename', subject: 'x', message: 'away', retryable: true });
    assert.equal(await first.request.goesOn(passing), true);
    assert.equal(await first.request.goesOn(new Fault({ op: 'rename', subject: 'x', message: 'never' })), false);
    first.fail(passing);
    await world.clock.advance(10_000);
    const second = must(world.collectionRestores[1], 'it is tried again');
    assert.ok(second.request.attempt > first.request.attempt);
    assert.equal((await second.request.journal.read())?.placing, true);
    await assert.rejects(first.request.journal.update('lab.a', { state: 'SUCCESSFUL' }), { name: 'LeaseLost' });
    second.succeed({ documents: 1, leftOut: { named: [], count: 0 } });
    await world.run();
    assert.equal((await world.domain.collectionRestoreJobs.get({ ...cluster, jobId: job.id })).state, 'SUCCESSFUL');
  });
});
