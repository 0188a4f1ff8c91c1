import { constants } from 'node:fs';
import { chown, link, open, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { orAbort, throwIfAborted } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import { Fault } from '../lib/errors.ts';
import { fullDiskFault, isFull } from '../lib/full-disk.ts';
import { directoryFault, makeDirectories } from '../lib/make-directory.ts';
import { type FileOwner, ownerBelow, PRIVATE_FILE } from '../lib/private-files.ts';
import { type Random, systemRandom } from '../lib/random.ts';
import { errnoOf, faultOf, ignoring } from './directory/directory-errors.ts';
import { listFiles } from './directory/directory-listing.ts';
import { INCOMING, sweepIncoming } from './directory/incoming.ts';
import {
  type CallOptions,
  isObjectKeyOf,
  ObjectExists,
  type ObjectInfo,
  type ObjectKeys,
  ObjectMissing,
  type ObjectStore,
  type PutOptions,
} from './object-store.ts';

/** Attempts to put a file into a directory that a concurrent delete keeps removing because it was empty. */
const DIRECTORY_ATTEMPTS_MAX = 10;
const ANCHORED_MAX = 10_000;

export interface DirectoryStoreOptions {
  random?: Random;
  /** `repository` where left out. */
  objectKeys?: ObjectKeys;
  /** The option that named the directory. */
  option?: string;
}

/**
 * Objects as files below a directory of a local or network file system that has hard links. A new object is written
 * under another name, outside the namespace of objects, flushed, and linked or renamed into place: so it appears whole
 * or not at all.
 */
export class DirectoryStore implements ObjectStore {
  readonly description: string;
  readonly #root: string;
  readonly #owner: FileOwner | null;
  readonly #random: Random;
  readonly #objectKeys: ObjectKeys;
  /** Directories whose entry in their parent is known to be on the disk. */
  readonly #anchored = new Set<string>();

  private constructor(root: string, random: Random, objectKeys: ObjectKeys) {
    this.#root = root;
    this.#owner = ownerBelow(root);
    this.#random = random;
    this.#objectKeys = objectKeys;
    this.description = `directory ${root}`;
  }

  /** Creates the directory where it is missing, and removes what writers that died long ago left half written. */
  static async open(path: string, options: DirectoryStoreOptions = {}): Promise<DirectoryStore> {
    const root = resolve(path);
    const random = options.random ?? systemRandom;
    try {
      await makeDirectory(join(root, INCOMING), ownerBelow(root)).catch(async (cause: unknown) => {
        throw await directoryFault(root, cause, options.option);
      });
      await sweepIncoming(join(root, INCOMING), `${process.pid}-${random.bytes(8).toString('hex')}`);
    } catch (cause) {
      throw faultOf('open directory', root, cause);
    }
    return new DirectoryStore(root, random, options.objectKeys ?? 'repository');
  }

  async put(objectKey: string, body: Uint8Array, options: PutOptions = {}): Promise<void> {
    assert(isObjectKeyOf(this.#objectKeys, objectKey), `"${objectKey}" is an object key`);
    if (!this.#isHeld(objectKey)) throw unstorable(objectKey, this.description);
    // On abort the caller is let go at once; the one system call under way ends behind its back and then cleans up.
    throwIfAborted(options.signal);
    await orAbort(this.#put(objectKey, body, options), options.signal);
  }

  async #put(objectKey: string, body: Uint8Array, { ifAbsent, signal }: PutOptions): Promise<void> {
    throwIfAborted(signal);
    const final = join(this.#root, objectKey);
    const incoming = join(this.#root, INCOMING, `${process.pid}-${this.#random.bytes(8).toString('hex')}`);
    try {
      await writeFlushed(incoming, body, this.#owner, signal);
      throwIfAborted(signal);
      await this.#place(incoming, final, ifAbsent === true);
      await this.#flushTo(dirname(final));
    } catch (cause) {
      await ignoring(['ENOENT'], unlink(incoming)).catch(() => undefined); // swept at the next open
      if (errnoOf(cause) === 'EEXIST' && ifAbsent === true) throw new ObjectExists(objectKey, this.description);
      if (isFull(cause)) throw await fullDiskFault('put object', objectKey, this.#root, cause);
      throw faultOf('put object', objectKey, cause);
    }
  }

  async #place(incoming: string, final: string, ifAbsent: boolean): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        // link(2) fails where the name exists, for all processes; rename(2) replaces.
        if (!ifAbsent) return await rename(incoming, final);
        await link(incoming, final);
        return await unlink(incoming);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT' || attempt >= DIRECTORY_ATTEMPTS_MAX) throw error;
        await ignoring(['ENOENT'], makeDirectory(dirname(final), this.#owner));
      }
    }
  }

  /**
   * Flushes the directory, and once in this process its parents: another process may have made them and not have come
   * to flushing them.
   */
  async #flushTo(directory: string): Promise<void> {
    await flushDirectory(directory);
    for (let parent = directory; parent.length > this.#root.length && !this.#anchored.has(parent); ) {
      if (this.#anchored.size >= ANCHORED_MAX) this.#anchored.clear();
      this.#anchored.add(parent);
      parent = dirname(parent);
      await flushDirectory(parent);
    }
  }

  async get(objectKey: string, options: CallOptions = {}): Promise<Buffer> {
    throwIfAborted(options.signal);
    return await orAbort(this.#get(objectKey), options.signal);
  }

  async #get(objectKey: string): Promise<Buffer> {
    if (!this.#isHeld(objectKey)) throw new ObjectMissing(objectKey, this.description);
    try {
      return await readWhole(join(this.#root, objectKey));
    } catch (cause) {
      if (isNotThere(cause)) throw new ObjectMissing(objectKey, this.description);
      throw faultOf('get object', objectKey, cause);
    }
  }

  async head(objectKey: string, options: CallOptions = {}): Promise<ObjectInfo | null> {
    throwIfAborted(options.signal);
    return this.#isHeld(objectKey) ? await orAbort(this.#head(objectKey), options.signal) : null;
  }

  async #head(objectKey: string): Promise<ObjectInfo | null> {
    try {
      const found = await stat(join(this.#root, objectKey));
      return found.isFile() ? { objectKey, sizeBytes: found.size, modifiedAtMs: found.mtimeMs } : null;
    } catch (cause) {
      if (isNotThere(cause)) return null;
      throw faultOf('look at object', objectKey, cause);
    }
  }

  /** A key that can be a path here. One of an export may be none: then no such object can be. */
  #isHeld(objectKey: string): boolean {
    return isObjectKeyOf(this.#objectKeys, objectKey) && isPath(objectKey);
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncIterable<ObjectInfo> {
    try {
      yield* listFiles(this.#root, prefix, options.signal, { objectKeys: this.#objectKeys });
    } catch (cause) {
      throw faultOf('list objects', prefix, cause);
    }
  }

  async delete(objectKey: string, options: CallOptions = {}): Promise<void> {
    throwIfAborted(options.signal);
    if (this.#isHeld(objectKey)) await orAbort(this.#delete(objectKey), options.signal);
  }

  async #delete(objectKey: string): Promise<void> {
    const path = join(this.#root, objectKey);
    try {
      await ignoring(['ENOENT', 'ENOTDIR', 'EISDIR'], unlink(path));
      // Directories are no objects: an empty one goes with its last file. A put that meets the gap makes it again.
      for (let parent = dirname(path); parent.length > this.#root.length; parent = dirname(parent)) {
        await rmdir(parent);
        this.#anchored.delete(parent);
      }
    } catch (cause) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EBUSY'].includes(errnoOf(cause) ?? '')) {
        throw faultOf('delete object', objectKey, cause);
      }
    }
  }
}

const NAME_BYTES_MAX = 255;

/** What every file system of today can hold, and what does not reach into where files are written. */
function isPath(objectKey: string): boolean {
  const segments = objectKey.split('/');
  return segments[0] !== INCOMING && segments.every((segment) => Buffer.byteLength(segment) <= NAME_BYTES_MAX);
}

function unstorable(objectKey: string, where: string): Fault {
  return new Fault({
    op: 'put object',
    subject: objectKey,
    message: `${where} cannot hold an object of the name ${objectKey}`,
    hint: `A file system takes names of at most ${NAME_BYTES_MAX} bytes: use an object store for longer ones`,
  });
}

function isNotThere(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errnoOf(error) ?? '');
}

/**
 * Makes the directory and its parents, each flushed into its own parent, so that power loss cannot take it away with
 * what is in it.
 */
async function makeDirectory(path: string, owner: FileOwner | null): Promise<void> {
  for (const made of (await makeDirectories(path)).reverse()) {
    if (owner !== null) await chown(made, owner.uid, owner.gid);
    await flushDirectory(dirname(made));
  }
}

async function flushDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeFlushed(
  path: string,
  body: Uint8Array,
  owner: FileOwner | null,
  signal: AbortSignal | undefined,
): Promise<void> {
  const handle = await open(path, 'wx', PRIVATE_FILE);
  try {
    if (owner !== null) await handle.chown(owner.uid, owner.gid);
    for (let at = 0; at < body.length; ) {
      throwIfAborted(signal);
      const { bytesWritten } = await handle.write(body, at, body.length - at, at);
      assert(bytesWritten > 0, 'a write makes progress');
      at += bytesWritten;
    }
    throwIfAborted(signal);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Files are never changed in place, so one handle sees one whole object. */
async function readWhole(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const body = Buffer.allocUnsafeSlow(size);
    let at = 0;
    while (at < size) {
      const { bytesRead } = await handle.read(body, at, size - at, at);
      if (bytesRead === 0) throw new Error(`the file ended after ${at} of ${size} bytes`);
      at += bytesRead;
    }
    return body;
  } finally {
    await handle.close();
  }
}
