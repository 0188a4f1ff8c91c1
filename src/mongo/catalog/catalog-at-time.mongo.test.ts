import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deserialize } from 'bson';
import type { Db, Document } from 'mongodb';
import { until, useReplicaSet } from '../../../test/support/replica-set.ts';
import type { Timestamp64 } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { connectCluster, connectMember } from '../connection/connect.ts';
import { SourceMember } from '../source-member.ts';
import { NoCatalogAtTime, readCatalogAt } from './catalog-at-time.ts';
import { type ListedCollection, listDatabase, listDatabases } from './catalog-listing.ts';

const signal = new AbortController().signal;

describe('the catalog of a member at a time', () => {
  const source = useReplicaSet({
    auth: true,
    setParameters: { enableTestCommands: true, minSnapshotHistoryWindowInSeconds: 3600 },
  });

  /** Null on servers before 6.0, where the way of the listing is all there is. */
  async function withCatalog(test: (reader: SourceMember) => Promise<void>): Promise<void> {
    const reader = await member(source().uri);
    try {
      const now = await newest(reader);
      const major = Number((await reader.command('admin', { buildInfo: 1 }, signal)).versionArray[0]);
      if (major >= 6) await test(reader);
      else await assert.rejects(readCatalogAt(reader, now, null, signal), NoCatalogAtTime);
    } finally {
      await reader.client.close();
    }
  }

  async function member(uri: string): Promise<SourceMember> {
    const cluster = await connectCluster(uri);
    const host = must(source().members[0], 'a member').address;
    const client = await connectMember(cluster, uri, host);
    await cluster.close();
    return new SourceMember(client, host);
  }

  async function newest(reader: SourceMember): Promise<Timestamp64> {
    await source()
      .client.db('admin')
      .command({ appendOplogNote: 1, data: {}, writeConcern: { w: 'majority' } });
    return (await reader.majorityOptime(signal)).ts;
  }

  test('is what the listing says, byte for byte', async () => {
    await withCatalog(async (reader) => {
      await makeOneOfEach(source().client.db('each'));
      await source().client.db('other').collection('plain').insertOne({ a: 1 });
      const listed: ListedCollection[] = [];
      for (const db of await listDatabases(reader, signal)) listed.push(...(await listDatabase(reader, db, signal)));
      const found = await readCatalogAt(reader, await newest(reader), null, signal);
      assert.ok(found.length > 14, `${found.length} collections`);
      assert.deepEqual(spelled(found), spelled(listed));
      const some = await readCatalogAt(reader, await newest(reader), new Set(['other', 'none']), signal);
      assert.deepEqual(
        some.map(({ db, name }) => `${db}.${name}`),
        ['other.plain'],
      );
    });
  });

  test('has the fractions of seconds that a listing cuts off', async () => {
    await withCatalog(async (reader) => {
      const db = source().client.db('fraction');
      await db.collection('a').createIndex({ at: 1 }, { expireAfterSeconds: 9999.7 });
      const [listed] = await listDatabase(reader, 'fraction', signal);
      const [found] = await readCatalogAt(reader, await newest(reader), new Set(['fraction']), signal);
      assert.equal(expiryOf(listed), 9999);
      assert.equal(expiryOf(found), 9999.7);
    });
  });

  test('is that of the time, whatever was renamed, dropped, made and changed since', async () => {
    await withCatalog(async (reader) => {
      const db = source().client.db('past');
      await makeOneOfEach(db);
      const before = await newest(reader);
      const expected = spelled(await listDatabase(reader, 'past', signal));
      await db.collection('plain').rename('renamed');
      await db.collection('renamed').dropIndex('a_1');
      await db.collection('capped').drop();
      await db.collection('view').drop();
      await db.collection('series').drop();
      await db.createCollection('later');
      await db.command({ collMod: 'validated', validator: { b: 1 } });
      await newest(reader);
      assert.deepEqual(spelled(await readCatalogAt(reader, before, null, signal), 'past'), expected);
    });
  });

  test('leaves out an index that was being built, also when it is finished since', async () => {
    await withCatalog(async (reader) => {
      const { client } = source();
      const db = client.db('building');
      await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' } });
      await db.collection('series').insertOne({ t: new Date(0), m: 1, a: 1 });
      await db.collection('plain').insertOne({ a: 1 });
      await client.db('admin').command({ configureFailPoint: 'hangAfterStartingIndexBuild', mode: 'alwaysOn' });
      const builds = [db.collection('plain').createIndex({ a: 1 }), db.collection('series').createIndex({ a: 1 })];
      let then: Timestamp64;
      try {
        for (const name of ['plain', 'system.buckets.series']) {
          await until(`the build on ${name} has begun`, async () => {
            const { indexBuilds } = await db.command({ collStats: name });
            return (indexBuilds ?? []).length > 0 ? true : null;
          });
        }
        then = await newest(reader);
        assert.deepEqual(indexNames(await readCatalogAt(reader, then, new Set(['building']), signal)), ['_id_']);
      } finally {
        await client.db('admin').command({ configureFailPoint: 'hangAfterStartingIndexBuild', mode: 'off' });
        await Promise.all(builds);
      }
      assert.deepEqual(indexNames(await readCatalogAt(reader, then, new Set(['building']), signal)), ['_id_']);
      const now = await readCatalogAt(reader, await newest(reader), new Set(['building']), signal);
      assert.deepEqual(indexNames(now), ['_id_', 'a_1', 'a_1']);
    });
  });

  test('comes whole in several replies', async () => {
    await withCatalog(async (reader) => {
      const db = source().client.db('many');
      const long = { $comment: 'x'.repeat(300_000), a: 1 };
      for (let at = 0; at < 60; at++)
        await db.createCollection(`c${at}`, { validator: long, writeConcern: { w: 'majority' } } as Document);
      const found = await readCatalogAt(reader, await newest(reader), new Set(['many']), signal);
      assert.equal(new Set(found.map(({ name }) => name)).size, 60);
    });
  });

  test('is not there under the feature compatibility version of 5.0, and that is said', async () => {
    await withCatalog(async (reader) => {
      const { client } = source();
      const admin = client.db('admin');
      const known = await admin.command({ getParameter: 1, featureCompatibilityVersion: 1 });
      if (known.featureCompatibilityVersion.version !== '6.0') return;
      // What the tests before have made is of forms that 5.0 does not know.
      for (const { name } of (await admin.admin().listDatabases()).databases)
        if (!['admin', 'config', 'local'].includes(name)) await client.db(name).dropDatabase();
      await admin.command({ setFeatureCompatibilityVersion: '5.0' });
      try {
        await assert.rejects(readCatalogAt(reader, await newest(reader), null, signal), NoCatalogAtTime);
      } finally {
        await admin.command({ setFeatureCompatibilityVersion: '6.0' });
      }
      assert.ok((await readCatalogAt(reader, await newest(reader), null, signal)).length > 0);
    });
  });

  test('is read by the built-in role, and without the privilege that is said', async () => {
    await withCatalog(async () => {
      const admin = source().client.db('admin');
      for (const role of ['backup', 'clusterMonitor']) {
        await admin.command({ createUser: role, pwd: 'for tests only', roles: [role] });
        const reader = await member(source().uri.replace(/\/\/[^@]*@/, `//${role}:for%20tests%20only@`));
        try {
          const { ts } = await reader.majorityOptime(signal);
          const reading = readCatalogAt(reader, ts, null, signal);
          if (role === 'backup') assert.ok((await reading).length > 0);
          else await assert.rejects(reading, NoCatalogAtTime);
        } finally {
          await reader.client.close();
        }
      }
    });
  });
});

async function makeOneOfEach(db: Db): Promise<void> {
  const create = async (name: string, options: Document = {}) => await db.command({ create: name, ...options });
  await create('plain');
  await db.command({
    createIndexes: 'plain',
    indexes: [
      { key: { a: 1 }, name: 'a_1', unique: true, hidden: true, collation: { locale: 'fr' }, sparse: true },
      { key: { b: 1 }, name: 'b_1', expireAfterSeconds: 60, background: 1, partialFilterExpression: { z: 1 } },
      { key: { t: 'text' }, name: 't', weights: { t: 3 }, default_language: 'french', language_override: 'lo' },
      { key: { g: '2dsphere' }, name: 'g' },
      { key: { f: '2d' }, name: 'f', bits: 20, min: -5, max: 5 },
      { wildcardProjection: { q: 0 }, key: { '$**': 1 }, name: 'w' },
      { key: { p: 1 }, name: 'p', prepareUnique: true, hidden: true, storageEngine: { wiredTiger: {} } },
      { key: { h: 'hashed' }, name: 'h' },
    ],
  });
  await create('validated', { validator: { a: 1 }, validationLevel: 'moderate', collation: { locale: 'de' } });
  await db.command({ createIndexes: 'validated', indexes: [{ key: { c: 1 }, name: 'c' }] });
  await create('capped', { capped: true, size: 8192, max: 4 });
  await create('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true, name: 'cc' } });
  await db.command({ createIndexes: 'clustered', indexes: [{ key: { c: 1 }, name: 'c' }] });
  await create('collated', { clusteredIndex: { key: { _id: 1 }, unique: true }, collation: { locale: 'sv' } });
  await create('images', { changeStreamPreAndPostImages: { enabled: true } });
  await create('stored', { storageEngine: { wiredTiger: { configString: 'block_compressor=zlib' } } });
  await create('series', {
    timeseries: { timeField: 't', metaField: 'm', granularity: 'hours' },
    expireAfterSeconds: 3600,
    collation: { locale: 'fr' },
    storageEngine: { wiredTiger: {} },
  });
  await db.command({ createIndexes: 'series', indexes: [{ key: { x: 1, m: -1 }, name: 'x', hidden: true }] });
  await create('bare series', { timeseries: { timeField: 't' } });
  await create('view', { viewOn: 'plain', pipeline: [{ $match: { a: 1 } }], collation: { locale: 'fr' } });
  await create('plain view', { viewOn: 'plain', pipeline: [] });
  await create('dots.and spaces');
}

/** In an order that says nothing, bytes as text. */
function spelled(listed: readonly ListedCollection[], only?: string): Record<string, unknown> {
  const chosen = listed.filter(({ db }) => only === undefined || db === only);
  const entries = chosen.map(({ db, name, info, indexes, ...rest }) => {
    // Later servers add to what they make up for a clustered collection.
    const made = indexes.filter((index) => deserialize(index).clustered !== true);
    const value = { ...rest, info: info.toString('latin1'), indexes: made.map((index) => index.toString('latin1')) };
    return [`${db}.${name}`, value] as const;
  });
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function expiryOf(listed: ListedCollection | undefined): unknown {
  return deserialize(must(listed?.indexes[1], 'an index')).expireAfterSeconds;
}

function indexNames(listed: readonly ListedCollection[]): string[] {
  return listed.flatMap(({ indexes }) => indexes.map((index) => String(deserialize(index).name))).sort();
}
