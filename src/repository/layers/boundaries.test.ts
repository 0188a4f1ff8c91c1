import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { documentOf, MalformedBson } from '../../bson/raw-bson.ts';
import { type Chunker, isBoundary, nextRun } from './boundaries.ts';

const chunker: Chunker = { minBytes: 200, targetBytes: 800, maxBytes: 1600, seed: 7 };

function documentOfSize(id: number, padding: number): Buffer {
  const value = Buffer.alloc(4);
  value.writeInt32LE(id);
  return documentOf([
    { name: '_id', type: 0x10, value },
    { name: 'p', type: 0x05, value: Buffer.concat([lengthOf(padding), Buffer.from([0]), Buffer.alloc(padding)]) },
  ]);
}

function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32LE(bytes);
  return length;
}

/** The blobs into which documents are cut when they arrive in buffers of the given numbers of documents. */
function blobsOf(documents: readonly Buffer[], batch: number): string[] {
  const blobs: string[] = [];
  let pieces: Buffer[] = [];
  let bytes = 0;
  for (let from = 0; from < documents.length; from += batch) {
    const buffer = Buffer.concat(documents.slice(from, from + batch));
    for (let at = 0; at < buffer.length; ) {
      const run = nextRun(chunker, buffer, at, bytes);
      pieces.push(buffer.subarray(at, run.end));
      bytes += run.end - at;
      at = run.end;
      if (!run.cut) continue;
      blobs.push(Buffer.concat(pieces).toString('latin1'));
      pieces = [];
      bytes = 0;
    }
  }
  if (bytes > 0) blobs.push(Buffer.concat(pieces).toString('latin1'));
  return blobs;
}

const documents = fc
  .array(fc.nat({ max: 120 }), { minLength: 1, maxLength: 200 })
  .map((paddings) => paddings.map((padding, id) => documentOfSize(id, padding)));

test('the blobs are the documents in order, and how they arrive makes no difference', () => {
  fc.assert(
    fc.property(documents, fc.integer({ min: 1, max: 50 }), (all, batch) => {
      const blobs = blobsOf(all, batch);
      assert.equal(blobs.join(''), Buffer.concat(all).toString('latin1'));
      assert.deepEqual(blobs, blobsOf(all, 1));
    }),
  );
});

test('a blob is at least the minimum, unless it is the last, and at most the maximum', () => {
  fc.assert(
    fc.property(documents, (all) => {
      const blobs = blobsOf(all, 10);
      for (const [index, blob] of blobs.entries()) {
        assert.ok(blob.length <= chunker.maxBytes);
        if (index < blobs.length - 1) assert.ok(blob.length >= chunker.minBytes);
      }
    }),
  );
});

test('a document larger than the maximum is a blob by itself', () => {
  const [small, big] = [documentOfSize(1, 10), documentOfSize(2, 5000)];
  const blobs = blobsOf([small, big, small], 3);
  assert.deepEqual(
    blobs.map((blob) => blob.length),
    [small.length, big.length, small.length],
  );
});

test('adding or removing a document changes only blobs near it', () => {
  const all = Array.from({ length: 3000 }, (_, id) => documentOfSize(id, (id * 31) % 120));
  const before = new Set(blobsOf(all, 100));
  for (const changed of [all.toSpliced(1500, 1), all.toSpliced(1500, 0, documentOfSize(9999, 50))]) {
    const added = blobsOf(changed, 100).filter((blob) => !before.has(blob));
    assert.ok(added.length <= 3, `${added.length} of ${before.size} blobs changed`);
  }
});

test('blobs are about the target long, whatever the size of the documents', () => {
  for (const padding of [0, 50, 400]) {
    const all = Array.from({ length: Math.ceil(800_000 / (padding + 25)) }, (_, id) => documentOfSize(id, padding));
    const mean = all.reduce((sum, document) => sum + document.length, 0) / blobsOf(all, 1000).length;
    assert.ok(mean > 0.6 * chunker.targetBytes && mean < 1.4 * chunker.targetBytes, `mean ${mean} at ${padding}`);
  }
});

test('a document without an id is no boundary; one that is cut off is refused', () => {
  const nameless = documentOf([{ name: 'a', type: 0x0a, value: Buffer.alloc(0) }]);
  assert.equal(isBoundary({ ...chunker, targetBytes: 1 }, nameless, 0, nameless.length), false);
  const whole = documentOfSize(1, 20);
  for (let length = 1; length < whole.length; length++) {
    assert.throws(() => nextRun(chunker, whole.subarray(0, length), 0, 0), MalformedBson, `cut to ${length}`);
  }
});
