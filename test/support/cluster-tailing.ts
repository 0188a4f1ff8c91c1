import assert from 'node:assert/strict';
import type { Timestamp64 } from '../../src/bson/timestamp.ts';
import { type ClusterTailProgress, type TailClusterLimits, tailCluster } from '../../src/engine/tail/tail-cluster.ts';
import type { TailLimits } from '../../src/engine/tail/tail-oplog.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Cancelled } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { FollowingClock, type SharedTime } from '../../src/mongo/shared-time.ts';
import { SourceMember } from '../../src/mongo/source-member.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { type ReplicaSet, until } from './replica-set.ts';
import type { ShardedCluster } from './sharded-cluster.ts';

const QUICK: Partial<TailLimits> = { sliceMs: 200, pollMs: 20 };
const signal = new AbortController().signal;

/** The tailers of a sharded cluster at work beside a test, as a worker would run them. */
export class ClusterTailing {
  static readonly #atWork = new Set<ClusterTailing>();
  readonly #cluster: ShardedCluster;
  readonly #controller = new AbortController();
  readonly #ended: Promise<unknown>;
  last: ClusterTailProgress | null = null;
  failure: unknown = null;

  constructor(
    cluster: ShardedCluster,
    options: { repository: Repository; clusterId: string; limits?: Partial<TailLimits & TailClusterLimits> },
  ) {
    this.#cluster = cluster;
    this.#ended = tailCluster({
      uri: cluster.uri,
      repository: options.repository,
      clusterId: options.clusterId,
      limits: { ...QUICK, ...options.limits },
      clusterLimits: { restartMs: 100, ...options.limits },
      clock: systemClock,
      log: silentLogger,
      signal: this.#controller.signal,
      onProgress: (progress) => {
        this.last = progress;
      },
    });
    ClusterTailing.#atWork.add(this);
    this.#ended.catch((error: unknown) => {
      ClusterTailing.#atWork.delete(this);
      if (!(error instanceof Cancelled)) this.failure = error;
    });
  }

  /** For `after`: what a failed test left behind would keep the process. */
  static stopAll(): void {
    for (const tailing of ClusterTailing.#atWork) tailing.#controller.abort(new Cancelled());
  }

  capturedOf(replicaSetName: string): Timestamp64 | null {
    return this.last?.replicaSets?.find((one) => one.replicaSetName === replicaSetName)?.captured ?? null;
  }

  /** Resolves once the oplog of every replica set, or of those named, is followed. */
  async begun(sets: readonly ReplicaSet[] = this.#cluster.sets): Promise<void> {
    await until('the tailers have begun', async () => {
      if (this.failure !== null) throw new Error('the tailers have failed', { cause: this.failure });
      const heard = this.last?.replicaSets ?? [];
      return (
        sets.every((set) => heard.some((one) => one.replicaSetName === set.name && one.lagSeconds !== null)) || null
      );
    });
  }

  /** Moves all replica sets, or those named, on to a common time and waits until they are captured up to it. */
  async mark(sets: readonly ReplicaSet[] = this.#cluster.sets): Promise<Timestamp64> {
    await this.begun(sets);
    const ts = await this.moveOn(sets);
    await until('a mark is captured of every replica set', async () => {
      if (this.failure !== null) throw new Error('the tailers have failed', { cause: this.failure });
      return sets.every((set) => (this.capturedOf(set.name) ?? 0n) >= ts) || null;
    });
    return ts;
  }

  /** The newest time that any of them knows of; afterwards every one has written something at or after it. */
  async moveOn(sets: readonly ReplicaSet[] = this.#cluster.sets): Promise<Timestamp64> {
    const times: SharedTime[] = [];
    for (const set of sets) times.push(await new SourceMember(set.client, set.name).sharedTime(signal));
    const time = times.reduce((newest, one) => (one.ts > newest.ts ? one : newest));
    for (const set of sets) {
      const following = await FollowingClock.connect(set.uri, set.name, signal);
      await following.moveOn(time).finally(async () => await following.close());
    }
    return time.ts;
  }

  /** Ends them as the loss of their lease would. */
  async stop(): Promise<void> {
    this.#controller.abort(new Cancelled());
    await assert.rejects(this.#ended, Cancelled);
  }
}
