import { opendir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, ignoring } from './directory-errors.ts';

/** Where files are while they are written. `~` cannot be in an object key, so no listing and no key ever reaches here. */
export const INCOMING = 'incoming~';

/** Far longer than any write takes, on any clock that a file server may have. */
const LEFTOVER_MS = 24 * 60 * 60 * 1000;

/** Removes files that were left by writers that died. Younger ones may belong to a living process, so they stay. */
export async function sweepIncoming(path: string, nowMs: number): Promise<void> {
  for await (const entry of await opendir(path)) {
    const file = join(path, entry.name);
    try {
      const { mtimeMs } = await stat(file);
      if (mtimeMs < nowMs - LEFTOVER_MS) await ignoring(['ENOENT'], unlink(file));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}
