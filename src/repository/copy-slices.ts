import type { Timestamp64 } from '../bson/timestamp.ts';
import { throwIfAborted } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import { forEachConcurrently } from '../lib/bounded.ts';
import type { ReportProgress } from '../lib/progress.ts';
import { ObjectMissing } from '../storage/object-store.ts';
import { envelopeKind } from './format/envelope.ts';
import { parseGapName, parseSliceName } from './format/slice-name.ts';
import type { Repository } from './repository.ts';
import { openSlice, prefixOf, type SliceSource } from './slices.ts';

const OBJECTS_AT_ONCE = 4;

export interface CopySlicesOptions {
  /** What ends at or before this is about to be pruned and is left out; null where all is of use. */
  keepFrom?: Timestamp64 | null;
  signal?: AbortSignal | undefined;
  report?: ReportProgress | undefined;
}

/**
 * Brings the captured oplog of a replica set into another place of the same repository: every slice and gap note that
 * is not there yet, each read and checked on the way, the oldest first. What was pruned here stays there until it is
 * pruned there. Damage names a slice that is not what was written.
 */
export async function copySlices(
  from: Repository,
  to: Repository,
  source: SliceSource,
  options: CopySlicesOptions = {},
): Promise<{ storedBytes: number }> {
  assert(from.repositoryId === to.repositoryId, 'a copy store has the keys of what it copies');
  const { keepFrom = null, signal, report } = options;
  const prefix = prefixOf(from, source);
  const there = new Map<string, number>();
  for await (const { objectKey, sizeBytes } of to.store.list(prefix, { signal })) there.set(objectKey, sizeBytes);
  let storedBytes = 0;
  const missing = async function* () {
    for await (const { objectKey, sizeBytes } of from.store.list(prefix, { signal }))
      if (there.get(objectKey) !== sizeBytes && isOfUse(objectKey.slice(prefix.length), keepFrom)) yield objectKey;
  };
  await forEachConcurrently(missing(), OBJECTS_AT_ONCE, async (objectKey) => {
    throwIfAborted(signal);
    const object = await readChecked(from, source, objectKey, signal);
    if (object === null) return;
    await to.store.put(objectKey, object, { signal });
    storedBytes += object.length;
    report?.({ phase: 'copying the captured oplog', documentsDone: 0, bytesDone: storedBytes });
  });
  return { storedBytes };
}

function isOfUse(name: string, keepFrom: Timestamp64 | null): boolean {
  const ends = parseSliceName(name)?.last ?? parseGapName(name);
  return ends !== null && (keepFrom === null || ends > keepFrom);
}

/** The object as it is stored, once it was seen to be sound; null where it was pruned meanwhile. */
async function readChecked(
  from: Repository,
  source: SliceSource,
  objectKey: string,
  signal: AbortSignal | undefined,
): Promise<Buffer | null> {
  const name = objectKey.slice(prefixOf(from, source).length);
  const span = parseSliceName(name);
  let object: Buffer;
  try {
    object = await from.store.get(objectKey, { signal });
  } catch (error) {
    if (error instanceof ObjectMissing) return null;
    throw error;
  }
  if (span === null) await from.sealer.unseal(envelopeKind.gap, object, Buffer.from(objectKey), objectKey);
  else await openSlice(from, object, span, objectKey);
  return object;
}
