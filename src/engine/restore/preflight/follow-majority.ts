import { type Timestamp64, timestampOf } from '../../../bson/timestamp.ts';
import { isAbort } from '../../../lib/abort.ts';
import { assert } from '../../../lib/assert.ts';
import type { Clock } from '../../../lib/clock.ts';
import { Fault, isWeather } from '../../../lib/errors.ts';
import { asFault, codeOf } from '../../../mongo/errors.ts';
import { electedAnother, electionIdOf, type RestoreTarget } from '../../../mongo/target.ts';
import type { RestoreLimits } from './restore-limits.ts';

/** Of one question to a primary. */
const LOOK_MS_MAX = 5_000;

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
 * waited for. It is cut off at once where another primary is elected: see `RestoreTarget.settle`.
 */
export async function whileMajorityFollows<T>(
  target: RestoreTarget,
  options: FollowMajorityOptions,
  work: (target: RestoreTarget) => Promise<T>,
): Promise<T> {
  const { stallMsMax, lookEveryMs } = options.limits;
  assert(lookEveryMs > 0 && stallMsMax >= lookEveryMs, 'it is looked before a majority is called late');
  const over = new AbortController();
  const stalled = new AbortController();
  const watching = watch(target, options, over.signal, stalled);
  try {
    return await work(target.under(AbortSignal.any([target.signal, stalled.signal])));
  } catch (error) {
    throw target.signal.aborted ? error : await causeBehind(target.under(stalled.signal), error);
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
    if (seen?.elected) {
      stalled.abort(seen.elected);
      return;
    }
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
  /** Where the primary is not the one that the work was admitted under. */
  elected: Fault | null;
  newest: Timestamp64;
  majority: Timestamp64;
  /** Fewer members that build indexes are up than builds wait for, though others may make a majority of writes. */
  quorumLost: boolean;
}

/**
 * What an error of followed work comes of, be it that the work was cut off for it or not: a majority that stands still,
 * an election. The error itself where it comes of nothing else. `target`: as the work has it.
 */
export async function causeBehind(target: RestoreTarget, error: unknown): Promise<unknown> {
  const { reason } = target.signal;
  if (reason instanceof Fault) return reason;
  return target.signal.aborted ? error : ((await electionBehind(target, error)) ?? error);
}

/**
 * What looks odd after an election (a collection that is gone, a write that was counted twice) comes of it, whatever
 * the server says. Bounded: where nobody answers, the error stays what it is.
 */
async function electionBehind(target: RestoreTarget, error: unknown): Promise<Fault | null> {
  if (isWeather(asFault(error, 'restore', ''))) return null;
  const elected = await target
    .under(AbortSignal.timeout(LOOK_MS_MAX))
    .electedMeanwhile()
    .catch(() => null);
  if (elected === null) return null;
  const { op, subject, message } = elected;
  return new Fault({ op, subject, message, retryable: true, cause: error });
}

/** Null where the primary does not answer: the work finds that out by itself. */
async function look(watching: RestoreTarget): Promise<Seen | null> {
  // One that was stopped answers never, and the one that was elected meanwhile is asked the next time.
  const target = watching.under(AbortSignal.any([watching.signal, AbortSignal.timeout(LOOK_MS_MAX)]));
  try {
    const hello = await target.command('admin', { hello: 1 });
    const { lastWrite } = hello;
    const { electionId } = target.form;
    return {
      elected: electionId === null || electionIdOf(hello) === electionId ? null : electedAnother(hello),
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
