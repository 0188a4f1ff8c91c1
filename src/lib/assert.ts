/** A broken invariant of our own code. A task that meets one fails at once and is never retried. */
export class Bug extends Error {
  override readonly name = 'Bug';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Bug(message);
}

/** The value, or a Bug when it is null or undefined. */
export function must<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new Bug(message);
  return value;
}

/** For the default branch of a switch over a closed set. */
export function unreachable(value: never): never {
  throw new Bug(`unexpected value ${JSON.stringify(value)}`);
}
