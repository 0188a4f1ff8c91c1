import { Cancelled } from './errors.ts';

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason instanceof Error ? signal.reason : new Cancelled();
}

/**
 * The promise, or a rejection as soon as the signal fires. What the promise does afterwards is the caller's to bound.
 */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  throwIfAborted(signal);
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason instanceof Error ? signal.reason : new Cancelled());
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Fires so many milliseconds after `signal` does: for work that is better let end than cut off, and must end all the
 * same.
 */
export function lingering(signal: AbortSignal, ms: number): AbortSignal {
  const late = new AbortController();
  const onAbort = () => {
    const timeout = AbortSignal.timeout(ms);
    timeout.addEventListener('abort', () => late.abort(signal.reason), { once: true });
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  return late.signal;
}

export function isAbort(error: unknown): boolean {
  return error instanceof Cancelled || (error instanceof Error && error.name === 'AbortError');
}
