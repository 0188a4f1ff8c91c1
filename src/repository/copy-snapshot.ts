import { throwIfAborted } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import { forEachConcurrently } from '../lib/bounded.ts';
import { Damage, Fault } from '../lib/errors.ts';
import type { ReportProgress } from '../lib/progress.ts';
import { ObjectExists, ObjectMissing, type ObjectStore } from '../storage/object-store.ts';
import type { BlobRef } from './format/blob-list.ts';
import { sequencesOf, unlistedObjectsOf } from './format/layer-blobs.ts';
import type { LayerRef } from './format/manifest.ts';
import { REPOSITORY_JSON, REPOSITORY_JSON_COPY } from './format/repository-json.ts';
import { deleteManifest, readManifest } from './manifests.ts';
import { blobKey, manifestKey, type SnapshotPlace } from './object-keys.ts';
import { blobsOfLists, openBlob } from './reader.ts';
import { openRepository, type Repository } from './repository.ts';
import { proveNamed } from './upkeep/prove-named.ts';
import { executePrune, planPrune } from './upkeep/prune.ts';
import { WriterLease } from './writer-lease.ts';

const OBJECTS_AT_ONCE = 4;
/** Somebody who lost the right to write here may still be writing. What is younger waits for the next deletion. */
const PRUNE_GRACE_MS = 3_600_000;

/**
 * A copy store is a repository like any other, with the id, the keys and the parameters of the one it copies from:
 * objects are the same bytes under the same keys, so that everything that reads a repository reads a copy too. It is
 * made by the first opening.
 */
export async function openCopyRepository(
  from: Repository,
  store: ObjectStore,
  options: { passphrase?: string } = {},
): Promise<Repository> {
  // One that lost its description is mended from its own copy by being opened.
  if ((await store.head(REPOSITORY_JSON_COPY)) === null)
    await ignoringExisting(store.put(REPOSITORY_JSON, from.description, { ifAbsent: true }));
  const { clock, random } = from;
  const to = await openRepository({ store, clock, random }, options);
  if (to.repositoryId === from.repositoryId) return to;
  throw new Fault({
    op: 'open copy store',
    subject: store.description,
    message: `${store.description} belongs to repository ${to.repositoryId}, not to ${from.repositoryId}`,
    hint: 'Give every service copy stores of its own',
  });
}

/**
 * Makes the snapshot whole in the other repository: every blob and list that it is made of and that is not there yet,
 * each read and checked on the way, then the manifest, last. A copy that was cut off is taken up; one that is there is
 * gone through again. Only one writer at a time, and no deletion beside it: the caller sees to it.
 */
export async function copySnapshot(
  from: Repository,
  to: Repository,
  place: SnapshotPlace,
  options: { signal?: AbortSignal | undefined; report?: ReportProgress | undefined } = {},
): Promise<{ storedBytes: number }> {
  assert(from.repositoryId === to.repositoryId, 'a copy store has the keys of what it copies');
  const lost = new AbortController();
  const signal = AbortSignal.any([lost.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const copied = await readManifest(from, place, { signal });
  // Below the prefixes of all the snapshots whose blobs this one shares.
  const { clusterId, snapshotId } = place;
  const onLost = (fault: Fault): void => lost.abort(fault);
  const lease = new WriterLease(to, { clusterId, snapshotId, covers: 'cluster', parentSnapshotId: null, onLost });
  let outcome: 'committed' | 'failed' = 'failed';
  try {
    await lease.hold(signal);
    const run = new CopyRun(from, to, clusterId, { ...options, signal });
    for (const { layers } of copied.collections) {
      for (const layer of layers) await run.copyLayer(layer);
    }
    for (const section of copied.sections ?? []) await run.copyObject(section);
    await proveNamed(to, copied, { signal });
    if (copied.sections === undefined) await to.secureDescription();
    else await to.becomeNewest();
    const manifest = await from.store.get(manifestKey(place), { signal });
    await ignoringExisting(to.store.put(manifestKey(place), manifest, { ifAbsent: true, signal }));
    outcome = 'committed';
    return { storedBytes: run.storedBytes + manifest.length };
  } finally {
    await lease.end(outcome);
  }
}

async function ignoringExisting(put: Promise<void>): Promise<void> {
  try {
    await put;
  } catch (error) {
    if (!(error instanceof ObjectExists)) throw error;
  }
}

/** Deletes a copy, and what no other copy there is made of. */
export async function deleteSnapshotCopy(
  to: Repository,
  place: SnapshotPlace,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  await deleteManifest(to, place, { signal });
  const plan = await planPrune(to, { pinned: [], writing: [], graceMs: PRUNE_GRACE_MS, signal });
  await executePrune(to, plan, { signal });
}

class CopyRun {
  /** Written by this run. */
  storedBytes = 0;
  readonly #sharedDone = new Set<string>();
  readonly #from: Repository;
  readonly #to: Repository;
  readonly #clusterId: string;
  readonly #signal: AbortSignal | undefined;
  readonly #report: ReportProgress | undefined;

  constructor(
    from: Repository,
    to: Repository,
    clusterId: string,
    options: { signal?: AbortSignal | undefined; report?: ReportProgress | undefined },
  ) {
    this.#from = from;
    this.#to = to;
    this.#clusterId = clusterId;
    this.#signal = options.signal;
    this.#report = options.report;
  }

  /**
   * Blobs before the list that names them: a list that is there does not prove that its blobs are, but a person who
   * looks finds no list without.
   */
  async copyLayer(layer: LayerRef): Promise<void> {
    for (const sequence of sequencesOf(layer)) {
      const { kind, lists } = sequence;
      for (const ref of unlistedObjectsOf(sequence)) await this.copyObject(ref);
      const blobs = blobsOfLists(this.#from, this.#clusterId, lists, kind, { signal: this.#signal });
      await forEachConcurrently(blobs, OBJECTS_AT_ONCE, async (ref) => await this.copyObject(ref));
      for (const list of lists) await this.copyObject(list);
    }
  }

  async copyObject(ref: BlobRef): Promise<void> {
    throwIfAborted(this.#signal);
    const signal = this.#signal;
    const objectKey = blobKey(this.#clusterId, ref.snapshotId, ref.id);
    if (ref.kind === 8) {
      // Thousands of layers have their extents in one.
      if (this.#sharedDone.has(objectKey)) return;
      this.#sharedDone.add(objectKey);
    }
    const there = await this.#to.store.head(objectKey, { signal });
    if (there?.sizeBytes === ref.storedBytes) return;
    const object = await this.#read(objectKey);
    await openBlob(this.#from, object, ref, objectKey);
    await this.#to.store.put(objectKey, object, { signal });
    this.storedBytes += object.length;
    this.#report?.({ phase: 'copying', documentsDone: 0, bytesDone: this.storedBytes });
  }

  async #read(objectKey: string): Promise<Buffer> {
    try {
      return await this.#from.store.get(objectKey, { signal: this.#signal });
    } catch (cause) {
      if (!(cause instanceof ObjectMissing)) throw cause;
      throw new Damage({ op: 'copy snapshot', subject: objectKey, message: `${objectKey} is missing`, cause });
    }
  }
}
