/**
 * When a checkpoint is due. Pure. The grid is the clock's own, in UTC: with 15 minutes at 0, 15, 30 and 45 past every
 * hour.
 */
export interface CheckpointCadence {
  intervalMinutes: number;
  /** What was due up to then has been made, or was missed. */
  servedUntilMs: number;
}

const MINUTE_MS = 60_000;
/**
 * A checkpoint that nobody could make by then was missed: another is due soon, and one made now would say less about
 * the time it was due at than that one.
 */
export const CHECKPOINT_LATE_MS = 2 * MINUTE_MS;

export type CheckpointDue = 'notYet' | 'now' | 'missed';

export function checkpointDue(cadence: CheckpointCadence, nowMs: number): CheckpointDue {
  const lastMs = nextCheckpointMs(cadence, nowMs) - cadence.intervalMinutes * MINUTE_MS;
  if (lastMs <= cadence.servedUntilMs) return 'notYet';
  return nowMs - lastMs <= CHECKPOINT_LATE_MS ? 'now' : 'missed';
}

/** The first due time strictly after `afterMs`. */
export function nextCheckpointMs({ intervalMinutes }: CheckpointCadence, afterMs: number): number {
  const everyMs = intervalMinutes * MINUTE_MS;
  return (Math.floor(afterMs / everyMs) + 1) * everyMs;
}
