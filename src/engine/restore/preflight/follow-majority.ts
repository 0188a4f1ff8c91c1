import { type Timestamp64, timestampOf } from '../../../bson/timestamp.ts';
import { isAbort } from '../../../lib/abort.ts';
import type { Clock } from '../../../lib/clock.ts';
import { Fault } from '../../../lib/errors.ts';
import { codeOf } from '../../../mongo/errors.ts';
import type { RestoreTarget } from '../../../mongo/target.ts';
import type { RestoreLimits } from './restore-limits.ts';

export interface FollowMajorityOptions {
  /** The target in messages. */
  name: string;
  /** What the work is in, for messages. */
  phase: () => string;
  limits: RestoreLimits;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * Does work on a target that waits for majorities without a limit of its own: a build of a large index may rightly take
 * hours, and so may members that are far behind. What bounds all of it is that the majority gets on: where it has stood
 * still for `stallMsMax` although there is something for it to have, the work is cut off, and the Fault says what it
 * waited for.
 */
export async function whileMajorityFollows<T>(
  target: RestoreTarget,
  options: FollowMajorityOptions,
  work: (target: RestoreTarget) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const stalled = new AbortController();
  const watching = watch(target, options, over.signal, stalled);
  try {
    return await work(target.under(AbortSignal.any([target.signal, stalled.signal])));
  } catch (error) {
    throw stalled.signal.reason instanceof Fault && !target.signal.aborted ? stalled.signal.reason : error;
  } finally {
    over.abort();
    await watching;
  }
}

async function watch(
  target: RestoreTarget,
  { name, phase, limits, clock, signal }: FollowMajorityOptions,
  over: AbortSignal,
  stalled: AbortController,
): Promise<void> {
  const until = AbortSignal.any([over, signal]);
  const looking = target.under(until);
  let majority: Timestamp64 | null = null;
  let sinceMs = clock.monotonicMs();
  while (!until.aborted) {
    const seen = await look(looking);
    const now = clock.monotonicMs();
    const moves = seen !== null && !seen.quorumLost && (seen.majority >= seen.newest || seen.majority !== majority);
    if (moves) [majority, sinceMs] = [seen.majority, now];
    if (now - sinceMs > limits.stallMsMax) {
      stalled.abort(standsStill(name, phase(), limits.stallMsMax));
      return;
    }
    try {
      await clock.sleep(limits.lookEveryMs, until);
    } catch (error) {
      if (!isAbort(error)) throw error;
    }
  }
}

interface Seen {
  newest: Timestamp64;
  majority: Timestamp64;
  /** Fewer members that build indexes are up than builds wait for, though others may make a majority of writes. */
  quorumLost: boolean;
}

/** Null where the primary does not answer: the work finds that out by itself. */
async function look(target: RestoreTarget): Promise<Seen | null> {
  try {
    const { lastWrite } = await target.command('admin', { hello: 1 });
    return {
      newest: timestampOf(lastWrite.opTime.ts),
      majority: timestampOf(lastWrite.majorityOpTime.ts),
      quorumLost: await isQuorumLost(target),
    };
  } catch {
    return null;
  }
}

async function isQuorumLost(target: RestoreTarget): Promise<boolean> {
  const { hosts, needed } = target.form.builders;
  if (hosts.length === 0) return false;
  try {
    const { members } = await target.command('admin', { replSetGetStatus: 1 });
    const up = (members as { name: string; health: number }[]).filter(({ health }) => Number(health) === 1);
    return up.filter(({ name }) => hosts.includes(name)).length < needed;
  } catch (error) {
    // Whoever may not read it is told by the majority alone.
    if (codeOf(error) === UNAUTHORIZED) return false;
    throw error;
  }
}

const UNAUTHORIZED = 13;

function standsStill(name: string, phase: string, ms: number): Fault {
  return new Fault({
    op: 'wait for a majority',
    subject: name,
    message: `while ${phase}, a majority of the members of ${name}, or of those that build indexes, did not get on for ${Math.round(ms / 1000)} s`,
    retryable: true,
    hint: 'Look at replSetGetStatus for members that are down or have stopped replicating',
  });
}
