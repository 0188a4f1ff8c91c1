import { throwIfAborted } from '../lib/abort.ts';
import { forEachConcurrently } from '../lib/bounded.ts';
import type { ReportProgress } from '../lib/progress.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { REPOSITORY_JSON, REPOSITORY_JSON_COPY } from './format/repository-json.ts';
import { LEASES_PREFIX, MANIFESTS_PREFIX, VERIFICATIONS_PREFIX } from './object-keys.ts';

const OBJECTS_AT_ONCE = 4;

/** From what is named to what names it: a copy that is cut off names nothing that is not there (Invariant 1). */
function rankOf(objectKey: string): number {
  if (objectKey === REPOSITORY_JSON) return 3;
  if (objectKey === REPOSITORY_JSON_COPY) return 2;
  return objectKey.startsWith(MANIFESTS_PREFIX) ? 1 : 0;
}

/**
 * Brings every object of a repository to another place, as it is: what is there already in its length stays, so that a
 * copy that was cut off goes on. Gives what was copied.
 */
export async function copyEverything(
  from: ObjectStore,
  to: ObjectStore,
  { signal, report }: { signal?: AbortSignal | undefined; report?: ReportProgress | undefined },
): Promise<{ objects: number; bytes: number }> {
  const there = new Map<string, number>();
  for await (const { objectKey, sizeBytes } of to.list('', { signal })) there.set(objectKey, sizeBytes);
  const missing: { objectKey: string; sizeBytes: number }[] = [];
  for await (const { objectKey, sizeBytes } of from.list('', { signal })) {
    if (staysBehind(objectKey) || there.get(objectKey) === sizeBytes) continue;
    missing.push({ objectKey, sizeBytes });
  }
  const bytesTotal = missing.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let bytes = 0;
  for (const rank of [0, 1, 2, 3]) {
    const ofRank = missing.filter(({ objectKey }) => rankOf(objectKey) === rank);
    await forEachConcurrently(ofRank, OBJECTS_AT_ONCE, async ({ objectKey }) => {
      throwIfAborted(signal);
      const body = await from.get(objectKey, { signal });
      await to.put(objectKey, body, { signal });
      bytes += body.length;
      report?.({ phase: 'copying', documentsDone: 0, bytesDone: bytes, bytesTotal, subject: objectKey });
    });
  }
  return { objects: missing.length, bytes };
}

/** What is about the old place: who writes there, and what was read there and found sound. */
function staysBehind(objectKey: string): boolean {
  return objectKey.startsWith(LEASES_PREFIX) || objectKey.startsWith(VERIFICATIONS_PREFIX);
}

/** The first object that is in one place and not in the other; null where there is none. */
export async function findForeign(
  place: ObjectStore,
  known: ObjectStore,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const ours = new Set<string>();
  for await (const { objectKey } of known.list('', { signal })) ours.add(objectKey);
  for await (const { objectKey } of place.list('', { signal })) if (!ours.has(objectKey)) return objectKey;
  return null;
}
