import { assert } from '../../lib/assert.ts';
import type { LayerRef } from '../format/manifest.ts';

export interface CompactionLimits {
  /** More deltas than this are merged. */
  deltasMax: number;
  /** Deltas that weigh more than this share of the base are merged into it. */
  baseShare: number;
  /**
   * Ids that one merge holds in memory. Deltas of more are left as they are; a re-scan of the collection replaces them.
   */
  idsMax: number;
}

export const defaultCompactionLimits: CompactionLimits = { deltasMax: 8, baseShare: 0.5, idsMax: 4_000_000 };

/** The newest `layers` layers become one. */
export interface CompactionPlan {
  layers: number;
  into: 'base' | 'delta';
}

/** What a deletion and a layer cost beside documents, roughly. */
const DELETION_BYTES = 32;
const LAYER_BYTES = 4096;

/**
 * What to merge now, or null. Newest first, as a manifest has the layers.
 *
 * Deltas pile up to `deltasMax`; then the newest are merged, as many as it takes for the result to stay smaller than
 * the delta below it, so that a change is rewritten about as often as the logarithm of the changes that follow it. When
 * all deltas together pass `baseShare` of the base, everything becomes the base: what that writes is at most `1 + 1 /
 * baseShare` times what changed since the last time.
 */
export function planCompaction(
  layers: readonly LayerRef[],
  limits: CompactionLimits = defaultCompactionLimits,
): CompactionPlan | null {
  assert(limits.deltasMax >= 1 && limits.baseShare > 0, 'limits leave room for a delta');
  const base = layers.at(-1);
  if (base === undefined || layers.some((layer) => layer.ordered)) return null;
  const deltas = layers.slice(0, -1);
  if (deltas.length === 0) return null;
  const outgrown = sum(deltas.map(weightOf)) > limits.baseShare * weightOf(base);
  if (outgrown && idsOf(deltas) <= limits.idsMax) return { layers: layers.length, into: 'base' };
  if (deltas.length <= limits.deltasMax) return null;
  return planDeltas(deltas, limits);
}

/** What share of its base a collection's deltas weigh: past 1, a re-scan is cheaper than going on. */
export function deltaShare(layers: readonly LayerRef[]): number {
  const base = layers.at(-1);
  return base === undefined ? 0 : sum(layers.slice(0, -1).map(weightOf)) / weightOf(base);
}

function planDeltas(deltas: readonly LayerRef[], { idsMax }: CompactionLimits): CompactionPlan | null {
  let merged = weightOf(deltas[0] as LayerRef);
  for (let count = 2; count <= deltas.length; count++) {
    // The ids of the oldest layer merged are only looked up, not held.
    if (idsOf(deltas.slice(0, count - 1)) > idsMax) return count > 2 ? { layers: count - 1, into: 'delta' } : null;
    merged += weightOf(deltas[count - 1] as LayerRef);
    const below = deltas[count];
    if (below === undefined || merged < weightOf(below)) return { layers: count, into: 'delta' };
  }
  return null;
}

function weightOf(layer: LayerRef): number {
  return LAYER_BYTES + layer.bytes + DELETION_BYTES * layer.deleted;
}

function idsOf(layers: readonly LayerRef[]): number {
  return sum(layers.map((layer) => layer.documents + layer.deleted));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
