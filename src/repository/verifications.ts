import { isAbort, throwIfAborted } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import { Fault, messageOf } from '../lib/errors.ts';
import { type SnapshotPlace, verificationKey } from './object-keys.ts';
import type { ReadOptions } from './reader.ts';
import type { Repository } from './repository.ts';
import { isSkewed, readStoreTime } from './store-time.ts';

/*
 * That every blob of a snapshot was read and found to be what was written, and when: by the modification time of an
 * empty object (`docs/repository-format.md`, Verified).
 */

/** To be called when all that the snapshot is made of was read with every check. */
export async function noteVerified(
  repository: Repository,
  place: SnapshotPlace,
  options: ReadOptions = {},
): Promise<void> {
  await repository.store.put(verificationKey(place), Buffer.alloc(0), options);
}

/** As above, of several; null, or what kept it from that: a repository on a read-only medium is checked too. */
export async function tryToNoteAllVerified(
  repository: Repository,
  places: readonly SnapshotPlace[],
  options: ReadOptions = {},
): Promise<string | null> {
  try {
    for (const place of places) await noteVerified(repository, place, options);
    return null;
  } catch (error) {
    if (isAbort(error) || !(error instanceof Fault)) throw error;
    return messageOf(error);
  }
}

/** Whether it was so within that time, by the store's own clock; where that and ours disagree, it was not. */
export async function wasVerifiedWithin(
  repository: Repository,
  place: SnapshotPlace,
  withinMs: number,
  options: ReadOptions = {},
): Promise<boolean> {
  assert(withinMs >= 0, 'a time is not negative');
  throwIfAborted(options.signal);
  if (withinMs === 0) return false;
  const noted = await repository.store.head(verificationKey(place), options);
  if (noted === null) return false;
  const { nowMs, skewMs } = await readStoreTime(repository, options);
  return !isSkewed(skewMs) && nowMs - noted.modifiedAtMs <= withinMs;
}

/** With the snapshot goes what was known of it. */
export async function forgetVerified(
  repository: Repository,
  place: SnapshotPlace,
  options: ReadOptions = {},
): Promise<void> {
  await repository.store.delete(verificationKey(place), options);
}
