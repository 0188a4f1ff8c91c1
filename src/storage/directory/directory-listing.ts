import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { compareObjectKeys, isObjectKeyOf, type ObjectInfo, type ObjectKeys } from '../object-store.ts';
import { errnoOf } from './directory-errors.ts';
import { INCOMING } from './incoming.ts';

/** A directory may hold millions of files; this many names of it are in memory at once. */
const NAMES_MAX = 50_000;
const STATS_AT_ONCE = 32;

/**
 * The files below `root` whose path from there starts with `prefix`, in byte order of the paths.
 * What comes or goes during the listing may or may not be in it.
 */
export async function* listFiles(
  root: string,
  prefix: string,
  signal: AbortSignal | undefined,
  options: { namesMax?: number; objectKeys?: ObjectKeys } = {},
): AsyncGenerator<ObjectInfo> {
  const slash = prefix.lastIndexOf('/');
  const within = prefix.slice(0, slash + 1); // '' or 'some/directories/'
  const { namesMax = NAMES_MAX, objectKeys = 'repository' } = options;
  if (within !== '' && !isObjectKeyOf(objectKeys, within.slice(0, -1))) return;
  yield* listBelow({ root, signal, namesMax, objectKeys }, within, prefix.slice(slash + 1));
}

interface Listing {
  root: string;
  signal: AbortSignal | undefined;
  namesMax: number;
  objectKeys: ObjectKeys;
}

async function* listBelow(listing: Listing, within: string, namePrefix: string): AsyncGenerator<ObjectInfo> {
  for await (const names of sortedNames(listing, within, namePrefix)) {
    for (let at = 0; at < names.length; at += STATS_AT_ONCE) {
      throwIfAborted(listing.signal);
      yield* listNamed(listing, within, names.slice(at, at + STATS_AT_ONCE));
    }
  }
}

async function* listNamed(listing: Listing, within: string, names: readonly string[]): AsyncGenerator<ObjectInfo> {
  const infos = await Promise.all(names.map((name) => infoOf(listing.root, within + name)));
  for (const [index, name] of names.entries()) {
    if (name.endsWith('/')) {
      yield* listBelow(listing, within + name, '');
      continue;
    }
    const info = infos[index];
    if (info !== null && info !== undefined) yield info;
  }
}

async function infoOf(root: string, objectKey: string): Promise<ObjectInfo | null> {
  if (objectKey.endsWith('/')) return null;
  try {
    const { size, mtimeMs } = await stat(join(root, objectKey));
    return { objectKey, sizeBytes: size, modifiedAtMs: mtimeMs };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null; // deleted since its name was read
    throw error;
  }
}

/**
 * The directory's names in order, a directory as `name/` because that is how it sorts in a path. Memory is bounded by
 * reading the directory as often as it takes, each time keeping the smallest names not given yet.
 */
async function* sortedNames(listing: Listing, within: string, namePrefix: string): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const { names, complete } = await smallestNames(listing, within, namePrefix, after);
    if (names.length > 0) yield names;
    if (complete) return;
    const last = names[names.length - 1];
    assert(last !== undefined && compareObjectKeys(last, after) > 0, 'every pass over a directory gives names');
    after = last;
  }
}

async function smallestNames(
  { root, signal, namesMax, objectKeys }: Listing,
  within: string,
  namePrefix: string,
  after: string,
): Promise<{ names: string[]; complete: boolean }> {
  let names: string[] = [];
  let complete = true;
  const truncate = (): void => {
    names.sort(compareObjectKeys);
    if (names.length <= namesMax) return;
    names.length = namesMax;
    complete = false;
  };
  for await (const entry of entriesOf(join(root, within))) {
    throwIfAborted(signal);
    const name = entry.isDirectory() ? `${entry.name}/` : entry.name;
    if (!entry.name.startsWith(namePrefix) || !isObjectKeyOf(objectKeys, entry.name)) continue;
    if (compareObjectKeys(name, after) <= 0 || (within === '' && entry.name === INCOMING)) continue;
    if (!entry.isDirectory() && !entry.isFile()) continue;
    names.push(name);
    if (names.length >= 2 * namesMax) truncate();
  }
  truncate();
  names = names.slice();
  return { names, complete };
}

async function* entriesOf(path: string) {
  try {
    yield* await opendir(path, { bufferSize: 512 });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
  }
}
