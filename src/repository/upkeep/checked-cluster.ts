import { forEachDocument, MalformedBson } from '../../bson/raw-bson.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { forEachConcurrently, Semaphore } from '../../lib/bounded.ts';
import { Damage } from '../../lib/errors.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import { type BlobRef, decodeList } from '../format/blob-list.ts';
import { type LayerSequence, objectOf, sequencesOf } from '../format/layer-blobs.ts';
import type { LayerRef, Manifest } from '../format/manifest.ts';
import { namespaceOf } from '../format/manifest-rules.ts';
import { readFilters } from '../layers/filtered-blobs.ts';
import { NamedObjects } from '../named-objects.ts';
import { blobKey, blobsPrefix, parseBlobKey } from '../object-keys.ts';
import { extentIn, readAhead, readBlob } from '../reader.ts';
import type { Repository } from '../repository.ts';

/** Lists are small, and thousands of small collections have one each. */
const LISTS_AT_ONCE = 8;
const BLOBS_AT_ONCE = 4;
/** Small blobs weigh at least this part of the room for blobs, which bounds how many are read at once. */
const SMALLEST_SHARE = 1 / 32;

interface Options {
  readData?: boolean;
  signal?: AbortSignal | undefined;
  report?: ReportProgress | undefined;
}

/** What a list adds up to. */
interface ListTotals {
  documents: number;
  plainBytes: number;
  storedBytes: number;
}

/** What a check has seen of one cluster's objects: each of them once. */
export class CheckedCluster {
  readonly #repository: Repository;
  readonly #clusterId: string;
  readonly #options: Options;
  readonly #named: NamedObjects;
  /** By object key: what was wrong with it when it was read. */
  readonly #wrong = new Map<string, string>();
  /** By object key of the list; absent where the list cannot be read. */
  readonly #lists = new Map<string, ListTotals>();
  /** Snapshots below whose prefix something is named. */
  readonly #prefixes = new Set<string>();
  /** For payloads being read, of all lists together; in plain bytes. */
  readonly #room: Semaphore;
  readonly #roomBytes: number;
  /** Names of extents that were read. */
  readonly #extents = new Set<string>();
  #miscounted = false;
  #bytesDone = 0;
  #documentsDone = 0;

  constructor(repository: Repository, clusterId: string, options: Options) {
    this.#repository = repository;
    this.#clusterId = clusterId;
    this.#options = options;
    this.#named = new NamedObjects(repository.random.bytes(4).readUInt32LE(0));
    this.#roomBytes = BLOBS_AT_ONCE * repository.chunker.maxBytes;
    this.#room = new Semaphore(this.#roomBytes);
  }

  get blobs(): number {
    return this.#named.count;
  }

  get storedBytes(): number {
    return this.#named.storedBytes;
  }

  get isSound(): boolean {
    const allThere = this.#options.readData === true || this.#named.allSound;
    return allThere && this.#wrong.size === 0 && !this.#miscounted;
  }

  /** Reads the manifest's lists and, where asked for, its blobs, as far as they are new. */
  async examine(manifest: Manifest): Promise<void> {
    assert(manifest.header.clusterId === this.#clusterId, 'a cluster is checked with its own manifests');
    // The manifest was read through its sections.
    for (const section of manifest.sections ?? []) if (this.#add(section)) this.#progress(section.storedBytes, 0);
    const layers = manifest.collections.flatMap((entry) => entry.layers);
    const sequences = layers.flatMap(sequencesOf);
    const lists = sequences.flatMap(({ kind, lists: own }) => own.map((list) => ({ list, kind })));
    await forEachConcurrently(lists, LISTS_AT_ONCE, async ({ list, kind }) => await this.#examineList(list, kind));
    const filters = sequences.flatMap((sequence) => sequence.filters);
    await forEachConcurrently(filters, LISTS_AT_ONCE, async (ref) => await this.#examineFilters(ref));
    await this.#examineSingles(sequences.flatMap(({ blob }) => blob ?? []));
    if (layers.some((layer) => this.#miscountOf(layer) !== null)) this.#miscounted = true;
  }

  /** Looks for what was named; there is no need where it was read. */
  async finish(): Promise<void> {
    const { readData, signal } = this.#options;
    if (readData === true) return;
    for (const snapshotId of this.#prefixes) {
      const prefix = blobsPrefix(this.#clusterId, snapshotId);
      for await (const { objectKey, sizeBytes } of this.#repository.store.list(prefix, { signal })) {
        const place = parseBlobKey(objectKey);
        if (place !== null) this.#named.see(place, sizeBytes);
      }
    }
  }

  /** What is wrong with this manifest's parts, after everything was examined. */
  async *problemsOf(
    manifest: Manifest,
  ): AsyncGenerator<{ namespace: string; objectKey: string | null; problem: string }> {
    for (const entry of manifest.collections) {
      const namespace = namespaceOf(entry);
      for (const [index, layer] of entry.layers.entries()) {
        const miscount = this.#miscountOf(layer);
        if (miscount !== null) yield { namespace, objectKey: null, problem: `layer ${index}: ${miscount}` };
        for (const { kind, lists, blob, filters } of sequencesOf(layer)) {
          for (const list of lists) yield* this.#problemsOfList(namespace, list, kind);
          for (const ref of blob === null ? filters : [blob, ...filters]) {
            const problem = this.#problemOf(ref);
            if (problem !== null) yield { namespace, objectKey: this.#keyOf(objectOf(ref)), problem };
          }
        }
      }
    }
  }

  async *#problemsOfList(namespace: string, list: BlobRef, kind: 1 | 5) {
    const objectKey = this.#keyOf(list);
    const problem = this.#problemOf(list);
    if (problem !== null) yield { namespace, objectKey, problem };
    if (!this.#lists.has(objectKey)) return;
    const payload = await readBlob(this.#repository, this.#clusterId, list, { signal: this.#options.signal });
    for (const ref of decodeList(payload, kind, objectKey)) {
      const blobProblem = this.#problemOf(ref);
      if (blobProblem !== null) yield { namespace, objectKey: this.#keyOf(ref), problem: blobProblem };
    }
  }

  #problemOf(ref: BlobRef): string | null {
    const object = objectOf(ref);
    const objectKey = this.#keyOf(object);
    const wrong = this.#wrong.get(objectKey) ?? this.#wrong.get(extentName(ref, objectKey));
    if (wrong !== undefined || this.#options.readData === true) return wrong ?? null;
    const { snapshotId, id: blobId } = object;
    const sight = this.#named.sightOf({ clusterId: this.#clusterId, snapshotId, blobId });
    return sight === 'sound' ? null : `${objectKey} is ${sight}`;
  }

  async #examineList(list: BlobRef, kind: 1 | 5): Promise<void> {
    if (!this.#add(list)) return;
    const { signal } = this.#options;
    throwIfAborted(signal);
    const objectKey = this.#keyOf(list);
    const refs = await this.#noting(objectKey, async () => {
      return decodeList(await readBlob(this.#repository, this.#clusterId, list, { signal }), kind, objectKey);
    });
    if (refs === null) return;
    const totals: ListTotals = { documents: 0, plainBytes: 0, storedBytes: 0 };
    for (const ref of refs) {
      totals.documents += ref.documents ?? 0;
      totals.plainBytes += ref.plainBytes;
      totals.storedBytes += ref.storedBytes;
    }
    this.#lists.set(objectKey, totals);
    const fresh = refs.filter((ref) => this.#add(ref));
    if (this.#options.readData === true) await this.#readBlobs(fresh);
    this.#progress(list.storedBytes, 0);
  }

  async #examineFilters(ref: BlobRef): Promise<void> {
    if (!this.#add(ref)) return;
    const { signal } = this.#options;
    const read = async () => await readFilters(this.#repository, this.#clusterId, ref, { signal });
    await this.#noting(this.#keyOf(ref), read);
    this.#progress(ref.storedBytes, 0);
  }

  /** Blobs that layers name themselves, and extents by the shared blobs that they lie in. */
  async #examineSingles(refs: readonly BlobRef[]): Promise<void> {
    const fresh: BlobRef[] = [];
    const extents = new Map<string, { blob: BlobRef; fresh: BlobRef[] }>();
    for (const ref of refs) {
      const object = objectOf(ref);
      const isNew = this.#add(object);
      if (ref.within === undefined) {
        if (isNew) fresh.push(ref);
        continue;
      }
      if (this.#options.readData !== true) continue;
      const objectKey = this.#keyOf(object);
      const name = extentName(ref, objectKey);
      if (this.#extents.has(name)) continue;
      this.#extents.add(name);
      const known = extents.get(objectKey) ?? { blob: object, fresh: [] };
      known.fresh.push(ref);
      extents.set(objectKey, known);
    }
    if (this.#options.readData !== true) return;
    await this.#readBlobs(fresh);
    await forEachConcurrently([...extents.values()], BLOBS_AT_ONCE, async (shared) => {
      await this.#noting(this.#keyOf(shared.blob), () => this.#readShared(shared.blob, shared.fresh));
    });
  }

  /** What is wrong with the blob is its problem, what is wrong with one extent is that extent's. */
  async #readShared(blob: BlobRef, extents: readonly BlobRef[]): Promise<null> {
    const { signal } = this.#options;
    const subject = this.#keyOf(blob);
    const release = await this.#room.acquire(blob.plainBytes, signal);
    try {
      const payload = await readBlob(this.#repository, this.#clusterId, blob, { signal });
      this.#countDocuments(payload, blob.documents, subject);
      for (const ref of extents) {
        await this.#noting(extentName(ref, subject), async () => {
          this.#countDocuments(extentIn(this.#repository, payload, ref, subject), ref.documents, subject);
        });
      }
      this.#progress(blob.storedBytes, blob.documents ?? 0);
      return null;
    } finally {
      release();
    }
  }

  #countDocuments(payload: Buffer, said: number | undefined, subject: string): void {
    const documents = forEachDocument(payload, () => undefined);
    if (documents === said) return;
    const message = `${subject} holds ${documents} documents, what names it says ${said}`;
    throw new Damage({ op: 'check blob', subject, message });
  }

  async #readBlobs(refs: readonly BlobRef[]): Promise<void> {
    async function* each() {
      yield* refs;
    }
    const read = (ref: BlobRef): Promise<null> => this.#noting(this.#keyOf(ref), () => this.#readOne(ref));
    for await (const { item } of readAhead(each(), BLOBS_AT_ONCE, read)) {
      this.#progress(item.storedBytes, item.documents ?? 0);
    }
  }

  async #readOne(ref: BlobRef): Promise<null> {
    const { signal } = this.#options;
    const weight = Math.max(ref.plainBytes, Math.ceil(this.#roomBytes * SMALLEST_SHARE));
    const release = await this.#room.acquire(weight, signal);
    try {
      const payload = await readBlob(this.#repository, this.#clusterId, ref, { signal });
      this.#countDocuments(payload, ref.documents, this.#keyOf(ref));
      return null;
    } finally {
      release();
    }
  }

  /** The result, or null after noting the damage. Other failures are thrown. */
  async #noting<T>(objectKey: string, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Damage) && !(error instanceof MalformedBson)) throw error;
      this.#wrong.set(objectKey, error.message);
      return null;
    }
  }

  #miscountOf(layer: LayerRef): string | null {
    const [documents, deleted] = sequencesOf(layer).map((sequence) => this.#totalsOf(sequence)) as [
      ListTotals | null,
      ListTotals | null,
    ];
    if (documents === null || deleted === null) return null; // a list that cannot be read is a problem of its own
    const storedBytes = documents.storedBytes + deleted.storedBytes;
    for (const [what, says, is] of [
      ['documents', layer.documents, documents.documents],
      ['deletions', layer.deleted, deleted.documents],
      ['bytes', layer.bytes, documents.plainBytes],
      ['stored bytes', layer.storedBytes, storedBytes],
    ] as const) {
      if (says !== is) return `the manifest counts ${says} ${what}, its lists ${is}`;
    }
    return null;
  }

  #totalsOf({ lists, blob }: LayerSequence): ListTotals | null {
    const sum: ListTotals = {
      documents: blob?.documents ?? 0,
      plainBytes: blob?.plainBytes ?? 0,
      storedBytes: blob?.storedBytes ?? 0,
    };
    for (const list of lists) {
      const totals = this.#lists.get(this.#keyOf(list));
      if (totals === undefined) return null;
      sum.documents += totals.documents;
      sum.plainBytes += totals.plainBytes;
      sum.storedBytes += totals.storedBytes;
    }
    return sum;
  }

  #add(ref: BlobRef): boolean {
    this.#prefixes.add(ref.snapshotId);
    return this.#named.add(this.#clusterId, ref);
  }

  #keyOf(ref: BlobRef): string {
    return blobKey(this.#clusterId, ref.snapshotId, ref.id);
  }

  #progress(bytes: number, documents: number): void {
    this.#bytesDone += bytes;
    this.#documentsDone += documents;
    this.#options.report?.({ phase: 'checking', documentsDone: this.#documentsDone, bytesDone: this.#bytesDone });
  }
}

/** An extent as the key of its own problem; the object's key of any other blob. */
function extentName({ kind, within, plainBytes }: BlobRef, objectKey: string): string {
  return within === undefined ? objectKey : `${objectKey} ${kind} ${within.at}+${plainBytes}`;
}
