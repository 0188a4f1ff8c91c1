import type { Timestamp64 } from '../../bson/timestamp.ts';
import { Fault } from '../../lib/errors.ts';

/** The end of a replay: the state at cluster time `ts`, what became visible at that very time included or not. */
export interface ReplayEnd {
  ts: Timestamp64;
  inclusive: boolean;
}

/** Whether what became visible at `ts` is part of it. */
export function reaches(end: ReplayEnd, ts: Timestamp64): boolean {
  return end.inclusive ? ts <= end.ts : ts < end.ts;
}

/** Where replay reads from. */
export interface OplogSource {
  /**
   * Buffers of whole raw entries, in order and without a gap, from the first one after the snapshot's T (earlier ones
   * are passed over) to the end at least. It is read twice: once before the target is touched, once to replay. What
   * follows the end is searched for commits of prepared transactions that were visible before it; how far is the
   * caller's choice.
   */
  entries(): AsyncIterable<Buffer>;
  /** The raw entry at `ts`, or null: for transactions that began at or before T. */
  earlier(ts: Timestamp64): Promise<Buffer | null>;
}

/** The second reading met something else than the first. */
export function changedOplog(what: string): Fault {
  return new Fault({
    op: 'replay',
    subject: 'the oplog',
    message: `the oplog changed while it was replayed: ${what}`,
    hint: 'Restore again',
  });
}
