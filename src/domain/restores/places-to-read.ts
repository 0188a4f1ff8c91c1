import { copiesOfSnapshots } from '../../catalog/snapshot-copies.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import { must } from '../../lib/assert.ts';
import { Damage, Fault } from '../../lib/errors.ts';
import type { DomainContext } from '../context.ts';

/** Region of a copy; null is the repository itself. */
export type PlaceToRead = string | null;

/**
 * Where the snapshot is, the best first: the repository, unless the original was deleted there, then the copies that
 * are whole. Never empty: where there is nothing, reading says so.
 */
export async function placesToRead({ catalog }: DomainContext, snapshotId: string): Promise<PlaceToRead[]> {
  const snapshot = must(await findSnapshot(catalog.reader, snapshotId), 'the row of a snapshot stays');
  const copies = await copiesOfSnapshots(catalog.reader, [snapshotId]);
  const regions = copies.filter(({ state }) => state === 'completed').map(({ regionName }) => regionName);
  return snapshot.deletedAtMs === null || regions.length === 0 ? [null, ...regions] : regions;
}

/**
 * Reads from the first place that has it whole. What `read` does must be harmless until it has seen all that it needs.
 */
export async function readFromBest<T>(
  context: DomainContext,
  request: { snapshotId: string; signal: AbortSignal },
  read: (place: PlaceToRead) => Promise<T>,
): Promise<T> {
  const { snapshotId, signal } = request;
  const [first = null, ...others] = await placesToRead(context, snapshotId);
  let [tried, lost] = [first, await attempt(first, read)];
  for (const place of others) {
    if (!('error' in lost) || !isLost(lost.error) || signal.aborted) break;
    noteLoss(context, { snapshotId, tried, place }, lost.error);
    [tried, lost] = [place, await attempt(place, read)];
  }
  if ('error' in lost) throw lost.error;
  return lost.result;
}

async function attempt<T>(
  place: PlaceToRead,
  read: (place: PlaceToRead) => Promise<T>,
): Promise<{ result: T } | { error: unknown }> {
  try {
    return { result: await read(place) };
  } catch (error) {
    return { error };
  }
}

export function noteLoss(
  { log }: DomainContext,
  { snapshotId, tried, place }: { snapshotId: string; tried: PlaceToRead; place: PlaceToRead },
  error: unknown,
): void {
  log.warn(
    { err: error, snapshot: snapshotId, lost: tried ?? 'the original', region: place },
    'reading the copy instead',
  );
}

/** A copy may have what this place has not. Slices of the oplog are copied nowhere. */
export function isLost(error: unknown): boolean {
  if (error instanceof Damage) return error.op !== 'read slice';
  return error instanceof Fault && error.op === 'read manifest';
}
