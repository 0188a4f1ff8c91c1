import { isAbort } from '../lib/abort.ts';
import { Damage, Fault, messageOf } from '../lib/errors.ts';
import { ObjectMissing, type ObjectStore } from '../storage/object-store.ts';
import {
  decodeRepositoryJson,
  hasChecksum,
  REPOSITORY_JSON,
  REPOSITORY_JSON_COPY,
  type RepositoryJson,
} from './format/repository-json.ts';

/**
 * What a repository says of itself, from `repository.json` or its copy (`docs/repository-format.md`, The second copy).
 */
export interface FoundDescription {
  description: RepositoryJson;
  /** As they are in the object that counts. */
  bytes: Buffer;
  /** False of a description of before there were checksums: that it was changed would not be seen. */
  checked: boolean;
  /** What was wrong with the original, where the copy had to be taken; null where it is sound. */
  trouble: string | null;
}

type Read =
  | { state: 'missing' }
  | { state: 'sound'; description: RepositoryJson; bytes: Buffer; checked: boolean }
  | {
      state: 'damaged';
      problem: Damage;
    };

/** Null where there is neither. Damage where what is there cannot be read, and its other copy cannot either. */
export async function readDescription(store: ObjectStore): Promise<FoundDescription | null> {
  const original = await readOne(store, REPOSITORY_JSON);
  if (original.state === 'sound' && original.checked) return { ...original, trouble: null };
  const copy = await readOne(store, REPOSITORY_JSON_COPY);
  if (copy.state === 'sound') {
    const trouble = troubleOf(original, copy.bytes);
    return { ...copy, trouble };
  }
  if (original.state === 'sound') return { ...original, trouble: null };
  if (original.state === 'missing' && copy.state === 'missing' && !(await hasSnapshots(store))) return null;
  const problem = original.state === 'damaged' ? original.problem.message : `${REPOSITORY_JSON} is missing`;
  const other = copy.state === 'damaged' ? copy.problem.message : 'there is no copy of it';
  throw new Damage({
    op: 'open repository',
    subject: REPOSITORY_JSON,
    message: `the repository in ${store.description} cannot be opened: ${problem}; ${other}`,
    hint: `Put ${REPOSITORY_JSON} back from a copy of the repository, or from a copy store: it is the same there`,
  });
}

/** Then it was a repository, and a new description would not open what is there. */
async function hasSnapshots(store: ObjectStore): Promise<boolean> {
  for await (const _ of store.list('manifests/')) return true;
  return false;
}

function troubleOf(original: Read, copied: Buffer): string | null {
  if (original.state === 'missing') return `${REPOSITORY_JSON} is missing`;
  if (original.state === 'damaged') return original.problem.message;
  return original.bytes.equals(copied)
    ? null
    : `${REPOSITORY_JSON} was changed: it has no checksum, and its copy says something else`;
}

async function readOne(store: ObjectStore, objectKey: string): Promise<Read> {
  let bytes: Buffer;
  try {
    bytes = await store.get(objectKey);
  } catch (error) {
    if (error instanceof ObjectMissing) return { state: 'missing' };
    throw error;
  }
  try {
    return { state: 'sound', description: decodeRepositoryJson(bytes, objectKey), bytes, checked: hasChecksum(bytes) };
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    return { state: 'damaged', problem: error };
  }
}

/**
 * Puts the description where it is missing or is not these bytes: the copy first, so that a sound one is there at every
 * moment. One of a newer version stays: the repository has become one since it was opened.
 */
export async function mendDescription(store: ObjectStore, bytes: Buffer): Promise<void> {
  for (const objectKey of [REPOSITORY_JSON_COPY, REPOSITORY_JSON]) {
    const found = await store.get(objectKey).catch((error: unknown) => {
      if (error instanceof ObjectMissing) return null;
      throw error;
    });
    if (found?.equals(bytes) === true || (found !== null && isNewer(found, bytes))) continue;
    await store.put(objectKey, bytes);
  }
}

function isNewer(found: Buffer, own: Buffer): boolean {
  try {
    const [there, here] = [found, own].map((bytes) => decodeRepositoryJson(bytes, REPOSITORY_JSON));
    return there !== undefined && here !== undefined && there.version > here.version;
  } catch (error) {
    if (error instanceof Damage) return false;
    if (error instanceof Fault) return true; // of a version that this Tidemark does not know
    throw error;
  }
}

/** As `mendDescription`, or what kept it from that: a repository on a read-only medium is used as it is. */
export async function tryToMend(store: ObjectStore, bytes: Buffer): Promise<string | null> {
  try {
    await mendDescription(store, bytes);
    return null;
  } catch (error) {
    if (isAbort(error) || !(error instanceof Fault)) throw error;
    return messageOf(error);
  }
}
