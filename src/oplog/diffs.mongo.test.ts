import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, type Document, Double, Int32, Long } from 'mongodb';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { findElement } from '../bson/raw-bson.ts';
import { systemRandom } from '../lib/random.ts';
import { changedDocument } from './diffs.ts';
import { readOplogEntry } from './entry.ts';

const source = useReplicaSet();
const NAMES = ['a', 'b', 'c', 'd', '10', '2', 'x y', 'é'];

function scalar(random: SeededRandom): unknown {
  return random.pick([
    () => new Int32(random.below(5)),
    () => new Double(random.below(5)),
    () => Long.fromNumber(random.below(5)),
    () => `text ${random.below(5)}`,
    () => null,
    () => new BSON.Decimal128('1.50'),
    () => new BSON.Binary(Buffer.alloc(random.below(4), 1)),
    () => new Date(random.below(5)),
    () => new BSON.ObjectId(Buffer.alloc(12, random.below(4))),
    () => true,
  ])();
}

function value(random: SeededRandom, depth: number): unknown {
  if (depth === 0 || random.oneIn(2)) return scalar(random);
  return random.oneIn(2)
    ? document(random, depth - 1)
    : Array.from({ length: random.below(5) }, () => value(random, depth - 1));
}

function document(random: SeededRandom, depth: number): Document {
  const made: Document = {};
  for (let i = random.below(5); i > 0; i--) made[random.pick(NAMES)] = value(random, depth);
  return made;
}

function path(random: SeededRandom): string {
  return Array.from({ length: random.below(3) + 1 }, () => random.pick([...NAMES, '0', '1', '3'])).join('.');
}

/** Operators and pipelines: the server logs the changes of both as diffs, with parts of every kind. */
function update(random: SeededRandom): Document | Document[] {
  return random.pick<() => Document | Document[]>([
    () => ({ $set: { [path(random)]: value(random, 2) } }),
    () => ({ $unset: { [path(random)]: 1 } }),
    () => ({ $push: { [path(random)]: { $each: [value(random, 1), scalar(random)], $slice: -3 } } }),
    () => ({ $pop: { [path(random)]: random.pick([1, -1]) } }),
    () => ({ $inc: { [path(random)]: new Double(1.5) } }),
    () => ({ $rename: { [random.pick(NAMES)]: random.pick(NAMES) } }),
    () => ({ $set: { a: value(random, 2), z: scalar(random) }, $unset: { b: 1 } }),
    () => [{ $set: { [random.pick(NAMES)]: { $literal: value(random, 2) } } }, { $unset: [random.pick(NAMES)] }],
    () => [{ $replaceWith: { $mergeObjects: ['$$ROOT', { $literal: document(random, 2) }] } }],
    () => [{ $replaceWith: { $mergeObjects: [{ $literal: document(random, 2) }, { _id: '$_id' }] } }],
  ])();
}

test('what diffs make of documents is what the server makes of them, byte for byte', async (t) => {
  const seed = Number(process.env.SEED ?? systemRandom.bytes(4).readUInt32LE(0));
  const random = new SeededRandom(seed);
  const db = source().client.db('diffs');
  const docs = db.collection<{ _id: number }>('docs');
  const read = async (): Promise<Map<number, Buffer>> => {
    const found = (await docs.find({}, { raw: true }).toArray()) as unknown as Uint8Array[];
    return new Map(found.map((raw) => [BSON.deserialize(raw)._id as number, Buffer.from(raw)]));
  };
  await docs.insertMany(Array.from({ length: 40 }, (_, _id) => ({ ...document(random, 3), _id })));
  let mirror = await read();
  let diffs = 0;
  for (let round = 0; round < 12; round++) {
    const newest = (
      await db.client
        .db('local')
        .collection('oplog.rs')
        .findOne({}, { sort: { $natural: -1 } })
    )?.ts;
    const updates = Array.from(mirror.keys(), (_id) => ({ q: { _id }, u: update(random) }));
    await db.command({ update: 'docs', updates, ordered: false });
    const entries = (await db.client
      .db('local')
      .collection('oplog.rs')
      .find({ ts: { $gt: newest }, ns: 'diffs.docs', op: 'u' }, { raw: true })
      .toArray()) as unknown as Uint8Array[];
    for (const raw of entries) {
      const buffer = Buffer.from(raw);
      const entry = readOplogEntry(buffer, 0);
      assert.ok(entry.o !== null && entry.o2 !== null);
      const id = BSON.deserialize(buffer.subarray(entry.o2.start, entry.o2.end))._id as number;
      const before = mirror.get(id);
      assert.ok(before !== undefined);
      if (findElement(buffer, entry.o.start, 'diff') !== null) diffs++;
      mirror.set(id, changedDocument(before, buffer, entry.o));
    }
    const actual = await read();
    for (const [id, bytes] of actual) {
      assert.ok(
        mirror.get(id)?.equals(bytes),
        `seed ${seed}, document ${id}: ${JSON.stringify(BSON.EJSON.serialize(BSON.deserialize(mirror.get(id) as Buffer)))} instead of ${JSON.stringify(BSON.EJSON.serialize(BSON.deserialize(bytes)))}`,
      );
    }
    mirror = actual;
  }
  t.diagnostic(`seed ${seed}: ${diffs} diffs`);
  assert.ok(diffs > 80, `${diffs} diffs`);
});
