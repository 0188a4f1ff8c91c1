import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary } from 'mongodb';
import { documentOf } from '../../src/bson/raw-bson.ts';
import { envelopeKind } from '../../src/repository/format/envelope.ts';
import { compareClusters, compareTruth } from '../support/compare.ts';
import { type ReplicaSet, useReplicaSet, withReplicaSet } from '../support/replica-set.ts';
import { needsServer } from '../support/server-version.ts';
import { SnapshotRig } from '../support/snapshot-rig.ts';
import { readTruth } from '../support/truth.ts';
import { WireConnection } from '../support/wire.ts';
import { element, ODD_IDS, ODD_VALUES, rawValue } from './raw-values.ts';
import { rows } from './scenario.ts';

/**
 * Bytes in, bytes out; counts that lie; and a target that is left alone until all is known to be well. The source rests
 * while it is compared.
 */
const target = useReplicaSet({ name: 'target', cacheGb: 0.5, setParameters: { ttlMonitorEnabled: false } });

const LARGEST_BYTES = 16 * 1024 * 1024;

async function insertOne(wire: WireConnection, collection: string, document: Buffer): Promise<void> {
  await wire.command({ insert: collection, $db: 'app' }, [{ field: 'documents', documents: [document] }]);
}

async function firstAndIncremental(source: ReplicaSet, between: () => Promise<unknown>): Promise<void> {
  const rig = await SnapshotRig.create();
  await rig.restore(await rig.take(source.uri), target().uri);
  assert.deepEqual(await compareClusters(source.client, target().client), [], 'the first snapshot');
  await between();
  await rig.restore(await rig.take(source.uri), target().uri);
  assert.deepEqual(await compareClusters(source.client, target().client), [], 'the incremental snapshot');
}

test('every type of value and of _id, names twice, empty and with dots and dollars', async () => {
  await withReplicaSet({}, async (source) => {
    const wire = await WireConnection.open((await source.primary()).port);
    const insertAll = async (collection: string) => {
      for (const [index, value] of ODD_VALUES.entries()) {
        const names = ['v', 'v', '', '$set', 'a.b', '__proto__'].map((name) => element(name, value));
        await insertOne(wire, collection, documentOf([element('_id', rawValue(`v${index}`)), ...names]));
      }
      // One collection each: some are equal to each other as ids.
      for (const [index, id] of ODD_IDS.entries())
        await insertOne(wire, `${collection} ${index}`, documentOf([element('_id', id)]));
    };
    await insertAll('first');
    await firstAndIncremental(source, async () => {
      await insertAll('second');
      for (const [index, id] of ODD_IDS.entries()) {
        const deletes = [
          documentOf([
            { name: 'q', type: 0x03, value: documentOf([element('_id', id)]) },
            element('limit', rawValue(1)),
          ]),
        ];
        if (index % 2 === 0)
          await wire.command({ delete: `first ${index}`, $db: 'app' }, [{ field: 'deletes', documents: deletes }]);
        else await insertOne(wire, `first ${index}`, documentOf([element('_id', rawValue('another'))]));
      }
    });
    wire.close();
  });
});

test('a clustered collection that was made capped, which none can be created as', {
  skip: needsServer('6.0'),
}, async () => {
  await withReplicaSet({}, async (source) => {
    const db = source.client.db('app');
    const name = 'both';
    await db.command({ create: name, clusteredIndex: { key: { _id: 1 }, unique: true, name: 'by id' } });
    const both = db.collection<{ _id: number }>(name);
    await both.insertMany([{ _id: 5 }, { _id: 1 }, { _id: 3 }]);
    await db.command({ convertToCapped: name, size: 20_000 });
    await firstAndIncremental(source, () => both.insertMany([{ _id: 2 }, { _id: 9 }]));
  });
});

test('stored functions, also of the database admin', async () => {
  await withReplicaSet({}, async (source) => {
    const store = async (db: string, _id: string) =>
      await source.client.db(db).collection<{ _id: string }>('system.js').insertOne({ _id });
    await store('admin', 'first');
    await store('app', 'first');
    await firstAndIncremental(source, () => store('admin', 'second'));
  });
});

test('documents of 16 MiB, to the byte', async () => {
  await withReplicaSet({ cacheGb: 1 }, async (source) => {
    const wire = await WireConnection.open((await source.primary()).port);
    const insertLargest = (id: number) => {
      const head = [element('_id', rawValue(id))];
      const room =
        LARGEST_BYTES - documentOf([...head, element('bytes', rawValue(new Binary(Buffer.alloc(0))))]).length;
      const document = documentOf([...head, element('bytes', rawValue(new Binary(Buffer.alloc(room, id))))]);
      assert.equal(document.length, LARGEST_BYTES);
      return insertOne(wire, 'large', document);
    };
    await insertLargest(1);
    await insertLargest(2);
    await firstAndIncremental(source, async () => {
      await insertLargest(3);
      await source.client
        .db('app')
        .collection('large')
        .updateOne({ _id: 1 as never }, { $set: { bytes: 'small now' } });
    });
    wire.close();
  });
});

test('collections that came through unclean shutdowns, whatever their fast counts say', async (t) => {
  await withReplicaSet({}, async (source) => {
    const [member] = source.members;
    assert(member !== undefined);
    let wrong = 0;
    for (let kill = 0; kill < 4; kill++) {
      const db = source.client.db(`killed${kill}`);
      for (let n = 0; n < 30; n++)
        await db.collection(`c${n}`).insertMany(rows(5) as never, { writeConcern: { w: 'majority' } });
      await member.kill();
      await member.restart();
      await source.whenComplete();
      for (let n = 0; n < 30; n++) if ((await db.collection(`c${n}`).estimatedDocumentCount()) !== 5) wrong++;
    }
    t.diagnostic(`${wrong} of 120 fast counts are wrong`);
    await firstAndIncremental(source, () => source.client.db('killed0').collection('c0').insertOne({}));
  });
});

test('a damaged snapshot leaves the target as it is', async () => {
  await withReplicaSet({}, async (source) => {
    await source.client
      .db('app')
      .collection('orders')
      .insertMany(rows(2000) as never);
    const rig = await SnapshotRig.create();
    const taken = await rig.take(source.uri);
    await target()
      .client.db('precious')
      .collection('c')
      .insertMany(rows(10) as never);
    const before = await readTruth(target().client, null);
    const { store } = rig.repository;
    for await (const { objectKey, sizeBytes } of store.list('blobs/')) {
      const bytes = Buffer.from(await store.get(objectKey));
      if (bytes[5] === envelopeKind.section) continue; // without it there is no snapshot to restore
      const middle = sizeBytes >> 1;
      bytes[middle] = (bytes[middle] as number) ^ 1;
      await store.put(objectKey, bytes);
    }
    await assert.rejects(rig.restore(taken, target().uri), /damaged/);
    assert.deepEqual(compareTruth(before, await readTruth(target().client, null)), []);
  });
});

test('a source of a newer feature compatibility version is refused before the target is touched', async () => {
  await withReplicaSet({}, async (source) => {
    const { version } = await source.client.db('admin').command({ buildInfo: 1 });
    const older = OLDER_FCV[String(version).slice(0, 3)];
    assert(older !== undefined, `the feature compatibility version before ${version} is known`);
    await source.client
      .db('app')
      .collection('orders')
      .insertMany(rows(10) as never);
    const rig = await SnapshotRig.create();
    const taken = await rig.take(source.uri);
    await withReplicaSet({ name: 'old' }, async (old) => {
      // From 7.0 on it has to be confirmed.
      const confirmed = Number(String(version).split('.')[0]) >= 7 ? { confirm: true } : {};
      await old.client.db('admin').command({ setFeatureCompatibilityVersion: older, ...confirmed });
      await old.client
        .db('precious')
        .collection('c')
        .insertOne({ _id: 1 as never });
      await assert.rejects(rig.restore(taken, old.uri), /compatib|version/i);
      assert.equal(await old.client.db('precious').collection('c').countDocuments(), 1);
    });
  });
});

const OLDER_FCV: Record<string, string> = { '5.0': '4.4', '6.0': '5.0', '7.0': '6.0', '8.0': '7.0' };

test('under access control on both sides, with the account that restores left alone', async () => {
  await withReplicaSet({ auth: true }, async (source) => {
    await source.client
      .db('app')
      .collection('orders')
      .insertMany(rows(100) as never);
    await source.client.db('app').command({ createUser: 'reader', pwd: 'secret', roles: ['read'] });
    const rig = await SnapshotRig.create();
    const taken = await rig.take(source.uri);
    await withReplicaSet({ auth: true, name: 'guarded' }, async (guarded) => {
      await guarded.client.db('app').command({ createUser: 'intruder', pwd: 'x', roles: [] });
      await rig.restore(taken, guarded.uri);
      const differences = compareTruth(await readTruth(source.client, null), await readTruth(guarded.client, null));
      // Of the users only the one who restores differs: each cluster has its own, of the same name.
      assert.equal(differences.length, 1, differences.join('\n'));
      assert.match(differences[0] as string, /^admin\.system\.users: document \{"_id":"admin\.root"\} differs/);
    });
  });
});
