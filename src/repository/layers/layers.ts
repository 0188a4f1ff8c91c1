import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import type { BlobRef } from '../format/blob-list.ts';
import type { CollectionEntry, LayerRef } from '../format/manifest.ts';
import { blobsOfSequence, type ReadOptions, readAhead, readBlob } from '../reader.ts';
import type { Repository } from '../repository.ts';
import { bytesOfIds, type Partition, TouchedIds } from './touched-ids.ts';

const PREFETCH = 3;
const ID_BUDGET_BYTES = 128 << 20;

export interface MergeOptions extends ReadOptions {
  /** Blobs read ahead; each takes up to three times its size while it is read. */
  prefetch?: number;
  /** Memory for touched ids. Past it the layers are read several times, each time for a part of the ids. */
  idBudgetBytes?: number;
  /** Makes the order of the documents the same every time, where that counts; any number. Left out: a random one. */
  seed?: number;
}

/** Documents, or deletions, that no newer layer touched: those of one blob. */
export interface MergedRun {
  kind: 1 | 5;
  /** Whole documents one after another. The consumer's alone. */
  buffer: Buffer;
  documents: number;
  /** The blob, when nothing of it is missing. */
  whole: BlobRef | null;
}

/**
 * The documents of a collection at the snapshot's time: buffers of whole raw documents, each at most one blob long. In
 * the order of an ordered layer, else in no order. A blob that nothing newer touched is given as it was read.
 */
export async function* readCollection(
  repository: Repository,
  clusterId: string,
  entry: CollectionEntry,
  options: MergeOptions = {},
): AsyncGenerator<Buffer> {
  for await (const run of mergeLayers(repository, clusterId, entry.layers, { ...options, deletions: false })) {
    assert(run.kind === 1, 'only documents were asked for');
    yield run.buffer;
  }
}

interface Pass extends Partition {
  /** Blobs before this place in the reading order were given already, with these ids among them. */
  giveFrom: number;
}

/**
 * Merges layers, newest first: what is in a layer hides the same ids in the layers after it. Runs of deletions are
 * given only when asked for. Why this is all of a snapshot's content and nothing else: `docs/repository-format.md`,
 * Layers and lists.
 */
export async function* mergeLayers(
  repository: Repository,
  clusterId: string,
  layers: readonly LayerRef[],
  options: MergeOptions & { deletions: boolean },
): AsyncGenerator<MergedRun> {
  // Deletions above an ordered layer are few (it is capped), and reading it in parts would lose its order.
  const ordered = layers.some((layer) => layer.ordered);
  const budgetBytes = ordered ? Number.POSITIVE_INFINITY : (options.idBudgetBytes ?? ID_BUDGET_BYTES);
  const merge = new Merge(repository, clusterId, layers, budgetBytes, options);
  for (let pass = merge.nextPass(); pass !== undefined; pass = merge.nextPass()) yield* merge.run(pass);
}

interface Step {
  ref: BlobRef;
  place: number;
  oldest: boolean;
}

class Merge {
  readonly #repository: Repository;
  readonly #clusterId: string;
  readonly #layers: readonly LayerRef[];
  readonly #budgetBytes: number;
  readonly #options: MergeOptions & { deletions: boolean };
  readonly #seed: number;
  readonly #passes: Pass[];

  constructor(
    repository: Repository,
    clusterId: string,
    layers: readonly LayerRef[],
    budgetBytes: number,
    options: MergeOptions & { deletions: boolean },
  ) {
    this.#repository = repository;
    this.#clusterId = clusterId;
    this.#layers = layers;
    this.#budgetBytes = budgetBytes;
    this.#options = options;
    this.#seed = options.seed ?? repository.random.bytes(4).readUInt32LE(0);
    this.#passes = firstPasses(layers, budgetBytes);
  }

  nextPass(): Pass | undefined {
    return this.#passes.pop();
  }

  async *run(pass: Pass): AsyncGenerator<MergedRun> {
    const { signal, prefetch = PREFETCH } = this.#options;
    const touched = new TouchedIds(this.#seed, pass);
    const read = (step: Step): Promise<Buffer> => readBlob(this.#repository, this.#clusterId, step.ref, { signal });
    for await (const { item, result } of readAhead(this.#steps(), prefetch, read)) {
      throwIfAborted(signal);
      const run = siftBlob(touched, item, result);
      const asked = run.kind === 1 || this.#options.deletions;
      if (run.documents > 0 && asked && item.place >= pass.giveFrom) yield run;
      while (touched.memoryBytes > this.#budgetBytes && touched.canSplit) {
        // The ids given up have been given as far as here; a later pass goes on with them.
        this.#passes.push({ ...touched.split(), giveFrom: Math.max(pass.giveFrom, item.place + 1) });
      }
    }
  }

  /** Every blob that has to be read, newest layer first. */
  async *#steps(): AsyncGenerator<Step> {
    const { signal, deletions } = this.#options;
    let place = 0;
    for (const [index, layer] of this.#layers.entries()) {
      const oldest = index === this.#layers.length - 1;
      for (const kind of [1, 5] as const) {
        // What the oldest layer deletes hides nothing below it.
        if (kind === 5 && oldest && !deletions) continue;
        for await (const ref of blobsOfSequence(this.#repository, this.#clusterId, layer, kind, { signal })) {
          yield { ref, place: place++, oldest };
        }
      }
    }
  }
}

function siftBlob(touched: TouchedIds, { ref, oldest }: Step, payload: Buffer): MergedRun {
  const { kind } = ref;
  assert(kind === 1 || kind === 5, 'layers hold documents and deletions');
  const all = ref.documents ?? 0;
  if (oldest && touched.passesAll) return { kind, buffer: payload, documents: all, whole: ref };
  const { documents, bytes } = touched.sift(payload, !oldest);
  assert(documents <= all, `blob ${ref.id} has more documents than its list says`);
  return { kind, buffer: payload.subarray(0, bytes), documents, whole: bytes === payload.length ? ref : null };
}

/** One pass; more where it is plain beforehand that the ids do not fit. */
function firstPasses(layers: readonly LayerRef[], budgetBytes: number): Pass[] {
  const ids = layers.slice(0, -1).reduce((sum, layer) => sum + layer.documents + layer.deleted, 0);
  let modulus = 1;
  while (bytesOfIds(ids) / modulus > budgetBytes && modulus < 1 << 12) modulus *= 2;
  return Array.from({ length: modulus }, (_, residue) => ({ residue, modulus, giveFrom: 0 }));
}
