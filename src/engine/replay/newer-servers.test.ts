import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, type Document, deserialize, Long, serialize, Timestamp } from 'bson';
import { isTaken } from '../../bson/namespace.ts';
import { Fault } from '../../lib/errors.ts';
import { readOplogEntry } from '../../oplog/entry.ts';
import { forEachOperation } from '../../oplog/operations.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import { planReplay, type ReplayPlan } from './plan-replay.ts';
import { plannedChange } from './planned-changes.ts';
import { createReplayState, listState } from './replay-state.ts';

// Entries in the form in which servers of 8.0 and newer log them: docs/servers.md.
const A = 'aa000000000000000000000000000000';
const B = 'bb000000000000000000000000000000';
/** The snapshot's T. */
const T = 100;

const ui = (uuid: string) => new Binary(Buffer.from(uuid, 'hex'), 4);
const at = (seconds: number) => new Timestamp({ t: seconds, i: 1 });
const ts = (seconds: number) => (BigInt(seconds) << 32n) | 1n;
const bytes = (document: Document) => Buffer.from(serialize(document, { ignoreUndefined: true }));
const entry = (seconds: number, fields: Document) => bytes({ ts: at(seconds), t: Long.fromNumber(1), v: 2, ...fields });
const command = (seconds: number, db: string, o: Document, more: Document = {}) =>
  entry(seconds, { op: 'c', ns: `${db}.$cmd`, o, ...more });
/** Record ids are logged as they are numbered. */
const insert = (uuid: string, ns: string, o: Document, rid?: number) => ({
  op: 'i',
  ns,
  ui: ui(uuid),
  o,
  o2: { _id: o._id },
  ...(rid === undefined ? {} : { rid: Long.fromNumber(rid) }),
});

function collection(uuid: string, name: string): CollectionEntry {
  const info = bytes({ name, type: 'collection', options: {} });
  const indexes = [bytes({ v: 2, key: { _id: 1 }, name: '_id_' })];
  const counts = { documents: 1, bytes: 1, layers: [] };
  return { db: 'app', name, type: 'collection', uuid, info, indexes, ...counts };
}

async function plan(entries: Buffer[], collections = [collection(A, 'a')]): Promise<ReplayPlan> {
  return await planReplay({
    state: createReplayState(collections, new Map()),
    from: ts(T),
    end: { ts: ts(200), inclusive: true },
    source: {
      async *entries() {
        yield* entries;
      },
      earlier: async () => null,
    },
    signal: new AbortController().signal,
  });
}

/** What is left to do of the entry, as documents. */
function writesOf(buffer: Buffer): Document[] {
  const writes: Document[] = [];
  forEachOperation(buffer, readOplogEntry(buffer, 0), (operation) => {
    const change = plannedChange(buffer, operation, { diffs: true });
    if (change?.kind === 'write') writes.push({ op: change.op, o: deserialize(change.o), o2: change.o2 });
  });
  return writes;
}

async function refusal(entries: Buffer[]): Promise<string> {
  const error = await plan(entries).then(
    () => assert.fail('it was planned'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Fault);
  return error.message;
}

test('many documents inserted by one command are planned and replayed like single ones', async () => {
  const inserts = [1, 2, 3].map((_id) => insert(A, 'app.a', { _id }));
  const prevOpTime = { ts: at(101), t: Long.fromNumber(1) };
  const session = { lsid: { id: ui(B) }, txnNumber: Long.fromNumber(1), stmtId: [0, 1, 2] };
  const entries = [
    // What is before it is a part of a transaction that nobody ends.
    command(101, 'admin', { applyOps: [insert(A, 'app.a', { _id: 9 })], partialTxn: true }, session),
    command(102, 'admin', { applyOps: inserts }, { ...session, prevOpTime, multiOpType: 1 }),
  ];
  const { skipped, undecided } = await plan(entries);
  assert.deepEqual([...skipped], [ts(101)], 'only the part is passed over');
  assert.deepEqual(undecided, []);
  assert.deepEqual(
    writesOf(entries[1] as Buffer).map(({ op, o }) => `${op} ${o._id}`),
    ['i 1', 'i 2', 'i 3'],
  );
});

test('record ids are neither asked for nor carried over', async () => {
  const created = { create: 'b', recordIdsReplicated: true, idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } };
  const inserted = command(102, 'admin', { applyOps: [insert(B, 'app.b', { _id: 1 }, 7)] });
  const entries = [
    command(101, 'app', created, { ui: ui(B), o2: { catalogId: Long.fromNumber(5), ident: 'collection-5' } }),
    inserted,
    command(103, 'app', { collMod: 'b', recordIdsReplicated: false }, { ui: ui(B) }),
  ];
  const { leftOut, state } = await plan(entries);
  assert.deepEqual(leftOut, []);
  assert.deepEqual(
    listState(state).map(({ name }) => name),
    ['a', 'b'],
  );
  assert.deepEqual(writesOf(inserted), [{ op: 'i', o: { _id: 1 }, o2: null }]);
});

test('what a server does in its own containers is passed over, alone and among writes', async () => {
  const k = Long.fromNumber(1);
  const container = { ns: 'app.a', container: 'internal-index-7' };
  const operations = [
    { op: 'ci', ...container, o: { k, v: new Binary(Buffer.from('a')) } },
    { op: 'cu', ...container, o: { k, v: new Binary(Buffer.from('b')), $v: Long.fromNumber(1) } },
    insert(A, 'app.a', { _id: 1 }),
    { op: 'cd', ...container, o: { k } },
  ];
  const grouped = command(101, 'admin', { applyOps: operations }, { multiOpType: 1 });
  const alone = operations.filter(({ op }) => op !== 'i').map((fields, index) => entry(102 + index, fields));
  await plan([grouped, ...alone, entry(110, { op: 'km', ns: '', o: { keyId: 1 } })]);
  assert.deepEqual(writesOf(grouped), [{ op: 'i', o: { _id: 1 }, o2: null }]);
});

test('that a time series may hold mixed types is read from where servers say it', async () => {
  const series = collection(A, 'system.buckets.s');
  const o2 = {
    collectionOptions_old: { uuid: ui(A) },
    backwardsIncompatibleCollModParameters: { timeseriesBucketsMayHaveMixedSchemaData: true },
  };
  const changed = command(101, 'app', { collMod: 'system.buckets.s' }, { ui: ui(A), o2 });
  const { leftOut } = await plan([changed], [series]);
  assert.deepEqual(leftOut, []);
  const named: string[] = [];
  forEachOperation(changed, readOplogEntry(changed, 0), (operation) => {
    const change = plannedChange(changed, operation, { diffs: true });
    if (change?.kind === 'options') named.push(...change.options.map(({ name }) => name));
  });
  assert.deepEqual(named, ['timeseriesBucketsMayHaveMixedSchemaData']);
  const later = { ...o2, backwardsIncompatibleCollModParameters: { brandNew: 1 } };
  const unknown = await plan([command(101, 'app', { collMod: 'a' }, { ui: ui(A), o2: later })]);
  assert.deepEqual(
    unknown.leftOut.map(({ name }) => name),
    ['brandNew'],
    'what is not known there is named',
  );
});

test('an upgrade that clears an old flag of a time series leaves nothing out', async () => {
  const o = { collMod: 'a', _removeLegacyTimeseriesBucketingParametersHaveChanged: true };
  assert.deepEqual((await plan([command(101, 'app', o, { ui: ui(A) })])).leftOut, []);
});

test('a time series without a view is refused by name, when it is made and when one is converted', async () => {
  const made = command(101, 'app', { create: 's', timeseries: { timeField: 't' } }, { ui: ui(B) });
  assert.match(await refusal([made]), /app\.s, a time series without a view/);
  const o2 = { isUpgrade: true };
  const converted = command(101, 'app', { upgradeDowngradeViewlessTimeseries: 's' }, { ui: ui(A), o2 });
  assert.match(await refusal([converted]), /`upgradeDowngradeViewlessTimeseries` on app\.\$cmd/);
  const buckets = command(101, 'app', { create: 'system.buckets.s', timeseries: { timeField: 't' } }, { ui: ui(B) });
  assert.equal(listState((await plan([buckets])).state).length, 2);
});

test('a range of record ids that is cut away is refused, but of collections that no snapshot has', async () => {
  const range = { minRecordId: Long.fromNumber(1), maxRecordId: Long.fromNumber(9), docsDeleted: Long.fromNumber(9) };
  const own = command(101, 'config', { truncateRange: 'config.system.preimages', ...range }, { ui: ui(B) });
  assert.equal((await plan([own])).entries, 1);
  const cut = command(101, 'app', { truncateRange: 'app.a', ...range }, { ui: ui(A) });
  assert.match(await refusal([cut]), /`truncateRange`/);
});

test('what shards tell their members of routing, and where counts are kept, changes no data', async () => {
  const told = ['invalidateCollectionMetadata', 'updateCollectionMetadata', 'setAllowChunkOperations'];
  const entries = told.map((name, index) => command(101 + index, 'app', { [name]: 'a' }, { ui: ui(A) }));
  entries.push(command(110, 'app', { createDatabaseMetadata: 'app' }));
  entries.push(command(111, 'admin', { initReplicatedFastCount: 1 }, { o2: {} }));
  const { state, leftOut } = await plan(entries);
  assert.deepEqual([listState(state).length, leftOut], [1, []]);
});

test('an operation and a command that nobody knows are refused by name', async () => {
  assert.match(await refusal([entry(101, { op: 'zz', ns: 'app.a', ui: ui(A), o: {} })]), /operation `zz` on app\.a/);
  assert.match(await refusal([command(101, 'app', { brandNew: 'a' }, { ui: ui(A) })]), /command `brandNew`/);
});

test('of what servers keep in config only that is taken which users have set there', () => {
  const taken = (name: string) => isTaken({ db: 'config', name });
  const theirs = ['clusterParameters', 'queryShapeRepresentativeQueries', 'mine', 'rangeDeletions', 'chunks'];
  for (const name of theirs) assert.equal(taken(name), true, name);
  const own = [
    'user_writes_critical_sections',
    'sharding_configsvr_coordinators',
    'shard.catalog.databases',
    'shard.catalog.collections',
    'shard.catalog.chunks',
    'rangeDeletionsForRename',
    'localMigrationBlockingOperations.multiUpdateCoordinators',
    'localReshardingResumeData.recipient',
    'system.preimages',
  ];
  for (const name of own) assert.equal(taken(name), false, name);
});
