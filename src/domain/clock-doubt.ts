import type { DomainContext } from './context.ts';

/** Why the clock that expiry goes by is not to be trusted, or null. */
export type ClockDoubt = () => Promise<string | null>;

/**
 * True where nothing may be deleted because its time is over: the clock is wrong by the store's own, and it is said.
 */
export async function isClockDoubtful({ log }: DomainContext, doubt: ClockDoubt, what: string): Promise<boolean> {
  const reason = await doubt();
  if (reason !== null) log.warn({ reason }, `${what} that are over are kept until the clocks agree`);
  return reason !== null;
}
