import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../lib/errors.ts';
import { makePrivateFile } from '../lib/private-files.ts';

/** Held for as long as the process lives. */
export interface ProcessLock {
  release(): void;
}

/**
 * One service for one data directory. The lock is an exclusive transaction on a file of its own, because the operating
 * system gives that up however the process ends, where a file with a process id in it would have to be judged.
 */
export function takeProcessLock(path: string): ProcessLock {
  let file: DatabaseSync | undefined;
  try {
    makePrivateFile(path);
    file = new DatabaseSync(path);
    const opened = file;
    opened.exec('pragma busy_timeout = 0; pragma journal_mode = delete; begin exclusive');
    return { release: () => opened.close() };
  } catch (cause) {
    file?.close();
    throw lockFault(path, cause);
  }
}

const SQLITE_BUSY = 5;

/** Held by another process, or not to be had for a reason of the file system, which is then the message. */
function lockFault(path: string, cause: unknown): Fault {
  const op = 'lock the data directory';
  const errcode = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) : 0;
  if ((errcode & 0xff) === SQLITE_BUSY) {
    const message = 'another Tidemark is serving from this data directory';
    const hint = 'Stop it first, or use another data directory. (Other commands may run beside it.)';
    return new Fault({ op, subject: path, message, hint, cause });
  }
  const hint =
    'Look whether the user that runs Tidemark may write in the data directory, and whether its file system is full or mounted read-only';
  return new Fault({ op, subject: path, message: `the lock ${path} cannot be written`, hint, cause });
}
