import type { Optime } from '../../bson/timestamp.ts';
import { isAbort } from '../../lib/abort.ts';
import { type Backoff, backoffOf } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { Cancelled, describeError, Fault } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { findShardMembers, type ShardMember } from '../../mongo/shard-members.ts';
import { type TailOplogOptions, type TailProgress, tailOplog } from './tail-oplog.ts';

/** How far one replica set of a sharded cluster is captured. */
export interface MemberTailState {
  /** `config` for the config servers. */
  shardName: string;
  configServer: boolean;
  replicaSetName: string;
  host: string | null;
  captured: Optime | null;
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
  /** Every member is captured up to this; null while one has stored nothing. */
  captured: Optime | null;
  /** Of the member that is behind most. */
  lagSeconds: number;
  /** Of a sharded cluster: its replica sets, the config servers last. */
  members: MemberTailState[] | null;
}

export interface TailClusterLimits {
  /** How often the members are looked for anew. */
  membersEveryMs: number;
  /** Pause before a member's tailer that failed is started again; it doubles up to a minute. */
  restartMs: number;
}

const defaultTailClusterLimits: TailClusterLimits = { membersEveryMs: 30_000, restartMs: 1_000 };

export interface TailClusterOptions extends Omit<TailOplogOptions, 'onProgress'> {
  onProgress: (progress: ClusterTailProgress) => void;
  clusterLimits?: Partial<TailClusterLimits>;
}

const RESTART_MS_MAX = 60_000;

/**
 * Follows the oplogs of all replica sets of a cluster until its signal fires; it only ever ends by throwing. Of a
 * sharded cluster each member has a tailer of its own: one that fails is started again and keeps no other from its
 * work, and members that are added or removed are noticed by looking.
 */
export async function tailCluster(options: TailClusterOptions): Promise<never> {
  const { uri, clock, log, signal } = options;
  for (;;) {
    let members: ShardMember[] | null;
    try {
      members = await findShardMembers(uri, { signal, draining: true });
    } catch (error) {
      // The config servers may be away for hours, as the members of a replica set may.
      if (isAbort(error) || signal.aborted || !(error instanceof Fault) || !error.retryable) throw error;
      log.warn({ reason: describeError(error) }, 'the members of the cluster cannot be found; trying again');
      await clock.sleep(RESTART_MS_MAX / 10, signal);
      continue;
    }
    if (members === null) return await tailOplog({ ...options, onProgress: (one) => options.onProgress(ofSet(one)) });
    return await new ClusterTail(options).run(members);
  }
}

function ofSet({ host, captured, lagSeconds }: TailProgress): ClusterTailProgress {
  return { host, captured, lagSeconds, members: null };
}

interface MemberTail {
  member: ShardMember;
  state: MemberTailState;
  controller: AbortController;
  ended: Promise<void>;
}

class ClusterTail {
  readonly #options: TailClusterOptions;
  readonly #limits: TailClusterLimits;
  readonly #tails = new Map<string, MemberTail>();

  constructor(options: TailClusterOptions) {
    this.#options = options;
    this.#limits = { ...defaultTailClusterLimits, ...options.clusterLimits };
  }

  async run(found: readonly ShardMember[]): Promise<never> {
    const { clock, signal } = this.#options;
    try {
      for (let members: readonly ShardMember[] | null = found; ; members = await this.#look()) {
        if (members !== null) await this.#adopt(members);
        await clock.sleep(this.#limits.membersEveryMs, signal);
      }
    } finally {
      await Promise.all([...this.#tails.values()].map(async (tail) => await end(tail)));
    }
  }

  /** Null where they cannot be found now: those known go on. */
  async #look(): Promise<ShardMember[] | null> {
    const { uri, log, signal } = this.#options;
    try {
      return await findShardMembers(uri, { signal, draining: true });
    } catch (error) {
      if (isAbort(error) || signal.aborted) throw error;
      log.warn({ reason: describeError(error) }, 'the members of the cluster cannot be found; those known go on');
      return null;
    }
  }

  async #adopt(members: readonly ShardMember[]): Promise<void> {
    const wanted = new Map(members.map((member) => [member.replicaSetName, member]));
    for (const [name, tail] of this.#tails) {
      const now = wanted.get(name);
      if (now !== undefined && now.uri === tail.member.uri && now.shardName === tail.member.shardName) continue;
      // Gone, or known by other hosts: the tailer then goes on from its last slice.
      await end(tail);
      this.#tails.delete(name);
    }
    for (const member of members) {
      if (!this.#tails.has(member.replicaSetName)) this.#tails.set(member.replicaSetName, this.#start(member));
    }
  }

  #start(member: ShardMember): MemberTail {
    const { shardName, configServer, replicaSetName } = member;
    const state: MemberTailState = {
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
    const tail = { member, state, controller, ended: Promise.resolve() };
    tail.ended = this.#keepTailing(tail, signal, this.#options.clock, this.#options.log.child({ shard: shardName }));
    return tail;
  }

  /** Resolves once the signal has fired. */
  async #keepTailing({ member, state }: MemberTail, signal: AbortSignal, clock: Clock, log: Logger): Promise<void> {
    const pauses: Backoff = { first: this.#limits.restartMs, most: RESTART_MS_MAX };
    let failures = 0;
    while (!signal.aborted) {
      try {
        await tailOplog({
          ...this.#options,
          uri: member.uri,
          log,
          signal,
          onProgress: ({ host, captured, lagSeconds }) => {
            failures = 0;
            this.#tell(state, { host, captured: captured ?? state.captured, lagSeconds, failure: null });
          },
        });
      } catch (error) {
        if (signal.aborted) return;
        this.#tell(state, { failure: describeError(error) });
        log.error({ reason: describeError(error) }, 'the oplog of a member is not followed; trying again');
        await clock.sleep(backoffOf(pauses, ++failures), signal).catch(() => undefined);
      }
    }
  }

  #tell(state: MemberTailState, change: Partial<MemberTailState>): void {
    Object.assign(state, change, { updatedAtMs: this.#options.clock.nowMs() });
    const members = [...this.#tails.values()].map((tail) => ({ ...tail.state })).toSorted(byPlace);
    this.#options.onProgress({
      host: null,
      captured: leastOf(members),
      lagSeconds: members.reduce((most, { lagSeconds }) => Math.max(most, lagSeconds ?? 0), 0),
      members,
    });
  }
}

async function end({ controller, ended }: MemberTail): Promise<void> {
  controller.abort(new Cancelled());
  await ended;
}

/** Shards by name, the config servers last. */
function byPlace(a: MemberTailState, b: MemberTailState): number {
  if (a.configServer !== b.configServer) return a.configServer ? 1 : -1;
  return a.shardName < b.shardName ? -1 : 1;
}

function leastOf(members: readonly MemberTailState[]): Optime | null {
  let least: Optime | null = null;
  for (const { captured } of members) {
    if (captured === null) return null;
    if (least === null || captured.ts < least.ts) least = captured;
  }
  return least;
}
