import type { Progress } from '../lib/progress.ts';

/**
 * How much of the whole each phase is, in the order in which they come: rough shares, so that one bar goes once from
 * its left to its right instead of beginning again at each phase. What is in no list is work of one phase. Pure.
 */
const WORKS: readonly (readonly (readonly [phase: string, weight: number])[])[] = [
  [
    ['starting', 1],
    ['scanning', 85],
    ['catching up', 6],
    ['reading capped collections', 2],
    ['waiting for the other shards', 2],
    ['compacting', 2],
    ['writing manifest', 2],
  ],
  [
    ['verifying the oplog', 2],
    ['verifying the repository', 2],
    ['verifying every blob', 15],
    ['checking the target', 2],
    ['clearing the routing metadata', 1],
    ['clearing the target', 1],
    ['creating collections', 4],
    ['loading documents', 50],
    ['replaying the oplog', 6],
    ['building indexes', 12],
    ['creating views', 1],
    ['letting documents expire', 1],
    ['restoring users and roles', 1],
    ['putting the collections in their places', 1],
    ['restoring the routing metadata', 1],
    ['waiting for a majority', 2],
  ],
];

export interface Place {
  /** Of the whole, 0 to 1, where the phase begins and ends. */
  from: number;
  to: number;
}

const PLACES = new Map<string, Place>(WORKS.flatMap(placesOf));

function placesOf(work: readonly (readonly [phase: string, weight: number])[]): [string, Place][] {
  const whole = work.reduce((sum, [, weight]) => sum + weight, 0);
  let before = 0;
  return work.map(([phase, weight]) => {
    const from = before / whole;
    before += weight;
    return [phase, { from, to: before / whole }];
  });
}

/** Null of work that has one phase, and of what is no work yet, as connecting is. */
export function placeOf(phase: string): Place | null {
  return PLACES.get(phase) ?? null;
}

/** How much of its phase is done, by bytes or by collections; null where nothing tells. The total is an estimate. */
export function shareOfPhase({ bytesDone, bytesTotal, collectionsDone, collectionsTotal }: Progress): number | null {
  if (bytesTotal !== undefined && bytesTotal > 0) return Math.min(1, bytesDone / bytesTotal);
  if (collectionsTotal !== undefined && collectionsTotal > 0)
    return Math.min(1, (collectionsDone ?? 0) / collectionsTotal);
  return null;
}

/** How much of the whole is done; null where nothing tells. */
export function shareOfWhole(progress: Progress): number | null {
  const place = placeOf(progress.phase);
  const share = shareOfPhase(progress);
  return place === null ? share : place.from + (place.to - place.from) * (share ?? 0);
}

const SHARE_MIN = 0.02;
const ELAPSED_MS_MIN = 1000;

/**
 * How long the rest takes, by how long this phase took so far and by what comes after it; null while that would be a
 * guess. `elapsedMs` is since the phase began.
 */
export function leftMs(progress: Progress, elapsedMs: number): number | null {
  const share = shareOfPhase(progress);
  if (share === null || share < SHARE_MIN || elapsedMs < ELAPSED_MS_MIN) return null;
  const place = placeOf(progress.phase) ?? { from: 0, to: 1 };
  const wholePhaseMs = elapsedMs / share;
  const left = wholePhaseMs * (1 - share + (1 - place.to) / (place.to - place.from));
  return left > 0 ? left : null;
}
