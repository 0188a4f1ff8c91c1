import { throwIfAborted } from '../lib/abort.ts';
import type { CallOptions } from './object-store.ts';
import type { RemoteStore } from './remote-store.ts';
import { StoreFault } from './store-fault.ts';

/** Under this name Atlas, too, tries whether it may write. */
export const PERMISSION_CHECK = '.permissioncheck';

/**
 * Finds out whether an export can be written: throws a StoreFault where not, else gives the bucket's location, null
 * where its provider does not say.
 */
export async function checkBucket(store: RemoteStore, options: CallOptions = {}): Promise<string | null> {
  const location = await store.location(options);
  await store.put(PERMISSION_CHECK, Buffer.from('Tidemark may write here.\n'), options);
  try {
    await store.delete(PERMISSION_CHECK, options);
  } catch (error) {
    // To write is all that an export needs; where deleting is not allowed, or objects are locked, it stays.
    throwIfAborted(options.signal);
    if (!(error instanceof StoreFault)) throw error;
    if (error.problem !== 'denied' && error.problem !== 'refused') throw error;
  }
  return location;
}
