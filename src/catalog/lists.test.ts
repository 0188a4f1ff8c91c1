import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CamelCasePlugin, type CompiledQuery, Kysely } from 'kysely';
import { FakeClock } from '../../test/support/fake-clock.ts';
import type { CatalogReader } from './catalog.ts';
import { listCheckpoints } from './checkpoints.ts';
import { listClusters } from './clusters.ts';
import { listCollectionRestoreJobs, listRestoredCollections, restoredTotals } from './collection-restore-jobs.ts';
import { listExportBuckets } from './export-buckets.ts';
import { listExportJobs } from './export-jobs.ts';
import { migrate } from './migrations/migrate.ts';
import type { PageRequest } from './page.ts';
import { clustersBeingRestored, listRestoreJobs } from './restore-jobs.ts';
import type { SnapshotRow, Tables } from './schema.ts';
import {
  expiredSnapshots,
  insertSnapshot,
  listSnapshots,
  newerSnapshotNotCompleted,
  newestCompletedSnapshot,
  unfinishedSnapshots,
} from './snapshots.ts';
import { explainSqlite, sqliteDialect } from './sqlite.ts';
import { findTaskOfSubject, listTasks, nextClaimableTask, pinnedSnapshots } from './tasks.ts';

const queries: CompiledQuery[] = [];
const database = new Kysely<Tables>({
  dialect: sqliteDialect(':memory:'),
  plugins: [new CamelCasePlugin()],
  log: (event) => {
    queries.push(event.query);
  },
});
await migrate(database, { path: ':memory:', clock: new FakeClock() });
await database.insertInto('organizations').values({ id: 'o', name: 'o', createdAtMs: 1 }).execute();
await database.insertInto('projects').values({ id: 'p', organizationId: 'o', name: 'p', createdAtMs: 1 }).execute();
for (const id of ['c1', 'c2']) {
  await database
    .insertInto('clusters')
    .values({
      id,
      projectId: 'p',
      name: id,
      type: 'replicaSet',
      sealedUri: null,
      displayUri: '',
      replicaSetName: null,
      mongodVersion: null,
      featureCompatibilityVersion: null,
      dataBytes: null,
      probedAtMs: null,
      deletedAtMs: null,
      members: '[]',
      createdAtMs: 1,
      registeredAtMs: 1,
    })
    .execute();
}

function snapshot(n: number, changes: Partial<SnapshotRow> = {}): SnapshotRow {
  return {
    id: `s${String(n).padStart(5, '0')}`,
    clusterId: 'c1',
    status: 'completed',
    snapshotType: 'onDemand',
    frequencyType: 'ondemand',
    type: 'replicaSet',
    members: null,
    description: '',
    policyItems: '[]',
    requestedAtMs: Math.floor(n / 2),
    startedAtMs: n,
    finishedAtMs: n,
    createdAtMs: n,
    retentionMs: 1000,
    expiresAtMs: n + 1000,
    retentionChanged: 0,
    retentionUpdatedAtMs: null,
    copiesOnlySinceMs: null,
    doNotDelete: 0,
    clusterTimeT: n,
    clusterTimeI: 1,
    parentSnapshotId: null,
    replicaSetName: 'rs0',
    mongodVersion: '6.0.5',
    featureCompatibilityVersion: '6.0',
    collections: 1,
    documents: 1,
    dataBytes: 1,
    writtenPlainBytes: 1,
    writtenStoredBytes: 1,
    storageSizeBytes: 1,
    failureReason: null,
    deletedAtMs: null,
    ...changes,
  };
}

await database.transaction().execute(async (writer) => {
  for (let n = 0; n < 250; n++) await insertSnapshot(writer, snapshot(n));
  await insertSnapshot(writer, snapshot(900, { clusterId: 'c2' }));
  await insertSnapshot(writer, snapshot(901, { deletedAtMs: 5 }));
});

const page = (pageNum: number, itemsPerPage: number, includeCount = true): PageRequest => ({
  pageNum,
  itemsPerPage,
  includeCount,
});

test('pages are newest first, without gap or overlap, and leave out what was deleted', async () => {
  const seen: string[] = [];
  for (let pageNum = 1; pageNum <= 3; pageNum++) {
    const part = await listSnapshots(database, { clusterId: 'c1', page: page(pageNum, 100) });
    assert.equal(part.totalCount, 250);
    assert.equal(part.items.length, pageNum === 3 ? 50 : 100);
    seen.push(...part.items.map((row) => row.id));
  }
  const expected = Array.from({ length: 250 }, (_, n) => snapshot(249 - n).id);
  assert.deepEqual(seen, expected);
  assert.deepEqual(await listSnapshots(database, { clusterId: 'c1', page: page(4, 100) }), {
    items: [],
    totalCount: 250,
  });
});

test('the count is read only when asked for, and only when the page does not tell it', async () => {
  const counts = async (request: PageRequest): Promise<number> => {
    queries.length = 0;
    await listSnapshots(database, { clusterId: 'c1', page: request });
    return queries.filter((query) => query.sql.includes('count(')).length;
  };
  assert.equal(await counts(page(1, 100, false)), 0);
  assert.equal('totalCount' in (await listSnapshots(database, { clusterId: 'c1', page: page(1, 100, false) })), false);
  assert.equal(await counts(page(1, 100)), 1);
  assert.equal(await counts(page(3, 100)), 0);
  assert.equal(await counts(page(9, 100)), 1);
});

test('the parent is the completed snapshot with the newest data, within the bounds given', async () => {
  const newest = async (query: Omit<Parameters<typeof newestCompletedSnapshot>[1], 'clusterId'>) =>
    (await newestCompletedSnapshot(database, { clusterId: 'c1', ...query }))?.clusterTimeT;
  assert.equal(await newest({}), 249);
  assert.equal(await newest({ atOrBefore: { t: 100, i: 1 } }), 100);
  assert.equal(await newest({ atOrBefore: { t: 100, i: 0 } }), 99);
  assert.equal(await newest({ requestedSinceMs: 124 }), 249);
  assert.equal(await newest({ requestedSinceMs: 125 }), undefined);
});

test('no list, and no question of the worker or the timer, scans a table or sorts', async () => {
  const request = page(2, 100);
  const asked: Record<string, (reader: CatalogReader) => Promise<unknown>> = {
    snapshots: (reader) => listSnapshots(reader, { clusterId: 'c1', page: request }),
    'newest completed snapshot': (reader) => newestCompletedSnapshot(reader, { clusterId: 'c1' }),
    'expired snapshots': (reader) => expiredSnapshots(reader, 5, 10),
    'collection restore jobs': (reader) => listCollectionRestoreJobs(reader, { clusterId: 'c1', page: request }),
    'restored collections': (reader) => listRestoredCollections(reader, { jobId: 'j', page: request }),
    'restore jobs': (reader) => listRestoreJobs(reader, { clusterId: 'c1', page: request }),
    'export jobs': (reader) => listExportJobs(reader, { clusterId: 'c1', page: request }),
    'export buckets': (reader) => listExportBuckets(reader, { projectId: 'p', page: request }),
    checkpoints: (reader) => listCheckpoints(reader, { clusterId: 'c1', page: request }),
    clusters: (reader) => listClusters(reader, { projectId: 'p', page: request }),
    tasks: (reader) => listTasks(reader, { unfinished: false, page: { ...request, includeCount: false } }),
    'task of a subject': (reader) => findTaskOfSubject(reader, 's'),
  };
  for (const [name, ask] of Object.entries(asked)) {
    queries.length = 0;
    await ask(database);
    for (const query of [...queries]) {
      const plan = (await explainSqlite(database, query)).join('; ');
      assert.doesNotMatch(plan, /USE TEMP B-TREE/, `${name}: ${plan}`);
      assert.match(plan, /USING (COVERING )?INDEX/, `${name}: ${plan}`);
    }
  }
  const sorting: Record<string, () => Promise<unknown>> = {
    'next task': () => nextClaimableTask(database, 1),
    'unfinished snapshots': () => unfinishedSnapshots(database, 'c1'),
    'clusters being restored': () => clustersBeingRestored(database, ['c1', 'c2']),
    'totals of collection restores': () => restoredTotals(database, ['j1', 'j2']),
    'pinned snapshots': () => pinnedSnapshots(database),
    'newer snapshots': () => newerSnapshotNotCompleted(database, 'c1', 5),
  };
  for (const [name, ask] of Object.entries(sorting)) {
    queries.length = 0;
    await ask();
    for (const query of [...queries]) {
      const plan = await explainSqlite(database, query);
      assert.ok(!plan.some((step) => /^SCAN [a-z_]+$/.test(step)), `${name}: ${plan.join('; ')}`);
    }
  }
});
