import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, type Document } from 'mongodb';
import { findId, idBytes } from '../../src/bson/raw-bson.ts';
import { compareTruth, isStrayBuckets } from './compare.ts';
import type { CollectionTruth, Truth } from './truth.ts';

function collection(
  documents: readonly Document[],
  more: Partial<CollectionTruth> & { capped?: boolean } = {},
): CollectionTruth {
  const byId = new Map<string, Buffer>();
  for (const document of documents) {
    const raw = Buffer.from(BSON.serialize(document));
    const id = findId(raw, 0);
    assert(id !== null);
    byId.set(idBytes(raw, id).toString('hex'), raw);
  }
  return {
    db: 'app',
    name: 'things',
    type: 'collection',
    uuid: null,
    options: Buffer.from(BSON.serialize({})),
    indexes: new Map([['_id_', Buffer.from(BSON.serialize({ v: 2, key: { _id: 1 }, name: '_id_' }))]]),
    documents: byId,
    order: more.capped ? [...byId.keys()] : null,
    ...more,
  };
}

const truth = (things?: CollectionTruth): Truth => ({
  collections: new Map(things === undefined ? [] : [['app.things', things]]),
  unreadable: new Map(),
});

const one = () => truth(collection([{ _id: 1, a: 1 }, { _id: 2 }]));

const differences: Record<string, [Truth, RegExp]> = {
  'a missing collection': [truth(), /app\.things: is missing \(collection of 2 documents\)/],
  'a missing document': [truth(collection([{ _id: 2 }])), /lacks \{"_id":\{"\$numberInt":"1"\}/],
  'an extra document': [
    truth(collection([{ _id: 1, a: 1 }, { _id: 2 }, { _id: 3 }])),
    /has .*"3".* which should not be/,
  ],
  'a changed value': [truth(collection([{ _id: 1, a: 2 }, { _id: 2 }])), /document .* differs from byte 16 on/],
  'another type of the same number': [
    truth(collection([{ _id: 1, a: new BSON.Double(1) }, { _id: 2 }])),
    /differs from byte/,
  ],
  'other options': [
    truth(collection([{ _id: 1, a: 1 }, { _id: 2 }], { options: Buffer.from(BSON.serialize({ capped: true })) })),
    /options are/,
  ],
  'another type of collection': [
    truth(collection([{ _id: 1, a: 1 }, { _id: 2 }], { type: 'view' })),
    /is a view, should be/,
  ],
  'a lost index': [truth(collection([{ _id: 1, a: 1 }, { _id: 2 }], { indexes: new Map() })), /lacks the index/],
};

for (const [name, [actual, expected]] of Object.entries(differences)) {
  test(`notices ${name}`, () => {
    assert.match(compareTruth(one(), actual).join('\n'), expected);
  });
}

test('says nothing of two that are the same', () => {
  assert.deepEqual(compareTruth(one(), one()), []);
});

test('notices an extra collection and an unreadable one', () => {
  assert.match(compareTruth(truth(), one()).join(), /is there but should not be/);
  const unreadable = one();
  unreadable.unreadable.set('app.things', 'it was renamed');
  assert.match(compareTruth(unreadable, one()).join(), /could not be read: it was renamed/);
});

test('holds capped collections to their order, and lets them lose their front only where told so', () => {
  const all = truth(collection([{ _id: 1 }, { _id: 2 }, { _id: 3 }], { capped: true }));
  const swapped = truth(collection([{ _id: 1 }, { _id: 3 }, { _id: 2 }], { capped: true }));
  const tail = truth(collection([{ _id: 2 }, { _id: 3 }], { capped: true }));
  const head = truth(collection([{ _id: 1 }, { _id: 2 }], { capped: true }));
  assert.match(compareTruth(all, swapped).join(), /natural order differs from place 1/);
  assert.deepEqual(compareTruth(all, swapped, { cappedSlack: 1 }), []);
  assert.match(compareTruth(all, tail).join(), /lacks/);
  assert.deepEqual(compareTruth(all, tail, { cappedMayStartLater: true }), []);
  assert.match(compareTruth(all, head, { cappedMayStartLater: true }).join(), /lacks/);
});

test('beside stray buckets nobody can tell the indexes of the ordinary collection; all else counts', () => {
  const expected = one();
  expected.collections.set('app.system.buckets.things', collection([], { name: 'system.buckets.things' }));
  const options = { skip: (namespace: string) => isStrayBuckets(namespace, expected) };
  const withoutIndexes = collection([{ _id: 1, a: 1 }, { _id: 2 }], { indexes: new Map() });
  assert.deepEqual(compareTruth(expected, truth(withoutIndexes), options), []);
  assert.equal(compareTruth(expected, truth(collection([{ _id: 1, a: 1 }])), options).length, 1);
  assert.equal(compareTruth(one(), truth(withoutIndexes), options).length, 1);
});
