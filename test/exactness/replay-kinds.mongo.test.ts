import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON, type Document, Timestamp } from 'mongodb';
import { findId, forEachDocument, idBytes } from '../../src/bson/raw-bson.ts';
import { timestampOf, timestampParts } from '../../src/bson/timestamp.ts';
import type { ReplayEnd } from '../../src/engine/replay/replay-interval.ts';
import { must } from '../../src/lib/assert.ts';
import { Fault } from '../../src/lib/errors.ts';
import { changedDocument } from '../../src/oplog/diffs.ts';
import { readOplogEntry } from '../../src/oplog/entry.ts';
import { compareClusters, compareTruth } from '../support/compare.ts';
import { type ReplicaSet, until, useReplicaSet, withReplicaSet } from '../support/replica-set.ts';
import { needsServer, serverIs } from '../support/server-version.ts';
import { SnapshotRig } from '../support/snapshot-rig.ts';
import { readTruth } from '../support/truth.ts';
import { WireConnection } from '../support/wire.ts';
import { repeatsName, restoreToPoint } from './check-replay.ts';
import { CATALOG_KINDS, DOCUMENT_KINDS, type Kind, type Row, TRANSACTION_KINDS } from './replay-kinds.ts';
import { SourceOplog } from './source-oplog.ts';
import { Workload } from './workload.ts';

const source = useReplicaSet({ name: 'source', cacheGb: 1, setParameters: { ttlMonitorEnabled: false } });
const target = useReplicaSet({ name: 'target', cacheGb: 1, setParameters: { ttlMonitorEnabled: false } });

let databases = 0;

async function checkKind(kind: Kind): Promise<void> {
  for (const { name } of (await source().client.db().admin().listDatabases()).databases) {
    if (name.startsWith('kind_')) await source().client.db(name).dropDatabase();
  }
  const db = source().client.db(`kind_${++databases}`);
  const rig = await SnapshotRig.create();
  await kind.before?.(db, source().client);
  const taken = await rig.take(source().uri);
  await kind.after(db, source().client);
  const oplog = await SourceOplog.read(source().client);
  const end = { ts: must(oplog.moments.at(-1), 'there is an oplog').ts, inclusive: true };
  const restored = await restoreToPoint(rig.repository, taken, oplog, end, target().uri);
  assert((restored.replayed?.entries ?? 0) > 0, 'there was something to replay');
  assert.deepEqual(await compareClusters(source().client, target().client), []);
}

for (const [what, kinds] of Object.entries({ DOCUMENT_KINDS, TRANSACTION_KINDS, CATALOG_KINDS })) {
  describe(what.toLowerCase().replace('_', ' '), () => {
    for (const kind of kinds) test(kind.name, { skip: needsServer(kind.since ?? '5.0') }, () => checkKind(kind));
  });
}

/** Prepares a transaction that sets `n` of the document to 1, as the coordinator of a sharded one would. */
async function prepare(
  wire: WireConnection,
  _id: number,
): Promise<{ commit(at: Timestamp): Promise<void>; abort(): Promise<void> }> {
  const later = { lsid: { id: new BSON.UUID() }, txnNumber: BSON.Long.fromNumber(1), autocommit: false };
  const majority = { ...later, $db: 'admin', writeConcern: { w: 'majority' } };
  await wire.command({ ...setting(_id, 1), ...later, startTransaction: true });
  await wire.command({ prepareTransaction: 1, ...majority });
  return {
    commit: async (commitTimestamp) =>
      void (await wire.command({ commitTransaction: 1, commitTimestamp, ...majority })),
    abort: async () => void (await wire.command({ abortTransaction: 1, ...majority })),
  };
}

const setting = (_id: number, n: number): Document => ({
  update: 'a',
  updates: [{ q: { _id }, u: { $set: { n } } }],
  $db: 'prepared',
});

describe('prepared transactions', () => {
  async function withDocuments(work: (wire: WireConnection, rig: SnapshotRig) => Promise<void>): Promise<void> {
    const { client, members } = source();
    const documents = [1, 2, 3].map((_id) => ({ _id, n: 0 }));
    await client.db('prepared').collection<Row>('a').insertMany(documents);
    const wire = await WireConnection.open(must(members[0], 'the set has a member').port);
    try {
      await work(wire, await SnapshotRig.create());
    } finally {
      wire.close();
      await client.db('prepared').dropDatabase();
    }
  }

  test('count from their commit timestamp on, wherever their commit stands', async () => {
    await withDocuments(async (wire, rig) => {
      const { client, uri } = source();
      const taken = await rig.take(uri);
      const transaction = await prepare(wire, 1);
      const visibleFrom = (await wire.command(setting(2, 1))).operationTime as Timestamp;
      const after = (await wire.command(setting(2, 2))).operationTime as Timestamp;
      await transaction.commit(visibleFrom);
      await wire.command(setting(2, 3));
      const oplog = await SourceOplog.read(client);
      const read = async (end: ReplayEnd) => {
        await restoreToPoint(rig.repository, taken, oplog, end, target().uri);
        const found = await target().client.db('prepared').collection<Row>('a').find().sort({ _id: 1 }).toArray();
        return found.map(({ n }) => n);
      };
      assert.deepEqual(await read({ ts: timestampOf(visibleFrom), inclusive: false }), [0, 0, 0]);
      assert.deepEqual(await read({ ts: timestampOf(visibleFrom), inclusive: true }), [1, 1, 0]);
      assert.deepEqual(await read({ ts: timestampOf(after), inclusive: true }), [1, 2, 0]);
      const restored = await readTruth(target().client, null);
      assert.deepEqual(compareTruth(await readTruth(client, after), restored), [], 'as the source reads itself then');
    });
  });

  test('begun before the snapshot and committed after it, and one that is aborted', async () => {
    await withDocuments(async (wire, rig) => {
      const { client, uri } = source();
      const [kept, undone] = [await prepare(wire, 1), await prepare(wire, 2)];
      // Having chosen its time the snapshot waits for open transactions, and every look at them is a command.
      const looks = async () =>
        Number((await client.db('admin').command({ top: 1 })).totals['config.transactions']?.queries?.count ?? 0);
      const before = await looks();
      const taking = rig.take(uri);
      await until('the snapshot looks for open transactions', async () => ((await looks()) > before + 1 ? true : null));
      const visibleFrom = (await wire.command({ ...setting(3, 1), writeConcern: { w: 'majority' } })).operationTime;
      await kept.commit(visibleFrom);
      await undone.abort();
      const taken = await taking;
      assert(timestampOf(taken.header.clusterTime) < timestampOf(visibleFrom), 'the snapshot is older than the commit');
      const oplog = await SourceOplog.read(client);
      const end = { ts: must(oplog.moments.at(-1), 'there is an oplog').ts, inclusive: true };
      await restoreToPoint(rig.repository, taken, oplog, end, target().uri);
      assert.deepEqual(await compareClusters(client, target().client), []);
    });
  });
});

test('what would expire stays until the oplog is replayed, and expires then', async () => {
  await withReplicaSet({ setParameters: { ttlMonitorSleepSecs: 1 } }, async (expiring) => {
    const db = source().client.db('expiring');
    const passes = async () =>
      Number((await expiring.client.db('admin').command({ serverStatus: 1 })).metrics.ttl.passes);
    const passesMore = async () => {
      const before = await passes();
      await until('what has expired is looked for', async () => ((await passes()) >= before + 2 ? true : null));
    };
    const long = new Date(Date.UTC(2020, 0, 1));
    const clustered = { key: { _id: 1 }, unique: true };
    const withClustered = serverIs('6.0');
    if (withClustered) await db.command({ create: 'clustered', clusteredIndex: clustered, expireAfterSeconds: 3600 });
    await db.command({ create: 'series', timeseries: { timeField: 't' }, expireAfterSeconds: 3600 });
    await db.command({ create: 'kept', timeseries: { timeField: 't' }, expireAfterSeconds: 3600 });
    await db.collection<{ _id: Date; n: number }>('clustered').insertOne({ _id: long, n: 1 });
    for (const name of ['series', 'kept']) await db.collection(name).insertOne({ t: long, n: 1 });
    const rig = await SnapshotRig.create();
    const taken = await rig.take(source().uri);
    await db.collection<{ _id: Date; n: number }>('clustered').updateOne({ _id: long }, { $inc: { n: 1 } });
    for (const name of ['series', 'kept']) await db.collection(name).insertOne({ t: long, n: 2 });
    await db.command({ collMod: 'kept', expireAfterSeconds: 'off' });
    await db.command({ collMod: 'series', expireAfterSeconds: 7200 });
    const oplog = await SourceOplog.read(source().client);
    let readings = 0;
    const slowly = {
      earlier: (ts: bigint) => oplog.earlier(ts),
      async *entries() {
        // The first reading plans, the second replays.
        if (++readings > 1) await passesMore();
        yield* oplog.entries();
      },
    };
    const end = { ts: must(oplog.moments.at(-1), 'there is an oplog').ts, inclusive: true };
    await restoreToPoint(rig.repository, taken, slowly, end, expiring.uri);
    assert.equal(readings, 2);
    const optionsOf = async ({ client }: ReplicaSet) => {
      const listed = await client.db('expiring').listCollections().toArray();
      return new Map(listed.map((one) => [one.name, 'options' in one ? one.options : undefined]));
    };
    assert.deepEqual(await optionsOf(expiring), await optionsOf(source()));
    const left = expiring.client.db('expiring');
    for (const name of withClustered ? ['clustered', 'series'] : ['series'])
      await until('it expires', async () => ((await left.collection(name).countDocuments()) === 0 ? true : null));
    assert.equal(await left.collection('kept').countDocuments(), 2);
    await db.dropDatabase();
  });
});

describe('what does not fit', () => {
  /** The source's oplog with a part of it changed. */
  function altered(oplog: SourceOplog, alter: (entries: Buffer[]) => Buffer[]) {
    return {
      earlier: (ts: bigint) => oplog.earlier(ts),
      async *entries() {
        const entries: Buffer[] = [];
        for await (const buffer of oplog.entries()) {
          forEachDocument(buffer, (offset, length) => {
            entries.push(buffer.subarray(offset, offset + length));
          });
        }
        yield* alter(entries);
      },
    };
  }

  async function given() {
    const { client, uri } = source();
    const db = client.db('misfit');
    await db.command({ insert: 'a', documents: [{ _id: 1 }] });
    const rig = await SnapshotRig.create();
    const taken = await rig.take(uri);
    await db.command({ insert: 'a', documents: [{ _id: 2 }] });
    await db.command({ update: 'a', updates: [{ q: { _id: 2 }, u: { $set: { n: 1 } } }] });
    const oplog = await SourceOplog.read(client);
    await db.dropDatabase();
    const end = { ts: must(oplog.moments.at(-1), 'there is an oplog').ts + 10n, inclusive: true };
    return {
      oplog,
      restore: (from: ReturnType<typeof altered>) =>
        restoreToPoint(rig.repository, taken, from as unknown as SourceOplog, end, target().uri),
    };
  }

  const entryAfter = (entries: readonly Buffer[], fields: Document): Buffer => {
    const last = readOplogEntry(must(entries.at(-1), 'there are entries'), 0);
    return Buffer.from(
      BSON.serialize({
        ts: new Timestamp(timestampParts(last.ts + 1n)),
        t: BSON.Long.fromBigInt(last.term),
        ...fields,
      }),
    );
  };

  test('an entry nobody knows is refused before the target is touched', async () => {
    await target().client.db('precious').collection<Row>('a').insertOne({ _id: 1 });
    const { oplog, restore } = await given();
    const unknown = altered(oplog, (entries) => [
      ...entries,
      entryAfter(entries, { op: 'c', ns: 'misfit.$cmd', o: { importCollection: 'x' } }),
    ]);
    await assert.rejects(restore(unknown), (error) => error instanceof Fault && /importCollection/.test(error.message));
    assert.equal(await target().client.db('precious').collection('a').countDocuments(), 1);
  });

  test('an update of a document that is not there fails the restore', async () => {
    const { oplog, restore } = await given();
    const isTheInsert = (entry: Buffer) => {
      const { op, ns, o } = BSON.deserialize(entry);
      return op === 'i' && ns === 'misfit.a' && o._id === 2;
    };
    const holed = altered(oplog, (entries) => entries.filter((entry) => !isTheInsert(entry)));
    await assert.rejects(restore(holed), (error) => error instanceof Fault && /refused to replay/.test(error.message));
  });

  test('updates by the operators of older servers', async () => {
    const { oplog, restore } = await given();
    const older = altered(oplog, (entries) => {
      const found = must(
        entries.map((entry) => BSON.deserialize(entry)).findLast(({ op, ns }) => op === 'u' && ns === 'misfit.a'),
        'the update',
      );
      return [
        ...entries,
        entryAfter(entries, { op: 'u', ns: found.ns, ui: found.ui, o: { $v: 1, $set: { m: 2 } }, o2: found.o2 }),
      ];
    });
    await restore(older);
    assert.deepEqual(await target().client.db('misfit').collection<Row>('a').findOne({ _id: 2 }), {
      _id: 2,
      n: 1,
      m: 2,
    });
  });
});

describe('without a target', () => {
  test('diffs make of documents what the server made of them', async () => {
    await withReplicaSet({ cacheGb: 1 }, async ({ client, members }) => {
      const port = must(members[0], 'the set has a member').port;
      const workload = new Workload({ seed: 5, port: async () => port, mix: { catalogChanges: 0, transactions: 0 } });
      await workload.setUp();
      await workload.write(300);
      await workload.stop();
      const oplog = await SourceOplog.read(client);
      const collections = new Map<string, Map<string, Buffer>>();
      let diffs = 0;
      for await (const buffer of oplog.entries()) {
        forEachDocument(buffer, (offset) => {
          const { op, ns, o, o2 } = readOplogEntry(buffer, offset);
          if (o === null || !['i', 'u', 'd'].includes(op)) return;
          const id = must(findId(buffer, op === 'u' && o2 !== null ? o2.start : o.start), 'a write has an _id');
          const name = idBytes(buffer, id).toString('hex');
          const documents = collections.get(ns) ?? new Map<string, Buffer>();
          collections.set(ns, documents);
          if (op === 'i') documents.set(name, Buffer.from(buffer.subarray(o.start, o.end)));
          else if (op === 'd') documents.delete(name);
          else {
            documents.set(name, changedDocument(must(documents.get(name), 'an updated document'), buffer, o));
            diffs++;
          }
        });
      }
      assert(diffs > 200, 'there were diffs to apply');
      const truth = await readTruth(client, null);
      let compared = 0;
      for (const [namespace, { documents, order }] of truth.collections) {
        // A collection with a collation takes equal ids for one; a capped one may have lost more than was logged.
        if (documents === null || order !== null || namespace === 'app.collated') continue;
        const mine = collections.get(namespace) ?? new Map<string, Buffer>();
        for (const [id, document] of documents) {
          if (repeatsName(document, 0)) continue;
          assert.equal(mine.get(id)?.toString('hex'), document.toString('hex'), `${namespace} ${id}`);
          compared++;
        }
      }
      assert(compared > 500, 'there were documents to compare');
    });
  });
});

test('replays at least three times as fast as one client wrote', async (t) => {
  const { client, uri } = source();
  const a = client.db('speed').collection<Row>('a');
  await a.insertOne({ _id: 0 });
  const rig = await SnapshotRig.create();
  const taken = await rig.take(uri);
  const startedMs = performance.now();
  const count = 3000;
  for (let _id = 1; _id <= count; _id++) {
    await a.insertOne({ _id, text: 'x'.repeat(200), list: [1, 2, 3] });
    await a.updateOne({ _id }, { $set: { k: _id } });
    if (_id % 3 === 0) await a.deleteOne({ _id });
  }
  const writtenMs = performance.now() - startedMs;
  const oplog = await SourceOplog.read(client);
  const end = { ts: must(oplog.moments.at(-1), 'there is an oplog').ts, inclusive: true };
  const { replayed } = await restoreToPoint(rig.repository, taken, oplog, end, target().uri);
  assert(replayed !== null && replayed.operations >= count * 2, 'all of it was replayed');
  const [written, read] = [replayed.operations / writtenMs, replayed.operations / replayed.ms];
  t.diagnostic(`${Math.round(written * 1000)} writes/s were made, ${Math.round(read * 1000)} writes/s replayed`);
  assert(read > 3 * written, 'replay keeps ahead');
  await client.db('speed').dropDatabase();
});
