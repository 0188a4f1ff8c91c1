import { rmSync } from 'node:fs';
import { open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { keepPrivate } from '../lib/private-files.ts';
import type { Random } from '../lib/random.ts';

/** Enough for some thousand of the catalog's smallest changes, each of which writes a few pages to its log. */
const RESERVE_BYTES = 8 << 20;
const PIECE_BYTES = 1 << 20;
/** Made only where it does not itself fill the disk. */
const FREE_BYTES_MIN = 8 * RESERVE_BYTES;

/**
 * Room that is kept on the catalog's file system, and given up when it is full: so that the catalog can still write
 * down that a snapshot failed, and why. It is made again once there is room.
 */
export class Reserve {
  readonly #path: string;
  readonly #random: Random;
  readonly #onRelease: () => void;

  constructor(path: string, options: { random: Random; onRelease: () => void }) {
    this.#path = path;
    this.#random = options.random;
    this.#onRelease = options.onRelease;
  }

  /** Gives the room back; false where there was none. Synchronous: nothing else takes it in between. */
  release(): boolean {
    try {
      rmSync(this.#path);
    } catch {
      return false;
    }
    this.#onRelease();
    return true;
  }

  /** Makes the reserve where it is missing and there is room for it. What cannot be made now is made later. */
  async keep(): Promise<void> {
    if (((await stat(this.#path).catch(() => null))?.size ?? 0) >= RESERVE_BYTES) return;
    const { bsize, bavail } = await statfs(dirname(this.#path));
    if (bsize * bavail < FREE_BYTES_MIN) return;
    const making = `${this.#path}.making`;
    try {
      const file = await open(making, 'w', 0o600);
      try {
        // Random, because a file system that compresses would keep nothing of zeros.
        for (let at = 0; at < RESERVE_BYTES; at += PIECE_BYTES) await file.write(this.#random.bytes(PIECE_BYTES));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(making, this.#path);
      keepPrivate(this.#path);
    } catch {
      await rm(making, { force: true });
    }
  }
}
