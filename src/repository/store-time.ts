import { Fault } from '../lib/errors.ts';
import type { ReadOptions } from './reader.ts';
import type { Repository } from './repository.ts';

/** Clocks of machines that are looked after are seconds apart at most. */
export const SKEW_MS_MAX = 5 * 60_000;
/** Some stores tell whole seconds, cut off. */
const RESOLUTION_MS = 1000;

export const PROBES_PREFIX = 'probes/';

/**
 * The time by which a store dates its objects, and how far this machine's clock is ahead of that (negative: behind it).
 */
export interface StoreTime {
  nowMs: number;
  skewMs: number;
}

/**
 * Asks the store for its time: an object is put, looked at, and deleted. Of a directory it is the file system's time.
 */
export async function readStoreTime(
  { store, clock, random }: Pick<Repository, 'store' | 'clock' | 'random'>,
  options: ReadOptions = {},
): Promise<StoreTime> {
  const objectKey = `${PROBES_PREFIX}${random.bytes(12).toString('hex')}`;
  const beforeMs = clock.nowMs();
  try {
    await store.put(objectKey, Buffer.alloc(0), { ...options, ifAbsent: true });
    const afterMs = clock.nowMs();
    const nowMs = (await store.head(objectKey, options))?.modifiedAtMs;
    if (nowMs !== undefined) return { nowMs, skewMs: skewOf(nowMs, beforeMs, afterMs) };
  } finally {
    await store.delete(objectKey, options);
  }
  const message = `${store.description} does not show an object that was just put there`;
  throw new Fault({ op: 'read the time of the store', subject: objectKey, message, retryable: true });
}

/** Between the two looks at our clock the store wrote down `storeMs`: what that leaves open is no skew. */
function skewOf(storeMs: number, beforeMs: number, afterMs: number): number {
  if (storeMs > afterMs) return afterMs - storeMs;
  return Math.max(0, beforeMs - storeMs - RESOLUTION_MS);
}

/** The store's time, or the Fault that keeps what judges by age from deleting anything. */
export async function requireStoreTime(
  repository: Pick<Repository, 'store' | 'clock' | 'random'>,
  what: string,
  options: ReadOptions = {},
): Promise<number> {
  const { nowMs, skewMs } = await readStoreTime(repository, options);
  if (!isSkewed(skewMs)) return nowMs;
  throw new Fault({
    op: 'compare the clocks',
    subject: repository.store.description,
    message: `${what}: ${describeSkew(skewMs, repository.store.description)}`,
    retryable: true, // an operator sets the clock while a task waits
    hint: SKEW_HINT,
  });
}

export const SKEW_HINT =
  'Set the clock of this machine, or that of the store, and have both follow a time server (NTP); then try again';

export function isSkewed(skewMs: number): boolean {
  return Math.abs(skewMs) > SKEW_MS_MAX;
}

/** `the clock of this machine is 25 h 0 min ahead of that of directory /backups`. */
export function describeSkew(skewMs: number, where: string): string {
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  const amount = hours > 0 ? `${hours} h ${rest} min` : `${minutes} min`;
  return `the clock of this machine is ${amount} ${skewMs > 0 ? 'ahead of' : 'behind'} that of ${where}`;
}
