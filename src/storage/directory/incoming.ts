import { open, opendir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, ignoring } from './directory-errors.ts';

/**
 * Where files are while they are written. `~` cannot be in an object key, so no listing and no key ever reaches here.
 */
export const INCOMING = 'incoming~';

/** Far longer than any write takes. */
const LEFTOVER_MS = 24 * 60 * 60 * 1000;

/**
 * Removes files that were left by writers that died. Younger ones may belong to a living process, so they stay; how old
 * one is, the file system alone says, whatever the clock of this machine.
 */
export async function sweepIncoming(path: string, probeName: string): Promise<void> {
  let nowMs: number | null | undefined;
  for await (const entry of await opendir(path)) {
    nowMs ??= await timeOfFileSystem(join(path, probeName));
    if (nowMs === null) return;
    const file = join(path, entry.name);
    try {
      const { mtimeMs } = await stat(file);
      if (mtimeMs < nowMs - LEFTOVER_MS) await ignoring(['ENOENT'], unlink(file));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

/** Null where no file can be made: on a read-only medium nothing can be removed either. */
async function timeOfFileSystem(probe: string): Promise<number | null> {
  try {
    await (await open(probe, 'wx', 0o600)).close();
    return (await stat(probe)).mtimeMs;
  } catch {
    return null;
  } finally {
    await unlink(probe).catch(() => undefined);
  }
}
