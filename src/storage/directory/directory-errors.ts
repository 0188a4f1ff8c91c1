import { Cancelled, Fault, messageOf } from '../../lib/errors.ts';
import { ObjectExists, ObjectMissing } from '../object-store.ts';

const HINTS: Record<string, string> = {
  ENOSPC: 'The disk is full: make room, for example by deleting snapshots and pruning',
  EDQUOT: 'The disk quota is used up: raise it, or make room by deleting snapshots and pruning',
  EACCES: 'Give the user that runs Tidemark read and write permission on the repository directory',
  EPERM: 'Give the user that runs Tidemark the permission, and use a file system that has hard links',
  EROFS: 'The file system is mounted read-only: remount it, or choose another directory',
  ENOTSUP: 'The file system has no hard links: choose another one',
  EIO: 'The disk reports errors: look at the system log and replace it',
  EMFILE: 'Raise the limit of open files (ulimit -n)',
  ENFILE: 'Raise the limit of open files (ulimit -n)',
  ENOTDIR: 'Something that is not a directory is in the way: choose another directory',
};

/** Conditions that pass by themselves or are cleared by an operator while a task waits. */
const RETRYABLE = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'EINTR', 'ESTALE', 'ETIMEDOUT']);

export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code;
}

/** The error as a Fault that says what to do. What is no error of the file system passes as it is. */
export function faultOf(op: string, subject: string, cause: unknown): Error {
  if (cause instanceof Fault || cause instanceof Cancelled) return cause;
  if (cause instanceof ObjectExists || cause instanceof ObjectMissing) return cause;
  const errno = errnoOf(cause);
  if (errno === undefined && cause instanceof Error) return cause;
  const hint = errno === undefined ? undefined : HINTS[errno];
  return new Fault({
    op,
    subject,
    message: `cannot ${op} ${subject}: ${messageOf(cause)}`,
    retryable: errno !== undefined && RETRYABLE.has(errno),
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Waits for the call and lets the named errors pass. */
export async function ignoring(errnos: readonly string[], call: Promise<void>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!errnos.includes(errnoOf(error) ?? '')) throw error;
  }
}
