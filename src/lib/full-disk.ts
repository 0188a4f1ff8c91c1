import { lstat, opendir, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Fault } from './errors.ts';

/** Entries looked at to say what fills a disk; of more it is said that it is at least so much. */
const ENTRIES_MAX = 50_000;
const SHOWN_MAX = 5;

const SQLITE_FULL = 13;

/** Whether a call of the file system, or of SQLite, failed for want of room. */
export function isFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('errcode' in error && error.errcode === SQLITE_FULL) return true;
  return 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** The Fault of a full disk: which file system, and what of ours fills it. */
export async function fullDiskFault(op: string, subject: string, root: string, cause: unknown): Promise<Fault> {
  const quota = cause instanceof Error && 'code' in cause && cause.code === 'EDQUOT';
  return new Fault({
    op,
    subject,
    message: `cannot ${op} ${subject}: ${quota ? 'the quota is used up: ' : ''}${await describeFullDisk(root)}`,
    hint: 'Make room there: delete snapshots, then run `tidemark repository prune --sweep-failed`, which also removes what failed snapshots left; or enlarge the file system',
    cause,
  });
}

/**
 * `the file system of /backups (mounted at /mnt, 10.0 GB) has 0.0 GB left; below /backups are blobs with 8.1 GB, ...`.
 */
export async function describeFullDisk(root: string): Promise<string> {
  const there = await nearest(resolve(root));
  const { bsize, blocks, bavail } = await statfs(there);
  const mounted = await mountPointOf(there);
  const file = `the file system of ${root} (mounted at ${mounted}, ${size(bsize * blocks)}) has ${size(bsize * bavail)} left`;
  const parts = await sizesBelow(there);
  const shown = parts.sizes
    .slice(0, SHOWN_MAX)
    .map(([name, bytes]) => `${name} with ${parts.whole ? '' : 'at least '}${size(bytes)}`);
  return shown.length === 0 ? file : `${file}; below ${there} are ${shown.join(', ')}`;
}

async function nearest(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(() => null);
    if (found?.isDirectory() === true || at === dirname(at)) return at;
  }
}

async function mountPointOf(path: string): Promise<string> {
  const { dev } = await stat(path);
  let at = path;
  while (at !== dirname(at) && (await stat(dirname(at))).dev === dev) at = dirname(at);
  return at;
}

/** Bytes on the disk of each entry of the directory, the largest first. */
async function sizesBelow(root: string): Promise<{ sizes: [string, number][]; whole: boolean }> {
  const left = { entries: ENTRIES_MAX };
  const sizes: [string, number][] = [];
  for await (const { name } of await opendir(root)) {
    const bytes = await bytesOf(join(root, name), left);
    if (bytes > 0) sizes.push([name, bytes]);
  }
  return { sizes: sizes.sort((a, b) => b[1] - a[1]), whole: left.entries > 0 };
}

async function bytesOf(path: string, left: { entries: number }): Promise<number> {
  if (left.entries-- <= 0) return 0;
  const found = await lstat(path).catch(() => null); // it may have gone
  if (found === null) return 0;
  let bytes = found.blocks * 512;
  if (!found.isDirectory()) return bytes;
  const entries = await opendir(path).catch(() => null);
  if (entries === null) return bytes;
  for await (const { name } of entries) bytes += await bytesOf(join(path, name), left);
  return bytes;
}

function size(bytes: number): string {
  for (const [unit, of] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['kB', 1e3],
  ] as const) {
    if (bytes >= of) return `${(bytes / of).toFixed(1)} ${unit}`;
  }
  return `${bytes} bytes`;
}
