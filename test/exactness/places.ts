import type { SeededRandom } from '../support/seeded-random.ts';
import type { Place } from './writer.ts';

const app = (name: string): Place => ({ db: 'app', name });

/**
 * Collections that live as long as the workload, with names that have broken backups: paths, spaces, case, our peers'
 * own file names, the longest possible.
 */
export const STEADY: readonly Place[] = [
  app('orders'),
  app('ORDERS'),
  app('a/..'),
  app('x/../../../../f'),
  app(' leading, "quotes" and\nnewline '),
  app('наборы-😀'),
  app('dots..in.the.name.'),
  app('enxcol_.state.esc'),
  app('l'.repeat(251)),
  { db: 'meta', name: 'pbm' },
  { db: 'métro-世界', name: 'stations' },
  { db: 'd'.repeat(63), name: 'c' },
];

export const COLLATED = app('collated');
export const CLUSTERED = app('clustered');
export const VALIDATED = app('validated');
export const WITH_IMAGES = app('with-images');
export const EXPIRING = app('expiring');
export const CAPPED: readonly Place[] = [app('capped-by-size'), app('capped-by-number')];
export const TIME_SERIES = app('measurements');
export const STORED_FUNCTIONS = app('system.js');

/** Names that are created, dropped, renamed over each other and re-created all the time. */
export const CHURNED: readonly Place[] = [
  app('t0'),
  app('t1'),
  app('t2'),
  app('t3'),
  app('t4'),
  { db: 'other', name: 't0' },
  { db: 'other', name: 't1' },
  { db: 'fleeting', name: 't0' },
  { db: 'fleeting', name: 't1' },
];
export const FLEETING_DB = 'fleeting';

const ORDINARY: readonly Place[] = [...STEADY, ...STEADY, COLLATED, CLUSTERED, VALIDATED, WITH_IMAGES, ...CHURNED];

/** Where an ordinary write may go. */
export function anyPlace(random: SeededRandom): Place {
  return random.pick(ORDINARY);
}
