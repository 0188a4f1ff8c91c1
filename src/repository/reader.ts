import { assert } from '../lib/assert.ts';
import { Damage } from '../lib/errors.ts';
import { ObjectMissing } from '../storage/object-store.ts';
import { type BlobRef, countRecords, readRecord } from './format/blob-list.ts';
import type { BlobKind } from './format/envelope.ts';
import { blobKey } from './object-keys.ts';
import type { Repository } from './repository.ts';

export interface ReadOptions {
  signal?: AbortSignal | undefined;
}

/** A blob's payload, after every check of the format. Damage names the object. The buffer is the caller's alone. */
export async function readBlob(
  repository: Repository,
  clusterId: string,
  ref: BlobRef,
  options: ReadOptions = {},
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
