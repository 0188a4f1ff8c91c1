import { throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import { describeError, Fault } from '../../lib/errors.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import type { ObjectInfo } from '../../storage/object-store.ts';
import { sequencesOf, unlistedObjectsOf } from '../format/layer-blobs.ts';
import type { CollectionEntry, LayerRef } from '../format/manifest.ts';
import type { ManifestParts } from '../format/manifest-json.ts';
import { LEASE_MS, LeaseBook, readLeases } from '../leases.ts';
import { findManifestParts, listManifests, readSection } from '../manifests.ts';
import { NamedObjects } from '../named-objects.ts';
import { BLOBS_PREFIX, LEASES_PREFIX, manifestKey, parseBlobKey, type SnapshotPlace } from '../object-keys.ts';
import { blobsOfLists } from '../reader.ts';
import type { Repository } from '../repository.ts';
import { requireStoreTime } from '../store-time.ts';

const LISTINGS_MAX = 20;
const DELETES_AT_ONCE = 8;

export interface PruneTotals {
  objects: number;
  bytes: number;
}

/** What a prune would delete, and what it would leave for which reason. It can be executed once. */
export interface PrunePlan {
  readonly sweep: readonly { objectKey: string; sizeBytes: number }[];
  /** Leases whose writers are gone, and with them what they left. */
  readonly leases: readonly string[];
  readonly totals: {
    readonly sweep: PruneTotals;
    /** Named by a manifest. */
    readonly kept: PruneTotals;
    /** Below a snapshot that is being written, as prune was told or as a lease says. */
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
  /**
   * Snapshots whose task has not ended, also one that waits for its next attempt. They and `pinned` were looked up
   * before this call.
   */
  writing: readonly SnapshotPlace[];
  graceMs: number;
  /**
   * What failed snapshots left is not to wait for the grace period where it is proven that nobody writes: their leases
   * lapsed or were given back, or they are among `failed`, which the caller knows to have failed for good.
   */
  sweepFailed?: { failed: readonly SnapshotPlace[] } | undefined;
  /** How long a lease counts after its last refresh; tests shorten it. */
  leaseMs?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Marks what manifests name and lists the rest. Faults when any manifest, section or list cannot be read: what it names
 * is then unknown. Why no lock is needed: `docs/repository-format.md`, Deleting and pruning.
 */
export async function planPrune(repository: Repository, options: PruneOptions): Promise<PrunePlan> {
  assert(options.graceMs >= 0, 'a grace period is not negative');
  const nowMs = await requireStoreTime(repository, 'nothing is pruned', { signal: options.signal });
  const marking = new Marking(repository, options.signal);
  const book = new LeaseBook();
  const readBook = async (): Promise<void> => {
    const { signal, leaseMs = LEASE_MS } = options;
    book.add(await readLeases(repository, nowMs, { signal, leaseMs }));
  };
  try {
    await readBook();
    await marking.markPinned([...options.pinned, ...book.parents]);
    await marking.markListed();
    const candidates = await findCandidates(repository, marking.named, options.signal);
    // Whoever began after the first look had a lease before its first blob: it is there still, or a manifest is.
    await readBook();
    await marking.markPinned(book.parents);
    await marking.markListed();
    return sortOut(candidates, marking.named, book, nowMs - options.graceMs, options);
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
}

/** What manifests name, as far as they were read. */
class Marking {
  readonly named: NamedObjects;
  readonly #repository: Repository;
  readonly #signal: AbortSignal | undefined;
  readonly #marked = new Set<string>();

  constructor(repository: Repository, signal: AbortSignal | undefined) {
    this.#repository = repository;
    this.#signal = signal;
    this.named = new NamedObjects(repository.random.bytes(4).readUInt32LE(0));
  }

  async markPinned(places: readonly SnapshotPlace[]): Promise<void> {
    for (const place of places) {
      if (this.#marked.has(manifestKey(place)) || (await this.#mark(place))) continue;
      const message = `snapshot ${place.snapshotId}, which a task still reads, has no manifest`;
      const hint = 'Prune when that task has ended';
      throw new Fault({ op: 'plan prune', subject: manifestKey(place), message, hint });
    }
  }

  /**
   * Lists again and again until a whole listing brings nothing new: a manifest committed behind the back of one listing
   * is in the next.
   */
  async markListed(): Promise<void> {
    for (let listing = 1; listing <= LISTINGS_MAX; listing++) {
      let changed = false;
      for await (const place of listManifests(this.#repository, { signal: this.#signal })) {
        if (this.#marked.has(manifestKey(place))) continue;
        changed = true;
        await this.#mark(place);
      }
      if (!changed) return;
    }
    const message = `manifests came and went during ${LISTINGS_MAX} listings`;
    throw new Fault({ op: 'plan prune', subject: 'manifests/', message, retryable: true });
  }

  /** False where the manifest is not there, or was deleted since it was listed. */
  async #mark(place: SnapshotPlace): Promise<boolean> {
    const parts = await findManifestParts(this.#repository, place, { signal: this.#signal });
    if (parts === null) return false;
    await mark(this.#repository, this.named, parts, this.#signal);
    this.#marked.add(manifestKey(place));
    return true;
  }
}

async function mark(
  repository: Repository,
  named: NamedObjects,
  { header, sections, collections }: ManifestParts,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { clusterId } = header;
  const markLayer = async (layer: LayerRef): Promise<void> => {
    for (const sequence of sequencesOf(layer)) {
      const { kind, lists } = sequence;
      for (const ref of unlistedObjectsOf(sequence)) named.add(clusterId, ref);
      for (const list of lists) {
        // A list that is named already was read then: its blobs are marked.
        if (!named.add(clusterId, list)) continue;
        for await (const ref of blobsOfLists(repository, clusterId, [list], kind, { signal }))
          named.add(clusterId, ref);
      }
    }
  };
  const markCollections = async (entries: readonly CollectionEntry[]): Promise<void> => {
    for (const layer of entries.flatMap((entry) => entry.layers)) await markLayer(layer);
  };
  await markCollections(collections ?? []);
  for (const section of sections) {
    // One that is named already was read then: all that it names is marked.
    if (!named.add(clusterId, section)) continue;
    const sharded = header.type === 'sharded';
    await markCollections(await readSection(repository, clusterId, section, { signal, sharded }));
  }
}

/** The objects of one snapshot's prefix that nothing named when they were seen. */
interface Candidates {
  place: SnapshotPlace;
  objects: ObjectInfo[];
  /** Of everything below the prefix, named or not. */
  youngestMs: number;
}

interface Found {
  byPrefix: Candidates[];
  kept: PruneTotals;
  foreign: PruneTotals;
}

async function findCandidates(
  repository: Repository,
  named: NamedObjects,
  signal: AbortSignal | undefined,
): Promise<Found> {
  const found: Found = { byPrefix: [], kept: nothing(), foreign: nothing() };
  let at: Candidates | undefined;
  for await (const info of repository.store.list(BLOBS_PREFIX, { signal })) {
    const place = parseBlobKey(info.objectKey);
    if (place === null) {
      count(found.foreign, info.sizeBytes);
      continue;
    }
    if (at?.place.clusterId !== place.clusterId || at.place.snapshotId !== place.snapshotId) {
      const { clusterId, snapshotId } = place;
      at = { place: { clusterId, snapshotId }, objects: [], youngestMs: 0 };
      found.byPrefix.push(at);
    }
    at.youngestMs = Math.max(at.youngestMs, info.modifiedAtMs);
    if (named.has(place)) count(found.kept, info.sizeBytes);
    else at.objects.push(info);
  }
  return found;
}

function sortOut(
  { byPrefix, kept, foreign }: Found,
  named: NamedObjects,
  book: LeaseBook,
  sweepBeforeMs: number,
  { writing, sweepFailed }: PruneOptions,
): PrunePlan {
  const inWriting = new Set(writing.map(prefixOf));
  const failed = new Set(sweepFailed?.failed.map(prefixOf));
  const totals = { sweep: nothing(), kept, writing: nothing(), young: nothing(), foreign };
  const sweep: { objectKey: string; sizeBytes: number }[] = [];
  const left = new Set<string>();
  for (const { place, objects, youngestMs } of byPrefix) {
    const isWritten = inWriting.has(prefixOf(place)) || book.isWritten(place);
    // One young object shows that somebody writes here, perhaps somebody that no catalog of ours knows of.
    const isOver = sweepFailed !== undefined && (failed.has(prefixOf(place)) || book.isGone(place));
    const goes = youngestMs <= sweepBeforeMs || isOver;
    for (const { objectKey, sizeBytes } of objects) {
      const isNamed = named.has(must(parseBlobKey(objectKey), 'candidates have our names'));
      count(isNamed ? totals.kept : isWritten ? totals.writing : goes ? totals.sweep : totals.young, sizeBytes);
      if (isNamed) continue;
      if (goes && !isWritten) sweep.push({ objectKey, sizeBytes });
      else left.add(prefixOf(place));
    }
  }
  return { sweep, leases: book.lapsed(left), totals };
}

function prefixOf({ clusterId, snapshotId }: SnapshotPlace): string {
  return `${clusterId}/${snapshotId}`;
}

function nothing(): PruneTotals {
  return { objects: 0, bytes: 0 };
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
  for (const objectKey of plan.leases) {
    assert(objectKey.startsWith(LEASES_PREFIX), 'a lease is below its prefix');
    await repository.store.delete(objectKey, { signal });
  }
  return done;
}
