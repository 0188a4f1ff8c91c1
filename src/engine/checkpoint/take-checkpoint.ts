import type { Timestamp64 } from '../../bson/timestamp.ts';
import { isAbort, orAbort, throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { Cancelled, Fault } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { type ClusterReplicaSet, findReplicaSets } from '../../mongo/cluster-replica-sets.ts';
import { redactUri } from '../../mongo/connection/connect.ts';
import { FollowingClock, type SharedTime } from '../../mongo/shared-time.ts';
import { balancerHold, type HoldRecord } from '../sharding/balancer-hold.ts';
import { shardingInMotion } from '../sharding/sharding-in-motion.ts';
import { type CheckpointToken, tokenNote } from './checkpoint-token.ts';

export interface TakeCheckpointOptions {
  /** Connection string of the sharded cluster. */
  uri: string;
  checkpointId: string;
  /** That the balancer is stopped is written down here first. */
  holdRecord: HoldRecord;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  /** Who is to get a token, the config servers last. */
  onReplicaSets?: (replicaSets: readonly ClusterReplicaSet[]) => Promise<void>;
  /** All replica sets answered, the balancer stands still. */
  onHeld?: () => Promise<void>;
  /**
   * Before the balancer is given back; of tokens that were written although others could not be, too, then without a
   * time.
   */
  onTokens: (tokens: readonly CheckpointToken[], at: Timestamp64 | null) => Promise<void>;
  onBalancerReleased?: (heldMs: number) => void;
  holdMsMax?: number;
}

export interface WrittenTokens {
  tokens: CheckpointToken[];
  /** The newest of their times: at it every shard has its token, and nothing was being moved. */
  at: Timestamp64;
}

type TokenOptions = TakeCheckpointOptions & { replicaSets: readonly ClusterReplicaSet[] };

/** From when the balancer stands still. What is not done by then is given up: the next checkpoint is due soon. */
const HOLD_MS_MAX = 20_000;
const REST_POLL_MS = 100;

/**
 * Writes a checkpoint's tokens (docs/checkpoints.md): everybody is connected to first, then the balancer is held for as
 * long as it takes to put a note into each oplog and to see that nothing is being moved at the newest note's time.
 * Given back whatever happens; where that fails too, it stays written down that it has to be.
 */
export async function takeCheckpoint(options: TakeCheckpointOptions): Promise<WrittenTokens> {
  const replicaSets = await findReplicaSets(options.uri, { signal: options.signal });
  if (replicaSets === null) throw notSharded(redactUri(options.uri));
  await options.onReplicaSets?.(replicaSets);
  return await markAll(options, replicaSets);
}

function notSharded(subject: string): Fault {
  const message = `${subject} leads to a replica set now, of which no checkpoints are made`;
  return new Fault({ op: 'take checkpoint', subject, message, hint: 'Register the sharded cluster again' });
}

async function markAll(
  options: TakeCheckpointOptions,
  replicaSets: readonly ClusterReplicaSet[],
): Promise<WrittenTokens> {
  const { clock, log, signal, holdRecord } = options;
  const released = options.onBalancerReleased;
  const { uri, configServer } = must(replicaSets.at(-1), 'a sharded cluster has config servers');
  assert(configServer, 'the config servers come last');
  const notes = await connectAll(replicaSets, signal);
  assert(notes.length === replicaSets.length, 'every replica set is connected to');
  const hold = balancerHold({
    uri,
    record: holdRecord,
    clock,
    log,
    signal,
    ...(released === undefined ? {} : { onReleased: released }),
  });
  try {
    try {
      await hold.take();
      await options.onHeld?.();
      return await withinHold(options, async (within) => await writeAtRest({ ...options, replicaSets }, notes, within));
    } finally {
      await hold.giveBack();
    }
  } finally {
    await Promise.all(notes.map(async (note) => await note.close()));
  }
}

async function connectAll(replicaSets: readonly ClusterReplicaSet[], signal: AbortSignal): Promise<FollowingClock[]> {
  const found = await Promise.allSettled(
    replicaSets.map(async ({ uri, shardName }) => await FollowingClock.connect(uri, shardName, signal)),
  );
  const connected = found.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = found.find((one) => one.status === 'rejected');
  if (failed === undefined) return connected;
  await Promise.all(connected.map(async (one) => await one.close()));
  throw failed.reason;
}

async function withinHold<T>(
  { clock, signal, holdMsMax = HOLD_MS_MAX }: TakeCheckpointOptions,
  work: (within: AbortSignal) => Promise<T>,
): Promise<T> {
  assert(holdMsMax > 0, 'a hold has a time');
  const tooLong = new AbortController();
  const over = new AbortController();
  const message = `the tokens could not be written within ${holdMsMax / 1000} s of the balancer's stop`;
  const watching = clock.sleep(holdMsMax, over.signal).then(
    () => tooLong.abort(new Fault({ op: 'take checkpoint', subject: 'the sharded cluster', message })),
    () => undefined,
  );
  try {
    return await work(AbortSignal.any([signal, tooLong.signal]));
  } catch (error) {
    throw tooLong.signal.aborted && !signal.aborted && isAbort(error) ? tooLong.signal.reason : error;
  } finally {
    over.abort();
    await watching;
  }
}

/**
 * Writes tokens until, at the newest one's time, nothing was being moved. Who asked for a migration by hand is waited
 * for within the hold.
 */
async function writeAtRest(
  options: TokenOptions,
  notes: readonly FollowingClock[],
  within: AbortSignal,
): Promise<WrittenTokens> {
  let inTheWay = '';
  try {
    for (;;) {
      const written = await writeAll(options, notes, within);
      const moving = await inMotion(notes, written.at, within);
      if (moving === null) {
        await options.onTokens(written.tokens, written.at);
        return written;
      }
      inTheWay = moving;
      await options.clock.sleep(REST_POLL_MS, within);
    }
  } catch (error) {
    throwIfAborted(options.signal);
    if (inTheWay === '' || !within.aborted) throw error;
    throw new Fault({
      op: 'take checkpoint',
      subject: 'the sharded cluster',
      message: `chunks did not come to rest while the balancer stood still: ${inTheWay}`,
      hint: 'A migration that was asked for by hand, or a resharding, goes on although the balancer is stopped',
    });
  }
}

async function writeAll(
  { replicaSets, checkpointId, onTokens }: TokenOptions,
  notes: readonly FollowingClock[],
  within: AbortSignal,
): Promise<WrittenTokens> {
  const note = tokenNote(checkpointId);
  const ended = await Promise.allSettled(notes.map(async (one) => await orAbort(one.append(note), within)));
  const times: SharedTime[] = [];
  const tokens: CheckpointToken[] = [];
  ended.forEach((one, index) => {
    if (one.status === 'rejected') return;
    const { shardName, replicaSetName, configServer } = must(replicaSets[index], 'a note for each replica set');
    times.push(one.value);
    tokens.push({ shardName, replicaSetName, configServer, ts: one.value.ts });
  });
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    if (!(failed.reason instanceof Cancelled)) await onTokens(tokens, null);
    throw failed.reason;
  }
  assert(tokens.length === replicaSets.length, 'every replica set has its token');
  const newest = times.reduce((max, one) => (one.ts > max.ts ? one : max));
  // Behind this time nothing can come any more, on any of them: whoever is behind is told the time and writes on.
  await orAbort(
    Promise.all(
      notes.map(async (one, index) => {
        if (must(times[index], 'every note has a time').ts < newest.ts) await one.moveOn(newest);
      }),
    ),
    within,
  );
  return { tokens, at: newest.ts };
}

async function inMotion(
  notes: readonly FollowingClock[],
  at: Timestamp64,
  within: AbortSignal,
): Promise<string | null> {
  const found = await Promise.all(notes.map(async (one) => await shardingInMotion(one.member, at, within)));
  return found.find((reason) => reason !== null) ?? null;
}
