import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { MemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { FakeClock } from './fake-clock.ts';
import type { startVersity } from './object-servers.ts';

let server: ReturnType<typeof startVersity> | undefined;
let buckets = 0;

/**
 * What the engine's own tests keep their repositories in: memory, or with `npm test -- --store s3`
 * (`TIDEMARK_TEST_STORE=s3`) a bucket of an S3 server that runs until this process ends.
 */
export async function emptyStore(clock: Clock): Promise<ObjectStore> {
  const kind = process.env.TIDEMARK_TEST_STORE;
  if (kind === undefined || kind === '' || kind === 'memory') return new MemoryStore(clock);
  if (kind !== 's3') throw new Error(`TIDEMARK_TEST_STORE is memory or s3, not ${kind}`);
  // Unit tests keep their repositories here too, and need not wait for a client that they have no use for.
  const [{ openS3Store }, servers] = await Promise.all([
    import('../../src/storage/s3.ts'),
    import('./object-servers.ts'),
  ]);
  server ??= servers.startVersity();
  const { createBucket, place } = await server;
  const bucket = `engine-${++buckets}`;
  await createBucket(bucket);
  return openS3Store({ ...place(bucket), prefix: 'of/the-engine' });
}

/**
 * A clock in the test's hand that goes with it: a server dates objects by its own, and nothing is pruned where the two
 * do not agree.
 */
export function clockOfEmptyStore(): FakeClock {
  return process.env.TIDEMARK_TEST_STORE === 's3' ? new FakeClock(systemClock.nowMs()) : new FakeClock();
}
