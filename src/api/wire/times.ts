import { isoSeconds } from '../../lib/clock.ts';

/**
 * `{name: time}` or nothing at all: Atlas leaves a time out that is not there yet, and Go clients fail on an empty one.
 */
export function timeIfKnown<Name extends string>(name: Name, ms: number | null): { [key in Name]?: string } {
  return (ms === null ? {} : { [name]: isoSeconds(ms) }) as { [key in Name]?: string };
}

export function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : isoSeconds(ms);
}
