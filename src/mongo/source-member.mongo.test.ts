import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deserialize, serialize } from 'bson';
import { type Document, Double, Int32, type MongoClient, UUID } from 'mongodb';
import { until, useReplicaSet } from '../../test/support/replica-set.ts';
import { serverIs } from '../../test/support/server-version.ts';
import { findElement, findId, forEachDocument, idBytes } from '../bson/raw-bson.ts';
import { must } from '../lib/assert.ts';
import { visitEntry } from '../oplog/touches.ts';
import { cutBatches, insertRaw } from './bulk-writer.ts';
import { listCollections, listDatabase } from './catalog/catalog-listing.ts';
import { readByIds, scanCollection } from './collection-reader.ts';
import { connectCluster, connectMember } from './connection/connect.ts';
import { isTimeUnreadable } from './errors.ts';
import { OplogGap, readOplog } from './oplog-reader.ts';
import { SourceMember } from './source-member.ts';
import { describeCluster } from './topology.ts';

const signal = new AbortController().signal;

describe('reading a real member', () => {
  const source = useReplicaSet({ setParameters: { enableTestCommands: true } });

  async function member(): Promise<SourceMember> {
    const cluster = await connectCluster(source().uri);
    const host = must(source().members[0], 'a member').address;
    const client = await connectMember(cluster, source().uri, host);
    await cluster.close();
    return new SourceMember(client, host);
  }

  async function uuidOf(client: MongoClient, db: string, name: string): Promise<string> {
    const [entry] = await client.db(db).listCollections({ name }).toArray();
    return ((entry as Document).info.uuid as UUID).toHexString(false);
  }

  function raw(documents: readonly Document[]): Buffer[] {
    return documents.map((document) => Buffer.from(serialize(document)));
  }

  test('a scan gives the documents as they were inserted, byte for byte, and resumes after a batch', async () => {
    const reader = await member();
    try {
      const collection = source().client.db('scan').collection('docs');
      const documents = raw(Array.from({ length: 40_000 }, (_, i) => ({ _id: i, text: 'x'.repeat(i % 3000) })));
      for (const batch of cutBatches(Buffer.concat(documents))) {
        await insertRaw(source().client.db('scan'), 'docs', batch, { ordered: true, signal });
      }
      const uuid = await uuidOf(source().client, 'scan', 'docs');
      assert.equal(await collection.countDocuments(), 40_000);
      const batches: Buffer[] = [];
      let token: Buffer | null = null;
      let firstCount = 0;
      for await (const batch of scanCollection(reader, { db: 'scan', uuid }, { level: 'majority' }, signal, {
        resumable: true,
      })) {
        if (batches.length === 0) {
          token = batch.resumeToken;
          firstCount = batch.count;
        }
        batches.push(Buffer.from(batch.documents));
      }
      assert.ok(batches.length > 2, 'more than one batch');
      assert.deepEqual(Buffer.concat(batches), Buffer.concat(documents));
      const rest: Buffer[] = [];
      for await (const batch of scanCollection(reader, { db: 'scan', uuid }, { level: 'majority' }, signal, {
        resumeAfter: token,
      })) {
        rest.push(Buffer.from(batch.documents));
      }
      assert.deepEqual(Buffer.concat(rest), Buffer.concat(documents.slice(firstCount)));
    } finally {
      await reader.client.close();
    }
  });

  test('documents are read by raw ids at a cluster time, whatever their type, as they were then', async () => {
    const reader = await member();
    try {
      const db = source().client.db('ids');
      const ids: unknown[] = [1, new Double(2.5), 'three', { b: 1, a: 2 }, null, true, new Date(4), new UUID()];
      const documents = Buffer.concat(raw(ids.map((_id) => ({ _id, v: 1 }))));
      await insertRaw(db, 'docs', { documents, count: ids.length }, { ordered: true, signal });
      await settle(source().client);
      const uuid = await uuidOf(source().client, 'ids', 'docs');
      const at = await reader.majorityOptime(signal);
      await db.collection('docs').updateMany({}, { $set: { v: 2 } });
      await db.collection('docs').deleteOne({ _id: 1 as never });
      const wanted = ids.map((_id) => {
        const document = Buffer.from(serialize({ _id }));
        return idBytes(document, must(findId(document, 0), 'an id'));
      });
      const found: Buffer[] = [];
      const point = { level: 'snapshot', atClusterTime: at.ts } as const;
      for await (const batch of readByIds(reader, { db: 'ids', uuid }, wanted, point, signal)) {
        forEachDocument(batch.documents, (offset, length) => {
          found.push(batch.documents.subarray(offset, offset + length));
        });
      }
      assert.deepEqual(
        found.map((document) => document.toString('hex')).sort(),
        raw(ids.map((_id) => ({ _id, v: 1 })))
          .map((document) => document.toString('hex'))
          .sort(),
      );
    } finally {
      await reader.client.close();
    }
  });

  test('a time before a rename cannot be read by UUID on servers without catalog history, and says so with a code we know', async () => {
    const reader = await member();
    try {
      const db = source().client.db('renames');
      await db.collection('before').insertOne({ a: 1 });
      const uuid = await uuidOf(source().client, 'renames', 'before');
      const at = await reader.majorityOptime(signal);
      await db.renameCollection('before', 'after');
      const point = { level: 'snapshot', atClusterTime: at.ts } as const;
      try {
        const batches: number[] = [];
        for await (const batch of scanCollection(reader, { db: 'renames', uuid }, point, signal))
          batches.push(batch.count);
        assert.deepEqual(batches, [1]);
      } catch (error) {
        assert.ok(isTimeUnreadable(error), String(error));
      }
    } finally {
      await reader.client.close();
    }
  });

  test('an oplog read that loses its place goes on where it was, with every entry once', async () => {
    const reader = await member();
    const { client } = source();
    const failPoint = async (mode: Document | string, errorCode: number, command = 'getMore') => {
      const data = { failCommands: [command], errorCode, namespace: 'local.oplog.rs' };
      await client.db('admin').command({ configureFailPoint: 'failCommand', mode, data });
    };
    try {
      const from = await reader.majorityOptime(signal);
      await client
        .db('place')
        .collection('docs')
        .insertMany(Array.from({ length: 25_000 }, (_, n) => ({ n })));
      const to = await reader.majorityOptime(signal);
      const read = async () => {
        const seen: bigint[] = [];
        await readOplog(reader, from, to.ts, signal, ({ entry }) => {
          seen.push(entry.ts);
          return undefined;
        });
        return seen;
      };
      const undisturbed = await read();
      assert.ok(undisturbed.length >= 25_000, 'more than one batch');
      await failPoint({ times: 3 }, 136);
      assert.deepEqual(await read(), undisturbed);
      await failPoint({ times: 1 }, 2);
      await assert.rejects(read(), /failCommand/, 'another error is not passed over');
      await failPoint('alwaysOn', 136, 'find');
      await assert.rejects(read(), /failCommand/, 'and this one not for ever');
    } finally {
      await failPoint('off', 136);
      await reader.client.close();
    }
  });

  test('the oplog names every id that was touched: writes, transactions, prepared ones at their commit', async () => {
    const reader = await member();
    try {
      const { client } = source();
      const collection = client.db('touch').collection<{ _id: number; pad?: string; n?: number }>('docs');
      await collection.insertOne({ _id: 0 });
      const uuid = await uuidOf(client, 'touch', 'docs');
      const from = await reader.majorityOptime(signal);
      await collection.insertMany([{ _id: 1 }, { _id: 2 }]);
      await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } });
      await collection.replaceOne({ _id: 2 }, { n: 2 });
      await collection.deleteOne({ _id: 0 });
      const session = client.startSession();
      // More than 16 MB: the transaction is spread over several entries.
      await session.withTransaction(async () => {
        for (let i = 100; i < 120; i++) await collection.insertOne({ _id: i, pad: 'p'.repeat(1 << 20) }, { session });
      });
      await session.endSession();
      const to = await majorityNow(reader, client);
      const touched = new Set<number>();
      const { entries } = await readOplog(reader, from, to, signal, (found) => {
        visitEntry(found.buffer, found.entry, {
          touched: (of, buffer, id) => {
            if (of === uuid) touched.add(buffer.readInt32LE(id.start));
          },
          catalogChanged: () => undefined,
          rereadNeeded: (name) => assert.fail(name),
        });
        return undefined;
      });
      assert.ok(entries >= 7, `${entries} entries`);
      assert.deepEqual(
        [...touched].sort((a, b) => a - b),
        [0, 1, 2, ...Array.from({ length: 20 }, (_, i) => 100 + i)],
      );
    } finally {
      await reader.client.close();
    }
  });

  test('a chain that began before the position is read back to its beginning', async () => {
    const reader = await member();
    try {
      const { client } = source();
      const collection = client.db('chains').collection<{ _id: number; pad?: string }>('docs');
      await collection.insertOne({ _id: 0 });
      const uuid = await uuidOf(client, 'chains', 'docs');
      const session = client.startSession();
      await session.withTransaction(async () => {
        for (let i = 1; i <= 20; i++) await collection.insertOne({ _id: i, pad: 'p'.repeat(1 << 20) }, { session });
      });
      await session.endSession();
      const to = await majorityNow(reader, client);
      const oplog = client.db('local').collection('oplog.rs');
      const parts = await oplog.find({ 'o.partialTxn': true }).sort({ ts: -1 }).limit(1).toArray();
      const middle = must(parts[0], 'a transaction of several entries');
      const from = { ts: (BigInt(middle.ts.high >>> 0) << 32n) | BigInt(middle.ts.low >>> 0), term: BigInt(middle.t) };
      const touched = new Set<number>();
      await readOplog(reader, from, to, signal, (found, earlier) => {
        for (const part of [...earlier, found]) {
          visitEntry(part.buffer, part.entry, {
            touched: (of, buffer, id) => {
              if (of === uuid) touched.add(buffer.readInt32LE(id.start));
            },
            catalogChanged: () => undefined,
            rereadNeeded: (name) => assert.fail(name),
          });
        }
        return undefined;
      });
      assert.equal(touched.size, 20);
    } finally {
      await reader.client.close();
    }
  });

  test('a position that is not in the oplog is a gap, not a shorter answer', async () => {
    const reader = await member();
    try {
      const now = await reader.majorityOptime(signal);
      const wrongTerm = { ts: now.ts, term: now.term + 1n };
      const before = { ts: now.ts - (10_000n << 32n), term: now.term };
      for (const from of [wrongTerm, before]) {
        await assert.rejects(
          readOplog(reader, from, now.ts, signal, () => undefined),
          OplogGap,
        );
      }
    } finally {
      await reader.client.close();
    }
  });

  test('a listing holds what is taken, with raw indexes, and leaves out builds in progress', async () => {
    const reader = await member();
    try {
      const { client } = source();
      const db = client.db('listing');
      await db.createCollection('capped', { capped: true, size: 4096 });
      await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' } });
      await db.createCollection('view', { viewOn: 'plain', pipeline: [] });
      await db.collection('plain').createIndex({ a: 1 }, { hidden: true, name: 'hidden a' });
      await db.collection('plain').insertMany(Array.from({ length: 100 }, (_, i) => ({ a: i, b: i })));
      await client.db('admin').command({ configureFailPoint: 'hangAfterStartingIndexBuild', mode: 'alwaysOn' });
      const building = db.collection('plain').createIndex({ b: 1 });
      try {
        await buildInProgress(client);
        const listed = await listDatabase(reader, 'listing', signal);
        const names = listed.map((one) => `${one.name}:${one.type}${one.capped ? ':capped' : ''}`).sort();
        assert.deepEqual(names, [
          'capped:collection:capped',
          'plain:collection',
          'series:timeseries',
          'system.buckets.series:collection',
          'view:view',
        ]);
        const plain = must(
          listed.find((one) => one.name === 'plain'),
          'plain',
        );
        const indexNames = plain.indexes.map((index) => {
          const name = must(findElement(index, 0, 'name'), 'a name');
          return index.toString('utf8', name.start + 4, name.end - 1);
        });
        assert.deepEqual(indexNames.sort(), ['_id_', 'hidden a']);
        const all = await listCollections(reader, signal);
        assert.ok(all.every((one) => one.db !== 'local' && !one.name.startsWith('system.profile')));
      } finally {
        await client.db('admin').command({ configureFailPoint: 'hangAfterStartingIndexBuild', mode: 'off' });
        await building;
      }
    } finally {
      await reader.client.close();
    }
  });

  test('a listing leaves out an index of a time series that is being built, which 6.0 cannot list itself', async () => {
    const reader = await member();
    const { client } = source();
    const db = client.db('series');
    await db.createCollection('readings', { timeseries: { timeField: 't', metaField: 'm' } });
    await db.collection('readings').insertOne({ t: new Date(0), m: 1, a: 1 });
    await db.collection('readings').createIndex({ m: 1 }, { name: 'finished' });
    await client.db('admin').command({ configureFailPoint: 'hangAfterStartingIndexBuild', mode: 'alwaysOn' });
    // Before 6.0 only the time and what identifies a series can be indexed.
    const indexed = serverIs('6.0') ? 'a' : 'm';
    const building = db.collection('readings').createIndex({ [indexed]: 1, t: -1 }, { name: 'unfinished' });
    try {
      const started = async () => (await db.command({ collStats: 'system.buckets.readings' })).indexBuilds?.length > 0;
      await until('the index build has begun', async () => ((await started()) ? true : null));
      const listed = await listDatabase(reader, 'series', signal);
      const buckets = must(
        listed.find((one) => one.name === 'system.buckets.readings'),
        'the buckets',
      );
      assert.deepEqual(
        buckets.indexes.map((index) => deserialize(index).name),
        ['finished'],
      );
    } finally {
      await client.db('admin').command({ configureFailPoint: 'hangAfterStartingIndexBuild', mode: 'off' });
      await building;
      await reader.client.close();
    }
  });

  test('a document that a target has already is a Fault that names the collection', async () => {
    const db = source().client.db('refused');
    const one = Buffer.from(serialize({ _id: new Int32(1) }));
    await insertRaw(db, 'docs', { documents: one, count: 1 }, { ordered: true, signal });
    await assert.rejects(
      insertRaw(db, 'docs', { documents: one, count: 1 }, { ordered: false, signal }),
      /something else writes to refused\.docs/,
    );
  });

  test('the live cluster says what it is; an unreachable one is reported within the limit', async () => {
    const facts = await describeCluster(source().uri);
    assert.equal(facts.topology, 'replicaSet');
    assert.match(facts.mongodVersion, /^\d+\.\d+\.\d+/);
    assert.equal(facts.members.length, 1);
    assert.equal(facts.primary, must(source().members[0], 'a member').address);
    const startedMs = performance.now();
    await assert.rejects(describeCluster('mongodb://127.0.0.1:1/?replicaSet=no', { timeoutMs: 500 }), /cannot reach/);
    assert.ok(performance.now() - startedMs < 10_000);
  });
});

async function settle(client: MongoClient): Promise<void> {
  await client.db('admin').command({ appendOplogNote: 1, data: { settle: 1 }, writeConcern: { w: 'majority' } });
}

/** Majority-committed time at or after everything that was written through the collection. */
async function majorityNow(reader: SourceMember, client: MongoClient): Promise<bigint> {
  await settle(client);
  return (await reader.majorityOptime(signal)).ts;
}

async function buildInProgress(client: MongoClient): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    const { inprog } = await client
      .db('admin')
      .command({ currentOp: 1, 'command.createIndexes': { $exists: true }, msg: /Index Build/ });
    if (inprog.length > 0) return;
    const builds = await client.db('listing').command({ listIndexes: 'plain', includeBuildUUIDs: true });
    if (builds.cursor.firstBatch.some((index: Document) => index.buildUUID !== undefined)) return;
  }
  assert.fail('the index build never began');
}
