import { access, constants, open, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/lib/clock.ts';

const LOCK_WAIT_MS = 600_000;
const LOCK_POLL_MS = 200;

/** Where what is fetched is kept, by kind. */
export function cacheDirectory(kind = 'mongod'): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'tidemark', kind);
}

/** A file that holds the pid of its owner; one whose owner is gone is taken over. */
export async function acquireLock(path: string): Promise<() => Promise<void>> {
  const deadlineMs = systemClock.monotonicMs() + LOCK_WAIT_MS;
  while (systemClock.monotonicMs() < deadlineMs) {
    const handle = await open(path, 'wx').catch(() => null);
    if (handle !== null) {
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(path, { force: true });
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (owner > 0 && !isAlive(owner)) await rm(path, { force: true });
    else await systemClock.sleep(LOCK_POLL_MS);
  }
  throw new Error(`${path} is held by another process for too long; remove it if that process is gone`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
