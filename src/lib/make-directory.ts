import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Fault, Misconfigured, messageOf } from './errors.ts';
import { PRIVATE_DIRECTORY } from './private-files.ts';

/**
 * Makes the directory and what is missing above it, each for its owner alone; returns what was made, from the top down.
 * Level by level, because Node's recursive mkdir never returns where a file system answers that a parent which is there
 * is not, as below /proc. Throws the errors of the file system: ENOTDIR where something else is in the way.
 */
export async function makeDirectories(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isDirectory(at)); at = dirname(at)) missing.push(at);
  const made: string[] = [];
  for (const at of missing.reverse()) {
    try {
      await mkdir(at, { mode: PRIVATE_DIRECTORY });
      made.push(at);
    } catch (error) {
      // Somebody else made it meanwhile.
      if (codeOf(error) !== 'EEXIST' || !(await isDirectory(at))) throw error;
    }
  }
  return made;
}

/** The same, and proves that files can be made there. `option` is the one that named the place, for the message. */
export async function makeUsableDirectory(path: string, option?: string): Promise<void> {
  try {
    await makeDirectories(path);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw await directoryFault(path, cause, option);
  }
}

/** False where there is nothing. Throws where something else than a directory is there, or it cannot be told. */
async function isDirectory(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    // Of a path through a file too: the loop above comes to that file.
    if (path !== dirname(path) && ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return false;
    throw error;
  }
  throw Object.assign(new Error(`ENOTDIR: ${path} is not a directory`), { code: 'ENOTDIR', path });
}

/** Where the world is at fault and not the choice of the place. */
const WORLD: Readonly<Record<string, string>> = {
  EACCES: 'Run the command as a user who may write there, give that user the right, or name another directory',
  EPERM: 'Run the command as a user who may write there, give that user the right, or name another directory',
  EROFS: 'It is mounted read-only: mount it for writing, or name a directory on another file system',
  ENOSPC: 'The disk is full: make room, or name a directory on another file system',
  EDQUOT: 'The quota is used up: raise it, or name a directory on another file system',
};

/** Why a directory cannot be made or used, in a sentence that says what to do. */
export async function directoryFault(path: string, cause: unknown, option?: string): Promise<Error> {
  const code = codeOf(cause);
  if (cause instanceof Fault || code === undefined) return cause as Error;
  const op = 'make directory';
  const hint = WORLD[code];
  if (hint !== undefined)
    return new Fault({ op, subject: path, message: `the directory ${path} cannot be written (${code})`, hint });
  return new Misconfigured({
    op,
    subject: path,
    message: `${path} cannot be a directory of Tidemark: ${why(code, path, cause)}`,
    hint: 'Name a directory of a file system that keeps files; it is made where it is missing',
    ...(option === undefined ? {} : { option }),
  });
}

function why(code: string, path: string, cause: unknown): string {
  if (code === 'ENOTDIR') return messageOf(cause).replace(/^ENOTDIR: /, '');
  if (code === 'ENOENT') return `the file system of ${dirname(pathOf(cause) ?? path)} takes no directories`;
  return messageOf(cause);
}

/** The level at which it failed. */
function pathOf(error: unknown): string | undefined {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
