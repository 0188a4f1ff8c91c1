import { findId, forEachDocument, idBytes } from '../../bson/raw-bson.ts';
import { assert, must } from '../../lib/assert.ts';
import type { CollectionEntry, LayerRef } from '../format/manifest.ts';
import type { LayerWriter } from '../layers/layer-writer.ts';
import { type MergedRun, mergeLayers } from '../layers/layers.ts';
import type { ReadOptions } from '../reader.ts';
import type { Repository } from '../repository.ts';
import type { SnapshotWriter } from '../writer.ts';
import type { CompactionPlan } from './compaction-plan.ts';

export { type CompactionPlan, planCompaction } from './compaction-plan.ts';

/** Little, because the writer holds blobs too. */
const PREFETCH = 1;
/** A merge that holds as many ids as a plan allows needs this much; beyond it, long ids cost more passes. */
const ID_BUDGET_BYTES = 200 << 20;

/**
 * Carries out a plan and returns the collection's new layers. Reads the repository only. The content stays what it was:
 * `compaction.test.ts` holds it to that. Blobs that nothing newer touched are named again and not written again, unless
 * they are too small to be worth an object.
 */
export async function compactLayers(
  repository: Repository,
  writer: SnapshotWriter,
  entry: CollectionEntry,
  plan: CompactionPlan,
  options: ReadOptions = {},
): Promise<LayerRef[]> {
  const { layers } = entry;
  assert(plan.layers >= 2 && plan.layers <= layers.length, 'a plan merges at least two layers that are there');
  assert(plan.into === 'delta' || plan.layers === layers.length, 'a base holds everything');
  const merged = layers.slice(0, plan.layers);
  const into = writer.openLayer({ kind: plan.into, reuse: merged });
  try {
    const deletions = plan.into === 'delta';
    const mergeOptions = { ...options, deletions, prefetch: PREFETCH, idBudgetBytes: ID_BUDGET_BYTES };
    for await (const run of mergeLayers(repository, writer.clusterId, merged, mergeOptions)) {
      if (run.kind === 5) await addDeletions(into, run.buffer);
      else await addDocuments(repository, into, run);
    }
    const layer = await into.close();
    const rest = layers.slice(plan.layers);
    return layer.documents > 0 || layer.deleted > 0 ? [layer, ...rest] : rest;
  } catch (error) {
    into.abandon();
    throw error;
  }
}

async function addDocuments(repository: Repository, into: LayerWriter, run: MergedRun): Promise<void> {
  const { minBytes } = repository.chunker;
  if (run.whole === null || run.whole.plainBytes < minBytes) return await into.add(run.buffer);
  if (into.openBytes >= minBytes) await into.cut();
  if (into.openBytes === 0) await into.addBlob(run.whole, run.buffer);
  else await into.add(run.buffer);
}

async function addDeletions(into: LayerWriter, deletions: Buffer): Promise<void> {
  const ids: Buffer[] = [];
  forEachDocument(deletions, (offset) => {
    ids.push(idBytes(deletions, must(findId(deletions, offset), 'a deletion has an id')));
  });
  for (const id of ids) await into.addDeleted(id);
}
