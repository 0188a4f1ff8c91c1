import type { Timestamp64 } from '../../bson/timestamp.ts';
import { isAbort } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { type Backoff, backoffOf } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { Cancelled, describeError, Fault } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { type ClusterReplicaSet, findReplicaSets } from '../../mongo/cluster-replica-sets.ts';
import { type TailOplogOptions, type TailProgress, tailOplog } from './tail-oplog.ts';

/** How far one replica set of a sharded cluster is captured. */
export interface CapturedReplicaSet {
  /** `config` for the config servers. */
  shardName: string;
  configServer: boolean;
  replicaSetName: string;
  host: string | null;
  /** Up to this entry; null while nothing is stored. */
  captured: Timestamp64 | null;
  lagSeconds: number | null;
  /** When its tailer last said so, or failed. */
  updatedAtMs: number;
  /** Why its tailer ended; null while one is at work. */
  failure: string | null;
}

/** What is captured of the cluster, told whenever one of its tailers has something to tell. */
export interface ClusterTailProgress {
  /** Of a replica set the member that is read; null of a sharded cluster. */
  host: string | null;
  /** Every replica set is captured up to this entry; null while one has stored nothing. */
  captured: Timestamp64 | null;
  /** Of the replica set that is behind most. */
  lagSeconds: number;
  /** Of a sharded cluster: its replica sets, the config servers last. */
  replicaSets: CapturedReplicaSet[] | null;
}

export interface TailClusterLimits {
  /** How often the replica sets are looked for anew. */
  replicaSetsEveryMs: number;
  /** Pause before a tailer that failed is started again; it doubles up to a minute. */
  restartMs: number;
}

const defaultTailClusterLimits: TailClusterLimits = { replicaSetsEveryMs: 30_000, restartMs: 1_000 };

export interface TailClusterOptions extends Omit<TailOplogOptions, 'onProgress'> {
  onProgress: (progress: ClusterTailProgress) => void;
  clusterLimits?: Partial<TailClusterLimits>;
}

const RESTART_MS_MAX = 60_000;

/**
 * Follows the oplogs of all replica sets of a cluster until its signal fires; it only ever ends by throwing. Of a
 * sharded cluster each has a tailer of its own: one that fails is started again and keeps no other from its work, and
 * shards that are added or removed are noticed by looking.
 */
export async function tailCluster(options: TailClusterOptions): Promise<never> {
  const { uri, clock, log, signal } = options;
  for (;;) {
    let replicaSets: ClusterReplicaSet[] | null;
    try {
      replicaSets = await findReplicaSets(uri, { signal, draining: true });
    } catch (error) {
      // The config servers may be away for hours, as the members of a replica set may.
      if (isAbort(error) || signal.aborted || !(error instanceof Fault) || !error.retryable) throw error;
      log.warn({ reason: describeError(error) }, 'the replica sets of the cluster cannot be found; trying again');
      await clock.sleep(RESTART_MS_MAX / 10, signal);
      continue;
    }
    if (replicaSets === null)
      return await tailOplog({ ...options, onProgress: (one) => options.onProgress(ofSet(one)) });
    return await new ClusterTail(options).run(replicaSets);
  }
}

function ofSet({ host, captured, lagSeconds }: TailProgress): ClusterTailProgress {
  return { host, captured: captured?.ts ?? null, lagSeconds, replicaSets: null };
}

interface ReplicaSetTail {
  replicaSet: ClusterReplicaSet;
  state: CapturedReplicaSet;
  controller: AbortController;
  ended: Promise<void>;
}

class ClusterTail {
  readonly #options: TailClusterOptions;
  readonly #limits: TailClusterLimits;
  readonly #tails = new Map<string, ReplicaSetTail>();

  constructor(options: TailClusterOptions) {
    this.#options = options;
    this.#limits = { ...defaultTailClusterLimits, ...options.clusterLimits };
  }

  async run(found: readonly ClusterReplicaSet[]): Promise<never> {
    const { clock, signal } = this.#options;
    try {
      for (let replicaSets: readonly ClusterReplicaSet[] | null = found; ; replicaSets = await this.#look()) {
        if (replicaSets !== null) await this.#adopt(replicaSets);
        await clock.sleep(this.#limits.replicaSetsEveryMs, signal);
      }
    } finally {
      await Promise.all([...this.#tails.values()].map(async (tail) => await end(tail)));
    }
  }

  /** Null where they cannot be found now: those known go on. */
  async #look(): Promise<ClusterReplicaSet[] | null> {
    const { uri, log, signal } = this.#options;
    try {
      return await findReplicaSets(uri, { signal, draining: true });
    } catch (error) {
      if (isAbort(error) || signal.aborted) throw error;
      log.warn({ reason: describeError(error) }, 'the replica sets of the cluster cannot be found; those known go on');
      return null;
    }
  }

  async #adopt(replicaSets: readonly ClusterReplicaSet[]): Promise<void> {
    const wanted = new Map(replicaSets.map((replicaSet) => [replicaSet.replicaSetName, replicaSet]));
    assert(replicaSets.at(-1)?.configServer === true, 'the config servers come last');
    for (const [name, tail] of this.#tails) {
      const now = wanted.get(name);
      if (now !== undefined && now.uri === tail.replicaSet.uri && now.shardName === tail.replicaSet.shardName) continue;
      // Gone, or known by other hosts: the tailer then goes on from its last slice.
      await end(tail);
      this.#tails.delete(name);
    }
    for (const replicaSet of replicaSets) {
      if (!this.#tails.has(replicaSet.replicaSetName))
        this.#tails.set(replicaSet.replicaSetName, this.#start(replicaSet));
    }
    assert(this.#tails.size === wanted.size, 'every replica set has one tailer');
  }

  #start(replicaSet: ClusterReplicaSet): ReplicaSetTail {
    const { shardName, configServer, replicaSetName } = replicaSet;
    const state: CapturedReplicaSet = {
      shardName,
      configServer,
      replicaSetName,
      host: null,
      captured: null,
      lagSeconds: null,
      updatedAtMs: this.#options.clock.nowMs(),
      failure: null,
    };
    const controller = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, controller.signal]);
    const tail = { replicaSet, state, controller, ended: Promise.resolve() };
    tail.ended = this.#keepTailing(tail, signal, this.#options.clock, this.#options.log.child({ shard: shardName }));
    return tail;
  }

  /** Resolves once the signal has fired. */
  async #keepTailing(
    { replicaSet, state }: ReplicaSetTail,
    signal: AbortSignal,
    clock: Clock,
    log: Logger,
  ): Promise<void> {
    const pauses: Backoff = { first: this.#limits.restartMs, most: RESTART_MS_MAX };
    let failures = 0;
    while (!signal.aborted) {
      try {
        await tailOplog({
          ...this.#options,
          uri: replicaSet.uri,
          log,
          signal,
          onProgress: ({ host, captured, lagSeconds }) => {
            failures = 0;
            this.#tell(state, { host, captured: captured?.ts ?? state.captured, lagSeconds, failure: null });
          },
        });
      } catch (error) {
        if (signal.aborted) return;
        this.#tell(state, { failure: describeError(error) });
        log.error({ reason: describeError(error) }, 'the oplog of a replica set is not followed; trying again');
        await clock.sleep(backoffOf(pauses, ++failures), signal).catch(() => undefined);
      }
    }
  }

  #tell(state: CapturedReplicaSet, change: Partial<CapturedReplicaSet>): void {
    Object.assign(state, change, { updatedAtMs: this.#options.clock.nowMs() });
    const replicaSets = [...this.#tails.values()].map((tail) => ({ ...tail.state })).toSorted(byPlace);
    this.#options.onProgress({
      host: null,
      captured: leastOf(replicaSets),
      lagSeconds: replicaSets.reduce((most, { lagSeconds }) => Math.max(most, lagSeconds ?? 0), 0),
      replicaSets,
    });
  }
}

async function end({ controller, ended }: ReplicaSetTail): Promise<void> {
  controller.abort(new Cancelled());
  await ended;
}

/** Shards by name, the config servers last. */
function byPlace(a: CapturedReplicaSet, b: CapturedReplicaSet): number {
  if (a.configServer !== b.configServer) return a.configServer ? 1 : -1;
  return a.shardName < b.shardName ? -1 : 1;
}

function leastOf(replicaSets: readonly CapturedReplicaSet[]): Timestamp64 | null {
  let least: Timestamp64 | null = null;
  for (const { captured } of replicaSets) {
    if (captured === null) return null;
    if (least === null || captured < least) least = captured;
  }
  return least;
}
