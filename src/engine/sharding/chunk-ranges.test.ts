import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BSON, Double, Int32, Long } from 'mongodb';
import { compareKeys, elementsOf } from '../../bson/bson-order.ts';
import { type ChunkBounds, ChunkRuns, KeyRanges } from './chunk-ranges.ts';

const raw = (k: unknown): Buffer => Buffer.from(BSON.serialize({ k }));
const numbers = [(n: number) => new Int32(n), (n: number) => new Double(n), (n: number) => Long.fromNumber(n)];
/** A number of any type: what is equal has its place, whatever bytes it is. */
const bound = (n: number) => raw((numbers[n % numbers.length] as (n: number) => unknown)(n));
const chunkOf = (n: number, shard: string): ChunkBounds => ({ min: bound(n), max: bound(n + 1), shard });
const runOf = (chunks: Iterable<ChunkBounds>) => {
  const runs = new ChunkRuns();
  for (const chunk of chunks) runs.add(chunk);
  return [...runs.sorted()];
};
const shown = (chunks: readonly ChunkBounds[]) =>
  chunks.map(({ min, max, shard }) => [min.toString('hex'), max.toString('hex'), shard]);

test('chunks come out in the order of their bounds, whatever order they came in, and none is lost', () => {
  // More than two runs, and the last one not full.
  const all = Array.from({ length: 20_000 }, (_, n) => chunkOf(n, `s${n % 3}`));
  for (const seed of [1, 2, 3]) {
    const shuffled = all
      .map((chunk, n) => ({ chunk, at: Math.imul(n + seed, 0x9e3779b1) >>> 0 }))
      .sort((a, b) => a.at - b.at)
      .map(({ chunk }) => chunk);
    assert.deepEqual(shown(runOf(shuffled)), shown(all), `seed ${seed}`);
  }
  assert.deepEqual(runOf([]), []);
});

test('a range’s owner is that of the last chunk that begins at or before a key, however many are one range', () => {
  const owners = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(owners, fc.array(fc.integer({ min: 0, max: 80 }), { maxLength: 20 }), (shards, keys) => {
      const ranges = new KeyRanges(runOf(shards.map((shard, n) => chunkOf(n, shard))));
      assert.deepEqual([...ranges.owners].sort(), [...new Set(shards)].sort());
      for (const key of keys) {
        const expected = shards[Math.min(key, shards.length - 1)];
        assert.equal(ranges.ownerOf(elementsOf(bound(key), 0)), expected);
      }
    }),
  );
});

test('more ranges than are held as values are searched by their bytes, to the same end', () => {
  const ranges = new KeyRanges(runOf(Array.from({ length: 12_000 }, (_, n) => chunkOf(n, `s${n % 2}`))));
  for (const n of [0, 1, 5_999, 6_000, 11_998, 11_999, 20_000])
    assert.equal(ranges.ownerOf(elementsOf(bound(n), 0)), `s${Math.min(n, 11_999) % 2}`);
});

test('bounds are compared as servers do', () => {
  assert.ok(compareKeys(elementsOf(raw(new Int32(5)), 0), elementsOf(raw(new Double(5)), 0)) === 0);
});
