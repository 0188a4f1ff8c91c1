import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { BSON, Decimal128, type Document, Double, Long, MaxKey, MinKey, ObjectId } from 'mongodb';
import { parseArchive } from '../../../test/support/archive-parser.ts';
import { collect } from '../../../test/support/collect.ts';
import { bucket, completed, prefix } from '../../../test/support/export-fixture.ts';
import { documentsOfLines, exportedLines, exportedObjects } from '../../../test/support/exported.ts';
import { useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { ShardedFixture } from '../../../test/support/sharded-fixture.ts';
import { silentLogger } from '../../lib/logger.ts';
import { prepareDownload, readDownload } from '../archive/download.ts';
import { exportSnapshot } from './export-snapshot.ts';
import { InlineTranscoder } from './transcoding.ts';

const cluster = useShardedCluster({ setParameters: { orphanCleanupDelaySecs: 3600 } });
const { signal } = new AbortController();

const KEYS: unknown[] = [
  ...[
    undefined,
    null,
    -5,
    4,
    new Double(4.999),
    Decimal128.fromString('4.99999999999999999'),
    5,
    new Double(5),
    new Long(5),
  ],
  ...[
    Decimal128.fromString('5.000'),
    Decimal128.fromString('5.00000000000000001'),
    6,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e300,
  ],
  ...[
    '',
    'l',
    'm',
    'm\0',
    'z',
    {},
    { a: 1 },
    { a: [1] },
    Buffer.from('x'),
    new ObjectId('01'.repeat(12)),
    new ObjectId('0f'.repeat(12)),
  ],
  ...[true, false, new Date(0), new MinKey(), new MaxKey()],
];

/**
 * Where which part of a sharded collection lies, and what its documents are: all of them are put on both shards, so
 * that on each those of the other are orphans.
 */
const COLLECTIONS: { name: string; key: Document; moved: [Document, Document][]; documents: Document[] }[] = [
  {
    name: 'ranged',
    key: { k: 1 },
    moved: [
      [{ k: 5 }, { k: 'm' }],
      [{ k: new ObjectId('0a'.repeat(12)) }, { k: new MaxKey() }],
    ],
    // No server takes a document whose whole key is the greatest there is.
    documents: KEYS.slice(0, -1).map((k) => (k === undefined ? {} : { k })),
  },
  {
    name: 'compound',
    key: { a: 1, b: 1 },
    moved: [
      [
        { a: new MinKey(), b: new MinKey() },
        { a: 3, b: 'n' },
      ],
      [
        { a: 4, b: 2 },
        { a: 4, b: new MaxKey() },
      ],
    ],
    documents: [1, 3, 4, 5].flatMap((a) => [{ a }, ...KEYS.slice(1).map((b) => ({ b, a }))]),
  },
  { name: 'hashed', key: { h: 'hashed' }, moved: [], documents: [{}, ...KEYS.slice(1).map((h) => ({ h }))] },
  {
    name: 'mixed',
    key: { a: 1, h: 'hashed' },
    moved: [
      [
        { a: 2, h: new Long(0) },
        { a: 3, h: new MinKey() },
      ],
    ],
    documents: [1, 2, 3].flatMap((a) => KEYS.slice(1).map((h) => ({ h, a }))),
  },
  {
    name: 'dotted',
    key: { 'x.y': 1 },
    moved: [[{ 'x.y': 0 }, { 'x.y': new MaxKey() }]],
    documents: [
      {},
      { x: 1 },
      { x: {} },
      { x: { y: null } },
      { x: { y: -1 } },
      { x: { y: 0 } },
      { x: { y: 'text', z: [1] } },
    ],
  },
];

async function fill(): Promise<void> {
  await cluster().createDatabase('shop', 0);
  for (const { name, key, moved, documents } of COLLECTIONS) {
    await cluster().shardCollection('shop', name, key);
    for (const [min, max] of moved) await cluster().moveRange('shop', name, 1, min, max);
    for (const { set } of cluster().shards)
      await set.client
        .db('shop')
        .collection(name)
        .insertMany(
          documents.map((document, n) => ({ _id: n as never, ...document })),
          { ignoreUndefined: true },
        );
  }
  // Not sharded: its database's primary shard's, whatever lies elsewhere under the name.
  for (const { set } of cluster().shards)
    await set.client
      .db('shop')
      .collection('plain')
      .insertMany([{ _id: 1 as never }, { _id: 2 as never }]);
}

const textOf = (document: Document) => BSON.EJSON.stringify(document, { relaxed: false });
/** With types as they are, not as the driver likes to have them. */
const asStored = (documents: readonly Document[], n: number) =>
  BSON.deserialize(BSON.serialize({ _id: n, ...documents[n] }), { promoteValues: false });
const idsOf = (documents: readonly Document[]) => documents.map((one) => Number(one._id)).toSorted((a, b) => a - b);

test('exports and downloads of a sharded cluster hold what its shards own, each document once, and no orphan', async () => {
  await fill();
  const fixture = await ShardedFixture.create(cluster());
  const { header } = await fixture.take();
  const { repository, clusterId } = fixture;
  const place = { repository, clusterId, snapshotId: header.snapshotId, signal };

  const store = bucket();
  const exported = await exportSnapshot({
    ...{ ...place, store, prefix, resumed: false, completed, transcoder: new InlineTranscoder(), log: silentLogger },
    report: () => undefined,
  });
  const objects = await exportedObjects(store, prefix);
  const archives = new Map<string, ReturnType<typeof parseArchive>>();
  for (const { replicaSetName, isShard, bytes, writer } of await prepareDownload({
    ...place,
    report: () => undefined,
  })) {
    assert.equal(isShard, true);
    const file = Buffer.concat(await collect(readDownload({ ...place, replicaSetName, writer })));
    assert.equal(file.length, bytes);
    archives.set(replicaSetName, parseArchive(gunzipSync(file)));
  }
  assert.deepEqual(
    [...archives.keys()],
    cluster().shards.map(({ set }) => set.name),
  );

  let documentsOfAll = 0;
  for (const { name, documents } of COLLECTIONS) {
    const routed = await cluster().findRouted('shop', name);
    let [both, orphans] = [0, 0];
    const met: Document[] = [];
    for (const { id, set } of cluster().shards) {
      const seen = idsOf(routed.get(id) ?? []);
      const ofShard = new Map([...objects].filter(([key]) => key.includes(`/${set.name}.`)));
      const fromFiles = documentsOfLines(exportedLines(ofShard, 'shop', name)).map((raw) =>
        BSON.deserialize(raw, { promoteValues: false }),
      );
      assert.deepEqual(idsOf(fromFiles), seen, `${name} of ${id}`);
      for (const one of fromFiles) assert.equal(textOf(one), textOf(asStored(documents, Number(one._id))));
      const raws = archives.get(set.name)?.collections.get(`shop.${name}`)?.documents ?? [];
      assert.deepEqual(idsOf(raws.map((raw) => BSON.deserialize(raw))), idsOf(fromFiles), `${name} of ${id}`);
      met.push(...fromFiles);
      if (seen.length > 0) both++;
      orphans += documents.length - seen.length;
    }
    assert.equal(both, 2, `${name} lies on both shards`);
    assert.equal(orphans, documents.length, `half of what both shards hold of ${name} are orphans`);
    assert.deepEqual(
      idsOf(met),
      documents.map((_, n) => n),
      `every document of ${name} is there once`,
    );
    documentsOfAll += documents.length;
  }
  assert.deepEqual([...objects.keys()].filter((key) => key.includes('/plain/')).toSorted(), [
    'shop/plain/metadata.json',
    `shop/plain/${cluster().shard(0).set.name}.0.json.gz`,
  ]);
  assert.equal(archives.get(cluster().shard(1).set.name)?.collections.get('shop.plain')?.documents.length, 0);
  assert.equal(exported.documents, documentsOfAll + 2);
});
