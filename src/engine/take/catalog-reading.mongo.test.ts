import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deserialize } from 'bson';
import { until, useReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import type { Timestamp64 } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { silentLogger } from '../../lib/logger.ts';
import { connectMember } from '../../mongo/connection/connect.ts';
import { SourceMember } from '../../mongo/source-member.ts';
import { CatalogReading } from './catalog-reading.ts';
import type { ReplicaSetTake } from './replica-set-take.ts';
import { defaultSnapshotLimits } from './snapshot-limits.ts';

const signal = new AbortController().signal;

describe('the catalog while T is chosen', () => {
  const source = useReplicaSet({
    auth: true,
    setParameters: { minSnapshotHistoryWindowInSeconds: 3600, ttlMonitorEnabled: false },
  });
  const target = useReplicaSet({ name: 'target', setParameters: { ttlMonitorEnabled: false } });

  interface Stage {
    reader: SourceMember;
    reading: CatalogReading;
    /** By UUID: what was read of a collection so far. */
    collections: Map<string, { scanned: boolean; pending: { size: number } }>;
    /** Why it was listed. */
    notes: string[];
  }

  async function withReading(uri: string, body: (stage: Stage) => Promise<void>): Promise<void> {
    const client = await connectMember(source().client, uri, must(source().members[0], 'a member').address);
    const reader = new SourceMember(client, 'the member');
    const collections: Stage['collections'] = new Map();
    const notes: string[] = [];
    const take = { signal, collections, noteListing: (reason: string) => void notes.push(reason) };
    try {
      const reading = new CatalogReading(take as unknown as ReplicaSetTake, reader);
      await body({ reader, reading, collections, notes });
    } finally {
      await client.close();
    }
  }

  async function now(): Promise<Timestamp64> {
    const admin = source().client.db('admin');
    await admin.command({ appendOplogNote: 1, data: {}, writeConcern: { w: 'majority' } });
    const reader = new SourceMember(source().client, 'the primary');
    return (await reader.majorityOptime(signal)).ts;
  }

  async function hasCatalog(): Promise<boolean> {
    return Number((await source().client.db('admin').command({ buildInfo: 1 })).versionArray[0]) >= 6;
  }

  const namesIn = (reading: CatalogReading, db: string) =>
    reading
      .collections()
      .filter((one) => one.db === db)
      .map(({ name }) => name)
      .sort();

  test('what changed after T does not matter, unless something of it has still to be read', async (context) => {
    if (!(await hasCatalog())) return context.skip('this server has no $listCatalog');
    const db = source().client.db('shop');
    await db.createCollection('a');
    await db.createCollection('b');
    await withReading(source().uri, async ({ reading, collections, notes }) => {
      const then = await now();
      await db.collection('a').rename('c');
      await db.createCollection('d');
      await reading.read(then);
      assert.deepEqual(namesIn(reading, 'shop'), ['a', 'b']);
      assert.deepEqual(notes, []);
      const changed = new Set(['shop']);
      assert.equal(reading.holdsDespite(new Set(['other']), 0), true);
      assert.equal(reading.holdsDespite(changed, 0), false, 'nothing was scanned yet');
      assert.equal(reading.holdsDespite(changed, 20), true, 'then reading has to tell');
      for (const { uuid } of reading.collections())
        if (uuid !== null) collections.set(uuid, { scanned: true, pending: { size: 0 } });
      assert.equal(reading.holdsDespite(changed, 0), true);
      for (const { pending } of collections.values()) pending.size = 1;
      assert.equal(reading.holdsDespite(changed, 0), false, 'ids are pending');

      await db.collection('b').drop();
      assert.deepEqual([...reading.spoil(['shop'])], ['shop']);
      await reading.read(await now());
      assert.deepEqual(namesIn(reading, 'shop'), ['c', 'd']);
      assert.ok(namesIn(reading, 'admin').includes('system.version'), 'the rest is kept');
      await db.dropDatabase();
      reading.spoil(['shop']);
      await reading.read(await now());
      assert.deepEqual(namesIn(reading, 'shop'), []);
    });
  });

  test('a time that has left the history of the server is read again at another', async (context) => {
    if (!(await hasCatalog())) return context.skip('this server has no $listCatalog');
    await withReading(source().uri, async ({ reading }) => {
      await reading.read(1n << 32n);
      assert.equal(reading.holdsDespite(new Set(), 20), false);
      reading.spoil([]);
      await reading.read(await now());
      assert.equal(reading.holdsDespite(new Set(), 0), true);
      assert.ok(namesIn(reading, 'admin').includes('system.version'));
    });
  });

  test('without the privilege it is listed, as it is now, and any change after T matters', async () => {
    const { client } = source();
    const cluster = [{ resource: { cluster: true }, actions: ['listDatabases', 'useUUID'] }];
    const listing = [{ resource: { db: 'listed', collection: '' }, actions: ['listCollections', 'listIndexes'] }];
    const admin = client.db('admin');
    await admin.command({ createRole: 'lists', privileges: [...cluster, ...listing], roles: [] });
    await admin.command({ createUser: 'lister', pwd: 'for tests only', roles: ['lists', 'read'] });
    await client.db('listed').createCollection('a');
    const uri = source().uri.replace(/\/\/[^@]*@/, '//lister:for%20tests%20only@');
    await withReading(uri, async ({ reader, reading, notes }) => {
      // Of the other databases this user may list nothing.
      reader.command = async (db, command, given) => {
        if ('listDatabases' in command) return { databases: [{ name: 'listed' }] };
        return await SourceMember.prototype.command.call(reader, db, command, given);
      };
      const then = await now();
      await client.db('listed').collection('a').rename('b');
      await reading.read(then);
      assert.deepEqual(namesIn(reading, 'listed'), ['b']);
      assert.match(notes.join(), /listCatalog/);
      assert.equal(reading.holdsDespite(new Set(['listed']), 20), false);
      assert.equal(reading.holdsDespite(new Set(), 0), true);
    });
  });

  test('a catalog that is never quiet is read in one pass', async (context) => {
    if (!(await hasCatalog())) return context.skip('this server has no $listCatalog');
    const db = source().client.db('restless');
    await db.collection('data').insertMany([{ a: 1 }, { a: 2 }]);
    const fixture = await SnapshotFixture.create(source().uri);
    let changing = true;
    let changes = 0;
    const change = (async () => {
      for (; changing; changes++) {
        await db.createCollection(`view${changes % 3}`, { viewOn: 'data', pipeline: [] });
        await db.collection(`view${changes % 3}`).drop();
      }
    })();
    try {
      await until('changes are under way', async () => (changes > 3 ? true : null));
      await fixture.take();
      const before = changes;
      const limits = { ...defaultSnapshotLimits, catalogPassesMax: 1, roundsMax: 1 };
      const taken = await fixture.take({ limits, log: silentLogger });
      assert.equal(taken.statistics.documentsRead, 0);
      assert.ok(changes > before, 'the catalog changed meanwhile');
    } finally {
      changing = false;
      await change;
    }
  });

  test('the fraction of a time to live comes back whole', async (context) => {
    if (!(await hasCatalog())) return context.skip('this server has no $listCatalog');
    const db = source().client.db('fraction');
    await db.collection('a').createIndex({ at: 1 }, { expireAfterSeconds: 9999.7 });
    const fixture = await SnapshotFixture.create(source().uri);
    await fixture.take();
    await fixture.restore(target().uri);
    await withTargetCatalog((indexes) => assert.equal(indexes.at(-1)?.expireAfterSeconds, 9999.7));
  });

  async function withTargetCatalog(check: (indexes: Record<string, unknown>[]) => void): Promise<void> {
    const reader = new SourceMember(target().client, 'the target');
    const reading = new CatalogReading(
      { signal, collections: new Map(), noteListing: assert.fail } as unknown as ReplicaSetTake,
      reader,
    );
    await reading.read((await reader.majorityOptime(signal)).ts);
    const found = must(
      reading.collections().find(({ db, name }) => db === 'fraction' && name === 'a'),
      'the restored collection',
    );
    check(found.indexes.map((index) => deserialize(index)));
  }
});
