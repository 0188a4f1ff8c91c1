import { Fault } from '../lib/errors.ts';
import { ObjectExists, type ObjectStore } from './object-store.ts';

const PROBE = 'conditional-put-check';

/**
 * A repository lives by puts that fail where there is an object already, and some servers that speak S3 ignore the
 * condition without a word. Tried once, when a repository is made.
 */
export async function requireConditionalPuts(store: ObjectStore): Promise<void> {
  await store.put(PROBE, Buffer.from('first'));
  try {
    await store.put(PROBE, Buffer.from('second'), { ifAbsent: true });
  } catch (error) {
    if (error instanceof ObjectExists) return;
    throw error;
  } finally {
    await store.delete(PROBE);
  }
  throw new Fault({
    op: 'make a repository',
    subject: store.description,
    message: `${store.description} overwrites an object where it was asked not to (If-None-Match)`,
    hint: 'Two writers could destroy each other’s work there: take a newer version of the server, or another one',
  });
}
