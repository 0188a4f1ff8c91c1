import type { Clock } from './clock.ts';
import type { Random } from './random.ts';

const OBJECT_ID = /^[a-f0-9]{24}$/;

/**
 * Atlas ids are the 24 hex digits of an ObjectId: 4 bytes of seconds, then 8 of our own, so they sort by time of
 * creation.
 */
export interface IdSource {
  next(): string;
}

export function isId(text: string): boolean {
  return OBJECT_ID.test(text);
}

export function createIdSource(clock: Clock, random: Random): IdSource {
  const process = random.bytes(5).toString('hex');
  let counter = random.bytes(3).readUIntBE(0, 3);
  return {
    next() {
      const seconds = Math.floor(clock.nowMs() / 1000);
      counter = (counter + 1) & 0xffffff;
      return seconds.toString(16).padStart(8, '0') + process + counter.toString(16).padStart(6, '0');
    },
  };
}
