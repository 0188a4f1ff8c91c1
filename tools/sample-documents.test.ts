import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calculateObjectSize, serialize } from 'bson';
import { SampleDocuments, sampleCollections, shareOfBytes } from './sample-documents.ts';

test('the same seed gives the same documents, another seed others', () => {
  const first = (seed: number) => {
    const documents = new SampleDocuments(seed);
    return Buffer.concat(sampleCollections.map((collection) => serialize(documents.next(collection))));
  };
  assert.deepEqual(first(7), first(7));
  assert.notDeepEqual(first(7), first(8));
});

test('ids never repeat and documents have the sizes that the bench promises', () => {
  const documents = new SampleDocuments(1);
  const ids = new Set<string>();
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let count = 0; count < 4000; count++) {
    const document = documents.next(sampleCollections[count % sampleCollections.length] ?? 'orders');
    ids.add(String(document._id));
    const size = calculateObjectSize(document);
    least = Math.min(least, size);
    most = Math.max(most, size);
  }
  assert.equal(ids.size, 4000);
  assert.ok(least >= 200 && least < 400, `${least}`);
  assert.ok(most > 15_000 && most <= 20_000, `${most}`);
});

test('the shares make a whole', () => {
  assert.equal(
    Object.values(shareOfBytes).reduce((sum, share) => sum + share, 0),
    1,
  );
});
