import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, type Document } from 'mongodb';
import { documentOf } from '../../src/bson/raw-bson.ts';
import { exportSnapshot } from '../../src/engine/export/export-snapshot.ts';
import { readExtendedJson } from '../../src/engine/export/read-extended-json.ts';
import { TranscoderPool } from '../../src/engine/export/transcoder-pool.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { MemoryStore } from '../../src/storage/memory.ts';
import { exportedLines, exportedObjects } from '../support/exported.ts';
import { withLossesOfJson } from '../support/losses-of-json.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SnapshotFixture } from '../support/snapshot-fixture.ts';
import { WireConnection } from '../support/wire.ts';
import { element, ODD_IDS, ODD_VALUES, randomElements, rawValue } from './raw-values.ts';

/** A snapshot of a real server, exported, and read back by a reader that shares no code with the writer. */
const source = useReplicaSet({ name: 'source' });
const prefix = 'exported_snapshots/o/p/source/2026-08-10T0327/1786332505';

async function exportOf(fixture: SnapshotFixture): Promise<Map<string, Buffer>> {
  const taken = await fixture.take();
  const store = new MemoryStore(systemClock, { objectKeys: 'any' });
  const transcoder = new TranscoderPool({ threads: 2 });
  try {
    await exportSnapshot({
      ...{ repository: fixture.repository, clusterId: fixture.clusterId, snapshotId: taken.header.snapshotId },
      ...{
        store,
        prefix,
        resumed: false,
        transcoder,
        log: silentLogger,
        limits: { blockBytes: 5_000, fileBytes: 15_000 },
      },
      completed: {
        ...{ orgId: 'o', orgName: 'O', groupId: 'p', groupName: 'P', clusterUniqueId: fixture.clusterId },
        ...{ clusterName: 'source', snapshotMs: 1, labels: [], customData: [] },
      },
      signal: new AbortController().signal,
      report: () => undefined,
    });
  } finally {
    await transcoder.close();
  }
  return await exportedObjects(store, prefix);
}

async function rawDocuments(db: string, collection: string): Promise<Buffer[]> {
  const found = await source().client.db(db).collection(collection).find({}, { raw: true }).toArray();
  return found.map((one) => Buffer.from(one as unknown as Buffer));
}

/** Everything of the collection, as bytes. */
async function assertExported(objects: ReadonlyMap<string, Buffer>, db: string, collection: string): Promise<number> {
  const expected = (await rawDocuments(db, collection)).map((one) => withLossesOfJson(one).toString('hex')).toSorted();
  const lines = exportedLines(objects, db, collection);
  assert.deepEqual(lines.map((line) => readExtendedJson(line).toString('hex')).toSorted(), expected, collection);
  return expected.length;
}

const metadataOf = (objects: ReadonlyMap<string, Buffer>, path: string): Document =>
  BSON.EJSON.parse((objects.get(`${path}/metadata.json`) as Buffer).toString(), { relaxed: true }) as Document;

test('every type of value and of _id, at random, and time series, after a first and after an incremental snapshot', async () => {
  const { client } = source();
  const wire = await WireConnection.open((await source().primary()).port);
  const insert = async (collection: string, documents: Buffer[]) =>
    await wire.command({ insert: collection, $db: 'app' }, [{ field: 'documents', documents }]);
  const random = new SeededRandom(11);
  const fill = async (round: number) => {
    const values = ODD_VALUES.map((value, index) =>
      documentOf([
        element('_id', rawValue(`${round} ${index}`)),
        ...['v', 'v', '', '$set', 'a.b', '__proto__'].map((name) => element(name, value)),
      ]),
    );
    await insert('values', values);
    for (const [index, id] of ODD_IDS.entries())
      await insert(`ids ${round} ${index}`, [documentOf([element('_id', id)])]);
    const many = Array.from({ length: 800 }, (_, n) =>
      documentOf([element('_id', rawValue(round * 1000 + n)), ...randomElements(random)]),
    );
    await insert('random', many);
    const measurements = Array.from({ length: 1500 }, (_, n) => ({
      ...{ at: new Date(1_786_000_000_000 + round * 5_000_000 + n * 500), who: { n: n % 2 } },
      ...{ value: n / 10, text: `t${n % 5}`, list: [n, { n }] },
    }));
    await client.db('app').collection('series').insertMany(measurements);
  };
  await client.db('app').createCollection('series', { timeseries: { timeField: 'at', metaField: 'who' } });
  await client.db('app').collection('series').createIndex({ who: 1, at: -1 });
  await client.db('app').createCollection('a view', { viewOn: 'values', pipeline: [] });
  await client.db('app').createCollection('empty', { capped: true, size: 4096 });
  await client.db('app').collection<{ _id: string; value: number }>('system.js').insertOne({ _id: 'f', value: 1 });
  await fill(1);
  const fixture = await SnapshotFixture.create(source().uri, { blobBytes: 30_000 });
  await exportOf(fixture);
  await fill(2);
  await client
    .db('app')
    .collection('random')
    .deleteMany({ _id: { $gte: 1000, $lt: 1400 } } as Document);
  const objects = await exportOf(fixture);
  wire.close();

  const listed = await client.db('app').listCollections({}, { nameOnly: true }).toArray();
  const names = listed.filter(
    ({ name, type }) => type !== 'view' && !(name.startsWith('system.') && name !== 'system.js'),
  );
  let compared = 0;
  for (const { name } of names) compared += await assertExported(objects, 'app', name);
  assert.ok(compared > 4000, `${compared} documents`);
  const folders = [...objects.keys()].filter((name) => name.endsWith('/metadata.json'));
  assert.equal(folders.length, names.length, 'nothing else is exported');
  assert.ok([...objects.keys()].filter((name) => name.startsWith('app/random/source.')).length > 2, 'several files');

  const capped = metadataOf(objects, 'app/empty');
  assert.deepEqual([capped.options, capped.type], [{ capped: true, size: 4096 }, undefined]);
  assert.match(capped.uuid, /^[0-9a-f]{32}$/);
  const series = metadataOf(objects, 'app/series');
  assert.deepEqual([series.type, series.options.timeseries.metaField, series.uuid], ['timeseries', 'who', undefined]);
  assert.deepEqual(
    series.indexes.map(({ key }: Document) => key),
    [{ who: 1, at: -1 }],
  );
});
