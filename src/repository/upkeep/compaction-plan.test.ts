import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LayerRef } from '../format/manifest.ts';
import { type CompactionLimits, defaultCompactionLimits, deltaShare, planCompaction } from './compaction-plan.ts';

function layerOf(kind: 'base' | 'delta', bytes: number, documents = Math.ceil(bytes / 1000)): LayerRef {
  const takenIn = 'a'.repeat(24);
  return {
    kind,
    takenIn,
    documents,
    deleted: 0,
    bytes,
    storedBytes: bytes,
    ordered: false,
    documentLists: [],
    deletedLists: [],
  };
}

/**
 * Carries out a plan as badly as it can go: nothing is re-used, no two layers hold the same document, and all of the
 * base is rewritten.
 */
function compacted(layers: LayerRef[], limits?: CompactionLimits): { layers: LayerRef[]; written: number } {
  const plan = planCompaction(layers, limits);
  if (plan === null) return { layers, written: 0 };
  const merged = layers.slice(0, plan.layers);
  const written = merged.reduce((sum, layer) => sum + layer.bytes, 0);
  const documents = merged.reduce((sum, layer) => sum + layer.documents, 0);
  return { layers: [layerOf(plan.into, written, documents), ...layers.slice(plan.layers)], written };
}

function simulate(
  baseBytes: number,
  changes: Iterable<number>,
): { changed: number; written: number; layersMax: number } {
  let layers = [layerOf('base', baseBytes)];
  let [changed, written, layersMax] = [0, 0, 0];
  for (const change of changes) {
    const after = compacted([layerOf('delta', change), ...layers]);
    changed += change;
    written += after.written;
    layers = after.layers;
    layersMax = Math.max(layersMax, layers.length);
  }
  return { changed, written, layersMax };
}

const thousand = (change: (n: number) => number): number[] => Array.from({ length: 1000 }, (_, n) => change(n));

test('a thousand incremental snapshots rewrite a small multiple of what changed', () => {
  const megabyte = 1e6;
  for (const [name, base, changes] of [
    ['1 % each time', 100 * megabyte, thousand(() => megabyte)],
    ['0.01 % each time', 10_000 * megabyte, thousand(() => megabyte)],
    ['10 % each time', 10 * megabyte, thousand(() => megabyte)],
    ['now little, now much', 1000 * megabyte, thousand((n) => (n % 50 === 0 ? 40 : 0.2) * megabyte)],
    ['from nothing', 0, thousand(() => megabyte)],
    ['tiny', 1000, thousand(() => 500)],
  ] as const) {
    const { changed, written, layersMax } = simulate(base, changes);
    assert.ok(layersMax <= defaultCompactionLimits.deltasMax + 1, `${name}: ${layersMax} layers`);
    // Without overlap the base grows and grows, so this is the worst there is.
    assert.ok(written <= (name === 'tiny' ? 12 : 6) * changed, `${name}: ${written / changed} times the change`);
  }
});

test('any plan merges neighbors from the newest on, keeps the bound, and never touches what is in order', () => {
  const layers = fc.array(fc.nat({ max: 1e7 }), { maxLength: 30 });
  fc.assert(
    fc.property(layers, fc.nat({ max: 1e8 }), fc.boolean(), (deltas, baseBytes, ordered) => {
      const base = { ...layerOf('base', baseBytes), ordered };
      const plan = planCompaction([...deltas.map((bytes) => layerOf('delta', bytes)), base]);
      if (ordered || deltas.length === 0) return assert.equal(plan, null);
      if (plan === null) return assert.ok(deltas.length <= defaultCompactionLimits.deltasMax);
      assert.ok(plan.layers >= 2 && plan.layers <= deltas.length + 1);
      assert.equal(plan.into === 'base', plan.layers === deltas.length + 1);
      assert.ok(plan.into === 'base' || deltas.length > defaultCompactionLimits.deltasMax);
    }),
  );
});

test('ids beyond the bound are not merged', () => {
  const limits = { deltasMax: 2, baseShare: 0.5, idsMax: 100 };
  const huge = layerOf('delta', 1e6, 1000);
  const small = layerOf('delta', 1000, 10);
  assert.equal(planCompaction([huge, huge, huge, layerOf('base', 1e6)], limits), null);
  assert.deepEqual(planCompaction([small, small, huge, huge, layerOf('base', 1e9)], limits), {
    layers: 2,
    into: 'delta',
  });
});

test('the share of the deltas is what the engine weighs a re-scan by', () => {
  assert.equal(deltaShare([]), 0);
  assert.equal(deltaShare([layerOf('base', 1e6)]), 0);
  const share = deltaShare([layerOf('delta', 1e6), layerOf('delta', 1e6), layerOf('base', 4e6)]);
  assert.ok(share > 0.49 && share < 0.51);
});

test('no layers, one layer, or little change need nothing', () => {
  assert.equal(planCompaction([]), null);
  assert.equal(planCompaction([layerOf('base', 1e6)]), null);
  assert.equal(planCompaction([layerOf('delta', 1e4), layerOf('base', 1e6)]), null);
  assert.deepEqual(planCompaction([layerOf('delta', 9e5), layerOf('base', 1e6)]), { layers: 2, into: 'base' });
});
