import { formatTimestamp, type Timestamp64 } from '../../bson/timestamp.ts';
import { isAbort } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Repository } from '../../repository/repository.ts';
import { rawEntryAt, readCoverage, readSlice } from '../../repository/slices.ts';
import { type CheckpointToken, isTokenOf } from './checkpoint-token.ts';

export interface FindTokensOptions {
  repository: Repository;
  clusterId: string;
  checkpointId: string;
  tokens: readonly CheckpointToken[];
  /** Up to here every oplog has to be captured. */
  at: Timestamp64;
  waitMs: number;
  /** Whether it is worth looking into the repository: what the tailer says of its own progress. */
  mayBeThere: (token: CheckpointToken) => Promise<boolean>;
  onFound: (token: CheckpointToken) => Promise<void>;
  clock: Clock;
  signal: AbortSignal;
}

const POLL_MS = 500;

/**
 * Looks for a checkpoint's tokens in the captured oplog until all are seen or the time is over. Seen means: a run of
 * slices holds the token's own entry and goes on to the checkpoint's time. Resolves with why not, in words, one a token
 * that was not seen; tells of each that was.
 */
export async function findTokens(options: FindTokensOptions): Promise<string[]> {
  const { tokens, clock, signal, waitMs, at } = options;
  assert(
    tokens.every(({ ts }) => ts <= at),
    'the time of a checkpoint is that of its newest token',
  );
  const over = new AbortController();
  const watching = clock.sleep(waitMs, AbortSignal.any([signal, over.signal])).then(
    () => over.abort(),
    () => undefined,
  );
  try {
    const reasons = await Promise.all(tokens.map(async (token) => await findToken(options, token, over.signal)));
    return reasons.filter((reason) => reason !== null);
  } finally {
    over.abort();
    await watching;
  }
}

/** Null once it is seen. */
async function findToken(
  options: FindTokensOptions,
  token: CheckpointToken,
  over: AbortSignal,
): Promise<string | null> {
  const { clock, signal, waitMs, at } = options;
  for (;;) {
    if (await options.mayBeThere(token)) {
      const seen = await lookFor(options, token);
      if (seen === true) {
        await options.onFound(token);
        return null;
      }
      if (seen !== false) return seen;
    }
    if (over.aborted)
      return `the token of ${token.shardName} was not seen in the captured oplog, up to ${formatTimestamp(at)}, within ${Math.round(waitMs / 1000)} s`;
    try {
      await clock.sleep(POLL_MS, AbortSignal.any([signal, over]));
    } catch (error) {
      if (signal.aborted || !isAbort(error)) throw error;
    }
  }
}

/** True: seen. False: not captured as far yet. In words: it will never be. */
async function lookFor(
  { repository, clusterId, checkpointId, at, signal }: FindTokensOptions,
  { replicaSetName, shardName, ts }: CheckpointToken,
): Promise<boolean | string> {
  const source = { clusterId, replicaSetName };
  const { runs } = await readCoverage(repository, source, { signal });
  const run = runs.find((one) => one.first <= ts && ts <= one.last);
  const beyond = runs.some((one) => one.first > ts);
  if (run === undefined) return beyond ? `the captured oplog of ${shardName} has a gap at its token` : false;
  if (run.last < at) return beyond ? `the captured oplog of ${shardName} has a gap behind its token` : false;
  const span = must(
    run.slices.find((one) => one.first <= ts && ts <= one.last),
    'a run has a slice for each of its times',
  );
  const entry = rawEntryAt(await readSlice(repository, source, span, { signal }), ts);
  return entry !== null && isTokenOf(entry, checkpointId)
    ? true
    : `the captured oplog of ${shardName} holds another entry in place of its token`;
}
