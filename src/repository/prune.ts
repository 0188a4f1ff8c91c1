import { throwIfAborted } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import { forEachConcurrently } from '../lib/bounded.ts';
import { describeError, Fault } from '../lib/errors.ts';
import type { ReportProgress } from '../lib/progress.ts';
import type { ObjectInfo } from '../storage/object-store.ts';
import type { LayerRef, Manifest } from './format/manifest.ts';
import { findManifest, listManifests } from './manifests.ts';
import { NamedObjects } from './named-objects.ts';
import { BLOBS_PREFIX, manifestKey, parseBlobKey, type SnapshotPlace } from './object-keys.ts';
import { blobsOfLists } from './reader.ts';
import type { Repository } from './repository.ts';

const LISTINGS_MAX = 20;
const DELETES_AT_ONCE = 8;

export interface PruneTotals {
  objects: number;
  bytes: number;
}

/** What a prune would delete, and what it would leave for which reason. It can be executed once. */
export interface PrunePlan {
  readonly sweep: readonly { objectKey: string; sizeBytes: number }[];
  readonly totals: {
    readonly sweep: PruneTotals;
    /** Named by a manifest. */
    readonly kept: PruneTotals;
    /** Below a snapshot that is being written. */
    readonly writing: PruneTotals;
    /** Below a snapshot that got an object within the grace period. */
    readonly young: PruneTotals;
    /** Below `blobs/`, but not of our naming. */
    readonly foreign: PruneTotals;
  };
}

export interface PruneOptions {
  /** Parents of snapshots that are being written, and what else unfinished tasks read. */
  pinned: readonly SnapshotPlace[];
  /** Snapshots whose task has not ended, also one that waits for its next attempt. They and `pinned` were looked up before this call. */
  writing: readonly SnapshotPlace[];
  graceMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Marks what manifests name and lists the rest. Faults when any manifest, or list of one, cannot be read: what it names is then unknown.
 * Why no lock is needed: `docs/repository-format.md`, Deleting and pruning.
 */
export async function planPrune(repository: Repository, options: PruneOptions): Promise<PrunePlan> {
  assert(options.graceMs >= 0, 'a grace period is not negative');
  const sweepBeforeMs = repository.clock.nowMs() - options.graceMs;
  const named = new NamedObjects(repository.random.bytes(4).readUInt32LE(0));
  try {
    await markAll(repository, named, options);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    throw new Fault({
      op: 'plan prune',
      subject: cause.subject,
      message: `nothing can be pruned, because what is still needed is not known: ${describeError(cause)}`,
      retryable: cause.retryable,
      hint: cause.hint ?? 'Run `tidemark repository check`, and delete the snapshots that it says are lost',
      cause,
    });
  }
  return await sortOut(repository, named, sweepBeforeMs, options);
}

/** Lists again and again until a whole listing brings nothing new: a manifest committed behind the back of one listing is in the next. */
async function markAll(repository: Repository, named: NamedObjects, options: PruneOptions): Promise<void> {
  const { signal } = options;
  const marked = new Set<string>();
  for (const place of options.pinned) {
    const manifest = await findManifest(repository, place, { signal });
    if (manifest === null) {
      const message = `snapshot ${place.snapshotId}, which a task still reads, has no manifest`;
      const hint = 'Prune when that task has ended';
      throw new Fault({ op: 'plan prune', subject: manifestKey(place), message, hint });
    }
    await mark(repository, named, manifest, signal);
    marked.add(manifestKey(place));
  }
  for (let listing = 1; listing <= LISTINGS_MAX; listing++) {
    let changed = false;
    for await (const place of listManifests(repository, { signal })) {
      if (marked.has(manifestKey(place))) continue;
      changed = true;
      const manifest = await findManifest(repository, place, { signal });
      if (manifest === null) continue; // deleted since it was listed
      await mark(repository, named, manifest, signal);
      marked.add(manifestKey(place));
    }
    if (!changed) return;
  }
  const message = `manifests came and went during ${LISTINGS_MAX} listings`;
  throw new Fault({ op: 'plan prune', subject: 'manifests/', message, retryable: true });
}

async function mark(
  repository: Repository,
  named: NamedObjects,
  manifest: Manifest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { clusterId } = manifest.header;
  const markLayer = async ({ documentLists, deletedLists }: LayerRef): Promise<void> => {
    for (const [lists, kind] of [
      [documentLists, 1],
      [deletedLists, 5],
    ] as const) {
      for (const list of lists) {
        // A list that is named already was read then: its blobs are marked.
        if (!named.add(clusterId, list)) continue;
        for await (const ref of blobsOfLists(repository, clusterId, [list], kind, { signal }))
          named.add(clusterId, ref);
      }
    }
  };
  for (const entry of manifest.collections) {
    for (const layer of entry.layers) await markLayer(layer);
  }
}

/** The objects of one snapshot's prefix that nothing names, while its other objects are looked at. */
interface Unnamed {
  prefix: string;
  objects: ObjectInfo[];
  youngestMs: number;
}

async function sortOut(
  repository: Repository,
  named: NamedObjects,
  sweepBeforeMs: number,
  { writing, signal }: PruneOptions,
): Promise<PrunePlan> {
  const inWriting = new Set(writing.map(({ clusterId, snapshotId }) => `${clusterId}/${snapshotId}`));
  const nothing = (): PruneTotals => ({ objects: 0, bytes: 0 });
  const totals = { sweep: nothing(), kept: nothing(), writing: nothing(), young: nothing(), foreign: nothing() };
  const sweep: { objectKey: string; sizeBytes: number }[] = [];
  const settle = ({ objects, youngestMs }: Unnamed): void => {
    // One young object shows that somebody writes here, perhaps somebody that no catalog of ours knows of.
    const old = youngestMs < sweepBeforeMs;
    for (const { objectKey, sizeBytes } of objects) {
      count(old ? totals.sweep : totals.young, sizeBytes);
      if (old) sweep.push({ objectKey, sizeBytes });
    }
  };
  let unnamed: Unnamed = { prefix: '', objects: [], youngestMs: 0 };
  for await (const info of repository.store.list(BLOBS_PREFIX, { signal })) {
    const place = parseBlobKey(info.objectKey);
    const prefix = place === null ? '' : `${place.clusterId}/${place.snapshotId}`;
    if (prefix !== unnamed.prefix) {
      settle(unnamed);
      unnamed = { prefix, objects: [], youngestMs: 0 };
    }
    unnamed.youngestMs = Math.max(unnamed.youngestMs, info.modifiedAtMs);
    if (place === null) count(totals.foreign, info.sizeBytes);
    else if (named.has(place)) count(totals.kept, info.sizeBytes);
    else if (inWriting.has(prefix)) count(totals.writing, info.sizeBytes);
    else unnamed.objects.push(info);
  }
  settle(unnamed);
  return { sweep, totals };
}

function count(totals: PruneTotals, sizeBytes: number): void {
  totals.objects++;
  totals.bytes += sizeBytes;
}

const executed = new WeakSet<PrunePlan>();

/** Deletes what the plan says. When it is stopped midway the rest stays, for the next plan. */
export async function executePrune(
  repository: Repository,
  plan: PrunePlan,
  options: { signal?: AbortSignal | undefined; report?: ReportProgress } = {},
): Promise<{ deleted: number; bytes: number }> {
  assert(!executed.has(plan), 'a prune plan is executed once');
  executed.add(plan);
  const { signal, report } = options;
  const done = { deleted: 0, bytes: 0 };
  await forEachConcurrently(plan.sweep, DELETES_AT_ONCE, async ({ objectKey, sizeBytes }) => {
    throwIfAborted(signal);
    assert(objectKey.startsWith(BLOBS_PREFIX), 'prune deletes blobs and nothing else');
    await repository.store.delete(objectKey, { signal });
    done.deleted++;
    done.bytes += sizeBytes;
    report?.({ phase: 'pruning', documentsDone: 0, bytesDone: done.bytes, bytesTotal: plan.totals.sweep.bytes });
  });
  return done;
}
