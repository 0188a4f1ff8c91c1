import { Decimal128, type Document, Double, Long, MaxKey, MinKey, ObjectId } from 'mongodb';
import type { ShardedCluster } from './sharded-cluster.ts';

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
export const routedCollections: {
  name: string;
  key: Document;
  moved: [Document, Document][];
  documents: Document[];
}[] = [
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

export async function fillRouted(cluster: ShardedCluster): Promise<void> {
  await cluster.createDatabase('shop', 0);
  for (const { name, key, moved, documents } of routedCollections) {
    await cluster.shardCollection('shop', name, key);
    for (const [min, max] of moved) await cluster.moveRange('shop', name, 1, min, max);
    for (const { set } of cluster.shards)
      await set.client
        .db('shop')
        .collection(name)
        .insertMany(
          documents.map((document, n) => ({ _id: n as never, ...document })),
          { ignoreUndefined: true },
        );
  }
  // Not sharded: its database's primary shard's, whatever lies elsewhere under the name.
  for (const { set } of cluster.shards)
    await set.client
      .db('shop')
      .collection('plain')
      .insertMany([{ _id: 1 as never }, { _id: 2 as never }]);
}
