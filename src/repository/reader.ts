import { isAbort } from '../lib/abort.ts';
import { assert, must } from '../lib/assert.ts';
import { Damage } from '../lib/errors.ts';
import { ObjectMissing } from '../storage/object-store.ts';
import { type BlobRef, countRecords, readRecord } from './format/blob-list.ts';
import type { BlobKind } from './format/envelope.ts';
import { objectOf, sequencesOf } from './format/layer-blobs.ts';
import type { LayerRef } from './format/manifest.ts';
import { blobKey } from './object-keys.ts';
import type { Repository } from './repository.ts';

export interface ReadOptions {
  signal?: AbortSignal | undefined;
}

/**
 * The payload of a blob or an extent, after every check of the format. Damage names the object. The buffer is the
 * caller's alone.
 */
export async function readBlob(
  repository: Repository,
  clusterId: string,
  ref: BlobRef,
  options: ReadOptions = {},
): Promise<Buffer> {
  return ref.within === undefined
    ? await readObject(repository, clusterId, ref, options)
    : await readExtent(repository, clusterId, ref, options);
}

/** Extents that lie side by side are read one after another: their blob is kept for a while. */
async function readExtent(
  repository: Repository,
  clusterId: string,
  ref: BlobRef,
  options: ReadOptions,
): Promise<Buffer> {
  const shared = objectOf(ref);
  const objectKey = blobKey(clusterId, shared.snapshotId, shared.id);
  const read = async (): Promise<Buffer> => await readObject(repository, clusterId, shared, options);
  const cache = repository.sharedPayloads;
  let payload: Buffer;
  try {
    payload = await cache.get(objectKey, read, ({ length }) => length);
  } catch (error) {
    // Another reader, who was told to stop, had begun to read it.
    if (!isAbort(error) || options.signal?.aborted === true) throw error;
    payload = await read();
  }
  return Buffer.from(extentIn(repository, payload, ref, objectKey));
}

/** The extent's bytes in its shared blob's payload: a view. Damage where they are not what is named. */
export function extentIn(repository: Repository, payload: Buffer, ref: BlobRef, objectKey: string): Buffer {
  const { at } = must(ref.within, 'an extent lies in a shared blob');
  const bytes = payload.subarray(at, at + ref.plainBytes);
  const isWhole = bytes.length === ref.plainBytes && ref.plainBytes > 0;
  if (isWhole && repository.sealer.blobId(ref.kind, bytes) === ref.id) return bytes;
  const message = `bytes ${at} to ${at + ref.plainBytes} of ${objectKey} do not hash to the id of their extent`;
  throw new Damage({ op: 'read blob', subject: objectKey, message });
}

/** The payload of a blob that has an object. */
async function readObject(
  repository: Repository,
  clusterId: string,
  ref: BlobRef,
  options: ReadOptions,
): Promise<Buffer> {
  const objectKey = blobKey(clusterId, ref.snapshotId, ref.id);
  let object: Buffer;
  try {
    object = await repository.store.get(objectKey, options);
  } catch (cause) {
    if (!(cause instanceof ObjectMissing)) throw cause;
    throw new Damage({ op: 'read blob', subject: objectKey, message: `${objectKey} is missing`, cause });
  }
  return await openBlob(repository, object, ref, objectKey);
}

/** The payload of an object that is at hand. */
export async function openBlob(
  repository: Repository,
  object: Buffer,
  ref: BlobRef,
  objectKey: string,
): Promise<Buffer> {
  const damaged = (message: string): Damage => new Damage({ op: 'read blob', subject: objectKey, message });
  if (object.length !== ref.storedBytes) {
    throw damaged(`${objectKey} has ${object.length} bytes, its list says ${ref.storedBytes}`);
  }
  const { sealer } = repository;
  const payload = await sealer.unseal(ref.kind, object, Buffer.from(ref.id, 'hex'), objectKey);
  if (payload.length !== ref.plainBytes) {
    throw damaged(`${objectKey} holds ${payload.length} bytes, its list says ${ref.plainBytes}`);
  }
  if (sealer.blobId(ref.kind, payload) !== ref.id) throw damaged(`${objectKey} does not hash to its id`);
  return payload;
}

/** The blobs of a sequence, in order, one list in memory at a time. */
export async function* blobsOfLists(
  repository: Repository,
  clusterId: string,
  lists: readonly BlobRef[],
  kind: BlobKind,
  options: ReadOptions = {},
): AsyncGenerator<BlobRef> {
  for (const ref of lists) {
    assert(ref.kind === 2, 'a sequence is kept in lists');
    const list = await readBlob(repository, clusterId, ref, options);
    const count = countRecords(list, blobKey(clusterId, ref.snapshotId, ref.id));
    for (let index = 0; index < count; index++) yield readRecord(list, index, kind);
  }
}

/** The blobs and extents of one of a layer's sequences, in order. */
export async function* blobsOfSequence(
  repository: Repository,
  clusterId: string,
  layer: LayerRef,
  kind: 1 | 5,
  options: ReadOptions = {},
): AsyncGenerator<BlobRef> {
  const sequence = must(
    sequencesOf(layer).find((each) => each.kind === kind),
    'a layer has two sequences',
  );
  if (sequence.blob !== null) yield sequence.blob;
  yield* blobsOfLists(repository, clusterId, sequence.lists, kind, options);
}

/**
 * Reads the items with up to `depth` reads under way ahead of the consumer, and gives the results in the items' order.
 * Leaving early waits for the reads under way, so that none goes on behind the caller's back.
 */
export async function* readAhead<T, R>(
  items: AsyncIterable<T>,
  depth: number,
  read: (item: T) => Promise<R>,
): AsyncGenerator<{ item: T; result: R }> {
  assert(depth >= 1, 'reading needs at least one read');
  const ahead: { item: T; result: Promise<R> }[] = [];
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (let ended = false; ; ) {
      while (!ended && ahead.length < depth) {
        const next = await iterator.next();
        if (next.done === true) {
          ended = true;
          break;
        }
        const result = read(next.value);
        result.catch(() => undefined); // it is thrown when its turn comes
        ahead.push({ item: next.value, result });
      }
      const first = ahead.shift();
      if (first === undefined) return;
      yield { item: first.item, result: await first.result };
    }
  } finally {
    await Promise.allSettled(ahead.map(({ result }) => result));
    await iterator.return?.();
  }
}
