import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../lib/errors.ts';

/** Held for as long as the process lives. */
export interface ProcessLock {
  release(): void;
}

/**
 * One service for one data directory. The lock is an exclusive transaction on a file of its own, because the operating system gives that up however the process ends, where a
 * file with a process id in it would have to be judged.
 */
export function takeProcessLock(path: string): ProcessLock {
  const file = new DatabaseSync(path);
  try {
    file.exec('pragma busy_timeout = 0; pragma journal_mode = delete; begin exclusive');
  } catch (cause) {
    file.close();
    throw new Fault({
      op: 'lock the data directory',
      subject: path,
      message: 'another Tidemark is serving from this data directory',
      hint: 'Stop it first, or use another data directory. (Other commands may run beside it.)',
      cause,
    });
  }
  return { release: () => file.close() };
}
