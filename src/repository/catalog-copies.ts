import { must } from '../lib/assert.ts';
import { Damage, Fault } from '../lib/errors.ts';
import { ObjectExists } from '../storage/object-store.ts';
import { envelopeKind } from './format/envelope.ts';
import { JsonFields } from './format/json-fields.ts';
import { decodeSealedLines, encodeSealedLines } from './format/sealed-lines.ts';
import { CATALOG_PREFIX } from './object-keys.ts';
import type { ReadOptions } from './reader.ts';
import type { Repository } from './repository.ts';

const COPIES_KEPT = 10;
/** Copies within one millisecond take the next free one. */
const TIME_ATTEMPTS_MAX = 1000;
const VERSION = 1;

/** Stores the copy, which is JSON, as the newest, and deletes all but the newest ten. */
export async function writeCatalogCopy(
  repository: Repository,
  copy: unknown,
  options: ReadOptions = {},
): Promise<void> {
  await repository.secureDescription();
  const payload = encodeSealedLines([{ kind: 'catalog', version: VERSION, copy }]);
  const newest = (await listCopies(repository, options)).at(-1);
  await putUnderFreeTime(repository, payload, newest, options);
  const objectKeys = await listCopies(repository, options);
  for (const objectKey of objectKeys.slice(0, -COPIES_KEPT)) await repository.store.delete(objectKey, options);
}

async function putUnderFreeTime(
  repository: Repository,
  payload: Buffer,
  newest: string | undefined,
  options: ReadOptions,
): Promise<void> {
  // A clock that was set back must not make this copy older than those that it replaces, and the next one to be
  // deleted.
  const startMs = Math.max(repository.clock.nowMs(), newest === undefined ? 0 : timeOfCopy(newest) + 1);
  for (let attempt = 0; attempt < TIME_ATTEMPTS_MAX; attempt++) {
    const objectKey = copyKey(startMs + attempt);
    const object = await repository.sealer.seal(envelopeKind.catalogCopy, payload, Buffer.from(objectKey));
    try {
      return await repository.store.put(objectKey, object, { ...options, ifAbsent: true });
    } catch (error) {
      if (!(error instanceof ObjectExists)) throw error;
    }
  }
  throw new Fault({ op: 'write catalog copy', subject: copyKey(startMs), message: 'no time was free for the copy' });
}

/** `catalog/20261122T102030.456Z`: sorts by time. */
function copyKey(timeMs: number): string {
  return `${CATALOG_PREFIX}${new Date(timeMs).toISOString().replaceAll(/[-:]/g, '')}`;
}

/** 0 where the name is none of ours. */
function timeOfCopy(objectKey: string): number {
  const [, date, hour, minute, second] = /^catalog\/(\d{8})T(\d{2})(\d{2})(\d{2}\.\d{3})Z$/.exec(objectKey) ?? [];
  if (date === undefined) return 0;
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
  return Date.parse(`${day}T${hour}:${minute}:${second}Z`) || 0;
}

/** Oldest first. */
async function listCopies(repository: Repository, options: ReadOptions): Promise<string[]> {
  const objectKeys: string[] = [];
  for await (const { objectKey } of repository.store.list(CATALOG_PREFIX, options)) objectKeys.push(objectKey);
  return objectKeys;
}

/** The newest copy that can be read, or null where there is none. Damage when there are copies and none can be read. */
export async function readLatestCatalogCopy(repository: Repository, options: ReadOptions = {}): Promise<unknown> {
  const objectKeys = await listCopies(repository, options);
  let firstDamage: Damage | undefined;
  for (const objectKey of objectKeys.toReversed()) {
    try {
      return await readCopy(repository, objectKey, options);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      firstDamage ??= error; // an older copy is better than none
    }
  }
  if (objectKeys.length === 0) return null;
  throw must(firstDamage, 'none could be read, so one was damaged');
}

/** Copies that are there, and what is wrong with those that cannot be read. */
export async function checkCatalogCopies(
  repository: Repository,
  options: ReadOptions = {},
): Promise<{ copies: number; damaged: { objectKey: string; problem: string }[] }> {
  const objectKeys = await listCopies(repository, options);
  const damaged: { objectKey: string; problem: string }[] = [];
  for (const objectKey of objectKeys) {
    try {
      await readCopy(repository, objectKey, options);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      damaged.push({ objectKey, problem: error.message });
    }
  }
  return { copies: objectKeys.length, damaged };
}

async function readCopy(repository: Repository, objectKey: string, options: ReadOptions): Promise<unknown> {
  const object = await repository.store.get(objectKey, options);
  const payload = await repository.sealer.unseal(envelopeKind.catalogCopy, object, Buffer.from(objectKey), objectKey);
  const [line] = decodeSealedLines(payload, objectKey);
  const fields = new JsonFields(line ?? null, objectKey);
  if (fields.text('kind') !== 'catalog' || fields.count('version') !== VERSION) {
    throw fields.damaged(`it is not a catalog copy of version ${VERSION}`);
  }
  return (line as { copy?: unknown }).copy;
}
