import { type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import { refuse } from '../refusals/refusals.ts';

/**
 * What a restore goes up to: every entry before `ts`, and with `inclusive` the entry at `ts` too. A second means up to
 * but not including it, an oplog timestamp up to and including it, as Atlas has it.
 */
export interface Point {
  ts: Timestamp64;
  inclusive: boolean;
}

export interface PointRequest {
  pointInTimeUtcSeconds?: number | undefined;
  oplogTs?: number | undefined;
  oplogInc?: number | undefined;
}

/** Atlas takes nothing before 2008. */
const SECONDS_MIN = 1_199_145_600;

/**
 * The point that is asked for, or the refusal. Whether it is there is judged by what was captured and never by a clock
 * of ours, which may be wrong: a time still to come is one that the captured oplog does not lead to.
 */
export function pointOf({ pointInTimeUtcSeconds: seconds, oplogTs, oplogInc }: PointRequest): Point {
  const bySecond = seconds !== undefined;
  const byEntry = oplogTs !== undefined || oplogInc !== undefined;
  if (bySecond === byEntry)
    throw refuse('INVALID_PIT_RESTORE_TIME', [
      'exactly one of pointInTimeUTCSeconds, or oplogTs with oplogInc, is needed',
    ]);
  if (byEntry && (oplogTs === undefined || oplogInc === undefined)) {
    throw refuse('INVALID_PIT_RESTORE_TIME', ['oplogTs and oplogInc go together']);
  }
  const t = bySecond ? seconds : (oplogTs as number);
  const i = bySecond ? 0 : (oplogInc as number);
  if (!Number.isInteger(t) || t < SECONDS_MIN || t > 0xffff_ffff || !Number.isInteger(i) || i < 0 || i > 0xffff_ffff) {
    throw refuse('INVALID_PIT_RESTORE_TIME', [`${t}.${i} is not a time of an oplog`]);
  }
  return { ts: timestampOf({ t, i }), inclusive: !bySecond };
}

/** A stretch of captured oplog: every entry from `first` to `last` is there. */
export interface CapturedRun {
  first: Timestamp64;
  last: Timestamp64;
}

export interface KnownSnapshot {
  id: string;
  /** T. */
  ts: Timestamp64;
  /**
   * How far the oplogs have to be captured before anything is reached from it: of a sharded cluster to the end of the
   * snapshot, by when transactions that were prepared before T were decided. T itself of a replica set.
   */
  decidedBy: Timestamp64;
  /** Whose oplogs all have to lead on from it: one, or those of all replica sets of a sharded cluster. */
  replicaSetNames: readonly string[];
}

/** The runs that count for a snapshot. */
export type RunsFor = (snapshot: KnownSnapshot) => readonly CapturedRun[];

/** Times that can be restored, ends included. */
export interface RestorableRange {
  from: Timestamp64;
  to: Timestamp64;
}

/** What is captured of all of them: a stretch is, where every one has a run. None where there are none. */
export function commonRuns(ofEach: readonly (readonly CapturedRun[])[]): CapturedRun[] {
  const [first = [], ...others] = ofEach;
  return others.reduce<CapturedRun[]>(
    (common, runs) =>
      common.flatMap((one) =>
        runs
          .map((run) => ({ first: max([one.first, run.first]), last: min([one.last, run.last]) }))
          .filter((both) => both.first <= both.last),
      ),
    [...first],
  );
}

/**
 * For each run, from the first snapshot in it to its end; runs without a snapshot lead nowhere. Oldest first, none
 * touching another.
 */
export function restorableRanges(runsFor: RunsFor, snapshots: readonly KnownSnapshot[]): RestorableRange[] {
  const ranges: RestorableRange[] = [];
  for (const snapshot of snapshots.toSorted((a, b) => byTime(a.ts, b.ts))) {
    const { ts } = snapshot;
    const run = runsFor(snapshot).find((one) => one.first <= ts && ts <= one.last);
    if (run === undefined || run.last < snapshot.decidedBy) continue;
    const before = ranges.at(-1);
    if (before === undefined || before.to < ts) ranges.push({ from: ts, to: run.last });
    else before.to = max([before.to, run.last]);
  }
  return ranges;
}

/**
 * The snapshot to begin with: the newest one at or before the point from whose T a run leads to the point. Null where
 * there is none. For a second, an entry at or after it has to be captured: only then is it known that nothing of the
 * time before is missing.
 */
export function baseFor(point: Point, runsFor: RunsFor, snapshots: readonly KnownSnapshot[]): KnownSnapshot | null {
  const leads = (snapshot: KnownSnapshot) => {
    const { ts, decidedBy } = snapshot;
    if (point.inclusive ? ts > point.ts : ts >= point.ts) return false;
    return runsFor(snapshot).some(
      (run) => run.first <= ts && ts <= run.last && point.ts <= run.last && decidedBy <= run.last,
    );
  };
  return snapshots
    .filter(leads)
    .reduce<KnownSnapshot | null>((best, one) => (best === null || one.ts > best.ts ? one : best), null);
}

/**
 * Where the restore window ends: at the newest that is known of the cluster, captured or in a snapshot. Our clock only
 * counts where it says less: one that is ahead must not have slices deleted that are in the window.
 */
export function windowEndMs(
  known: { capturedT: number | null; snapshots: readonly Pick<KnownSnapshot, 'ts'>[] },
  nowMs: number,
): number {
  const newest = max([...known.snapshots.map(({ ts }) => ts), timestampOf({ t: known.capturedT ?? 0, i: 0 })]);
  return newest === 0n ? nowMs : Math.min(nowMs, Number(newest >> 32n) * 1000);
}

/**
 * By when transactions that were prepared before T were decided: the end of the snapshot, of which its two times by our
 * clock tell how long it took. Where that clock was wrong the end is reckoned from T.
 */
export function decidedBy(ts: Timestamp64, took: { startedAtMs: number; finishedAtMs: number }): Timestamp64 {
  const finished = timestampOf({ t: Math.ceil(took.finishedAtMs / 1000), i: 0 });
  const seconds = Math.ceil(Math.max(0, took.finishedAtMs - took.startedAtMs) / 1000) + 1;
  const latest = timestampOf({ t: Number(ts >> 32n) + seconds, i: 0 });
  return finished < ts || finished > latest ? latest : finished;
}

/**
 * Slices that end at or before this entry are of no use: the window does not reach back to them, or no snapshot
 * precedes them. Null where nothing may go.
 */
export function uselessUpTo(
  snapshots: readonly Pick<KnownSnapshot, 'ts'>[],
  window: { nowMs: number; restoreWindowDays: number },
): Timestamp64 | null {
  const start = timestampOf({
    t: Math.max(0, Math.floor(window.nowMs / 1000) - window.restoreWindowDays * 86_400),
    i: 0,
  });
  // What lies in the window is restored from the last snapshot before it.
  const before = snapshots.filter(({ ts }) => ts <= start).map(({ ts }) => ts);
  const all = snapshots.map(({ ts }) => ts);
  const keepFrom = before.length > 0 ? max(before) : all.length > 0 ? min(all) : null;
  return keepFrom;
}

function max(values: readonly Timestamp64[]): Timestamp64 {
  return values.toSorted(byTime).at(-1) ?? 0n;
}

function min(values: readonly Timestamp64[]): Timestamp64 {
  return values.toSorted(byTime)[0] ?? 0n;
}

function byTime(a: Timestamp64, b: Timestamp64): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
