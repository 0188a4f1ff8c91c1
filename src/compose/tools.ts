import { type Clock, systemClock } from '../lib/clock.ts';
import { createIdSource, type IdSource } from '../lib/ids.ts';
import type { Logger } from '../lib/logger.ts';
import { type Random, systemRandom } from '../lib/random.ts';

export interface Tools {
  clock: Clock;
  random: Random;
  ids: IdSource;
  log: Logger;
}

export function createTools(log: Logger): Tools {
  return { clock: systemClock, random: systemRandom, ids: createIdSource(systemClock, systemRandom), log };
}
