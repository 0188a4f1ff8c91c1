import { throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { Semaphore } from '../../lib/bounded.ts';
import { ObjectExists } from '../../storage/object-store.ts';
import type { BlobRef } from '../format/blob-list.ts';
import type { BlobKind } from '../format/envelope.ts';
import { blobKey } from '../object-keys.ts';
import { openBlob } from '../reader.ts';
import type { Repository } from '../repository.ts';
import { WriterLease } from '../writer-lease.ts';
import { BlobTable } from './blob-table.ts';
import type { KnownBlobs } from './known-blobs.ts';
import { SharedBlobs } from './shared-blobs.ts';

/** Small blobs weigh at least this part of the room, which bounds how many are under way at once. */
const SMALLEST_SHARE = 1 / 32;
/**
 * Blobs above this size are put together in memory that is used again and again; smaller ones are allocated as they
 * come.
 */
const REUSE_BYTES_MIN = 1 << 20;

/**
 * Totals of one snapshot. Plain bytes are payloads before compression, stored bytes whole objects; manifests are left
 * out.
 */
export interface WrittenTotals {
  plainBytes: number;
  storedBytes: number;
  blobs: number;
  reusedBlobs: number;
  /** Plain. */
  reusedBytes: number;
}

/** A blob to be stored: pieces of memory that make up its payload. */
export interface BlobDraft {
  kind: BlobKind;
  pieces: readonly Uint8Array[];
  plainBytes: number;
  documents: number;
}

/**
 * From payloads to acknowledged objects, several at once: hash, known?, compress, encrypt, put. Its room is bounded in
 * bytes, and waiting for room is the back-pressure. The first failure stops everything: a snapshot that lacks one blob
 * cannot be committed.
 */
export class BlobPipeline {
  readonly totals: WrittenTotals = { plainBytes: 0, storedBytes: 0, blobs: 0, reusedBlobs: 0, reusedBytes: 0 };
  readonly signal: AbortSignal;
  readonly #repository: Repository;
  readonly #clusterId: string;
  readonly #snapshotId: string;
  readonly #stop = new AbortController();
  readonly #room: Semaphore;
  readonly #weightMin: number;
  /** Under way, by kind and id; the same content may come again before it is acknowledged. */
  readonly #underWay = new Map<string, Promise<BlobRef>>();
  /** Acknowledged below our own prefix. */
  readonly #acknowledged: BlobTable;
  readonly #running = new Set<Promise<unknown>>();
  readonly #spareBuffers: Buffer[] = [];
  readonly #lease: WriterLease;
  /** For what is too small for a blob. */
  readonly shared: SharedBlobs;

  constructor(
    repository: Repository,
    options: {
      clusterId: string;
      snapshotId: string;
      parentSnapshotId: string | null;
      signal: AbortSignal | undefined;
      blobsInFlightMax: number;
    },
  ) {
    assert(options.blobsInFlightMax >= 1, 'at least one blob is under way');
    this.#repository = repository;
    this.#clusterId = options.clusterId;
    this.#snapshotId = options.snapshotId;
    this.signal = AbortSignal.any([this.#stop.signal, ...(options.signal === undefined ? [] : [options.signal])]);
    const roomBytes = Math.max(repository.chunker.maxBytes, options.blobsInFlightMax * repository.chunker.targetBytes);
    this.#room = new Semaphore(roomBytes);
    this.#weightMin = Math.ceil(roomBytes * SMALLEST_SHARE);
    this.#acknowledged = new BlobTable(repository.random.bytes(4).readUInt32LE(0));
    const { sealer, chunker } = repository;
    this.shared = new SharedBlobs(this, { sealer, chunker, snapshotId: options.snapshotId });
    const { clusterId, snapshotId, parentSnapshotId } = options;
    const onLost = (fault: Error): void => this.stop(fault);
    this.#lease = new WriterLease(repository, { clusterId, snapshotId, parentSnapshotId, covers: 'snapshot', onLost });
  }

  /** Resolves once the repository shows that somebody writes here. */
  async holdLease(): Promise<void> {
    await this.#lease.hold(this.signal);
  }

  /** Nothing is written any more. */
  async giveLeaseBack(outcome: 'committed' | 'failed'): Promise<void> {
    await this.#lease.end(outcome);
  }

  /**
   * `known`: what need not be written again. Resolves when there was room for the blob and its pieces may be used for
   * something else; `stored` resolves when it is acknowledged. A caller need not wait for `stored`, but must look at it
   * before it names the blob.
   */
  async submit(draft: BlobDraft, known: KnownBlobs | null): Promise<{ stored: Promise<BlobRef> }> {
    assert(draft.plainBytes > 0, 'an empty blob is never written');
    const release = await this.#room.acquire(Math.max(draft.plainBytes, this.#weightMin), this.signal);
    throwIfAborted(this.signal);
    const stored = this.#store(draft, known)
      .catch((error: unknown) => {
        this.stop(error);
        throw error;
      })
      .finally(release);
    this.#track(stored);
    return { stored };
  }

  /** Everything under way is told to stop; what is not acknowledged by then never will be. */
  stop(reason: unknown): void {
    this.#stop.abort(reason);
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  /** Whether the blob was acknowledged below our own prefix. */
  isAcknowledged(ref: BlobRef): boolean {
    return ref.snapshotId === this.#snapshotId && this.#acknowledged.find(ref.kind, ref.id) !== null;
  }

  #track(work: Promise<unknown>): void {
    const tracked: Promise<unknown> = work
      .catch(() => undefined) // its caller sees it through `stored`, or the signal
      .finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  // No await before the payload is put together: the pieces are the caller's again when submit() resolves.
  async #store(draft: BlobDraft, known: KnownBlobs | null): Promise<BlobRef> {
    const { kind, plainBytes, documents } = draft;
    const buffer = this.#takeBuffer(plainBytes);
    try {
      let at = 0;
      for (const piece of draft.pieces) {
        buffer.set(piece, at);
        at += piece.length;
      }
      assert(at === plainBytes, 'the pieces make up the blob');
      const payload = buffer.subarray(0, plainBytes);
      const id = this.#repository.sealer.blobId(kind, payload);
      const sound = (await known?.findSound(kind, id)) ?? null;
      // Nothing is awaited between looking for the blob and entering it, so that no content is written twice.
      const existing = sound ?? this.#underWay.get(`${kind}/${id}`) ?? this.#acknowledged.find(kind, id);
      if (existing === null) {
        const writing = this.#write(
          { id, snapshotId: this.#snapshotId, kind, plainBytes, storedBytes: 0, documents },
          payload,
        );
        this.#underWay.set(`${kind}/${id}`, writing);
        return await writing.finally(() => this.#underWay.delete(`${kind}/${id}`));
      }
      this.totals.reusedBlobs++;
      this.totals.reusedBytes += plainBytes;
      return await existing;
    } finally {
      this.#giveBuffer(buffer);
    }
  }

  async #write(draft: BlobRef, payload: Buffer): Promise<BlobRef> {
    const { store, sealer } = this.#repository;
    const objectKey = blobKey(this.#clusterId, this.#snapshotId, draft.id);
    const object = await sealer.seal(draft.kind, payload, Buffer.from(draft.id, 'hex'));
    await this.holdLease();
    throwIfAborted(this.signal);
    let ref: BlobRef = { ...draft, storedBytes: object.length };
    try {
      await store.put(objectKey, object, { ifAbsent: true, signal: this.signal });
    } catch (error) {
      if (!(error instanceof ObjectExists)) throw error;
      ref = await this.#adopt(draft, objectKey);
    }
    this.#acknowledged.add(ref);
    this.totals.blobs++;
    this.totals.plainBytes += ref.plainBytes;
    this.totals.storedBytes += ref.storedBytes;
    return ref;
  }

  /** An earlier attempt at this same snapshot left the object. It is read back whole before it is relied on. */
  async #adopt(draft: BlobRef, objectKey: string): Promise<BlobRef> {
    const object = await this.#repository.store.get(objectKey, { signal: this.signal });
    const ref = { ...draft, storedBytes: object.length };
    await openBlob(this.#repository, object, ref, objectKey);
    return ref;
  }

  #takeBuffer(bytes: number): Buffer {
    const { maxBytes } = this.#repository.chunker;
    if (bytes < REUSE_BYTES_MIN || bytes > maxBytes) return Buffer.allocUnsafeSlow(bytes);
    return this.#spareBuffers.pop() ?? Buffer.allocUnsafeSlow(maxBytes);
  }

  #giveBuffer(buffer: Buffer): void {
    if (buffer.length !== this.#repository.chunker.maxBytes || buffer.length < REUSE_BYTES_MIN) return;
    this.#spareBuffers.push(buffer);
    assert(must(this.#spareBuffers[0], 'just put there').length === buffer.length, 'spare buffers are of one size');
  }
}
