import { chmodSync, chownSync, closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { lstat, opendir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Misconfigured } from './errors.ts';

/** What is ours is its owner's alone, whatever the umask says. */
export const PRIVATE_FILE = 0o600;
export const PRIVATE_DIRECTORY = 0o700;

/** Rights of the group and of all others. */
const NOT_THE_OWNER = 0o077;
/**
 * A secret may be shared with a group on purpose, to be read; nobody else is to see it, and nobody else to change it.
 */
const NO_SECRET = 0o027;

/**
 * Refuses a file that holds a secret and that others may read. What cannot be looked at is left to who reads it; pipes
 * and the like pass.
 */
export async function requireSecret(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found !== null) requireSecretMode(path, found);
}

export function requireSecretSync(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined) requireSecretMode(path, found);
}

function requireSecretMode(path: string, { mode }: { mode: number }): void {
  const isRegular = (mode & 0o170000) === 0o100000;
  if (!isRegular || (mode & NO_SECRET) === 0) return;
  throw new Misconfigured({
    subject: path,
    message: `${path} holds a secret and is open to others (mode ${modeOf(mode)})`,
    hint: `Keep it to who runs Tidemark: chmod 600 ${path}`,
  });
}

export interface FileOwner {
  uid: number;
  gid: number;
}

/**
 * Whose files made below it are to be: where a command is run as root, those of the directory's own owner, so that the
 * service's user can go on with them. Null where they are ours anyway.
 */
export function ownerBelow(directory: string): FileOwner | null {
  if (process.getuid?.() !== 0) return null;
  for (let at = directory; ; at = dirname(at)) {
    const found = statSync(at, { throwIfNoEntry: false });
    if (found !== undefined) return found.uid === 0 ? null : { uid: found.uid, gid: found.gid };
    if (at === dirname(at)) return null;
  }
}

/**
 * Makes the file where it is missing, for its owner alone, and takes from one that is there what others may do with it.
 */
export function makePrivateFile(path: string): void {
  const owner = ownerBelow(dirname(path));
  const file = openSync(path, 'a', PRIVATE_FILE);
  try {
    tighten(path, fstatSync(file), owner);
  } finally {
    closeSync(file);
  }
}

/** The same of a file that may be missing and is not to be made. */
export function keepPrivate(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined) tighten(path, found, ownerBelow(dirname(path)));
}

function tighten(path: string, { mode, uid }: { mode: number; uid: number }, owner: FileOwner | null): void {
  const mine = process.getuid?.();
  if (mine !== 0 && mine !== uid) return; // only its owner may
  if ((mode & NOT_THE_OWNER) !== 0) chmodSync(path, PRIVATE_FILE);
  if (owner !== null && owner.uid !== uid) chownSync(path, owner.uid, owner.gid);
}

const ENTRIES_MAX = 1_000_000;

/** A directory that others may look into, and what they find open in it. */
export interface OpenDirectory {
  path: string;
  mode: string;
  files: number;
  directories: number;
}

/** Null where nobody but its owner gets in: then nothing in it is open either. */
export async function findOpen(path: string): Promise<OpenDirectory | null> {
  const root = await stat(path).catch(() => null);
  if (root === null || (root.mode & NOT_THE_OWNER) === 0) return null;
  const found: OpenDirectory = { path, mode: modeOf(root.mode), files: 0, directories: 0 };
  await countOpen(path, found, { entries: ENTRIES_MAX });
  return found;
}

async function countOpen(path: string, found: OpenDirectory, left: { entries: number }): Promise<void> {
  const entries = await opendir(path).catch(() => null);
  if (entries === null) return;
  for await (const { name } of entries) {
    if (left.entries-- <= 0) return;
    const at = join(path, name);
    const entry = await lstat(at).catch(() => null); // it may have gone
    if (entry === null || entry.isSymbolicLink() || (entry.mode & NOT_THE_OWNER) === 0) continue;
    if (!entry.isDirectory()) found.files++;
    else {
      found.directories++;
      await countOpen(at, found, left);
    }
  }
}

export function describeOpen({ path, mode, files, directories }: OpenDirectory): string {
  const within = files + directories === 0 ? '' : `, and in it ${files} files and ${directories} directories are`;
  return `${path} is open to others (mode ${mode})${within}: chmod -R go-rwx ${path}`;
}

function modeOf(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
