import assert from 'node:assert/strict';
import { Timestamp } from 'mongodb';
import type { ReplayEnd } from '../../src/engine/replay/replay-interval.ts';
import { restoreShardedSnapshot } from '../../src/engine/restore/restore-sharded-snapshot.ts';
import type { RestoredSnapshot } from '../../src/engine/restore/restore-snapshot.ts';
import { type TakeShardedSnapshotOptions, takeShardedSnapshot } from '../../src/engine/take/take-sharded-snapshot.ts';
import type { TakenSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { discoverCluster } from '../../src/mongo/topology.ts';
import type { Manifest } from '../../src/repository/format/manifest.ts';
import { replicaSetsOf } from '../../src/repository/format/manifest-replica-sets.ts';
import { readCollection } from '../../src/repository/layers/layers.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { emptyStore } from './empty-store.ts';
import { documentsIn } from './raw-documents.ts';
import type { ShardedCluster } from './sharded-cluster.ts';
import { readTruth } from './truth.ts';

const ids = createIdSource(systemClock, systemRandom);

/** A repository and the snapshots of one sharded cluster in it, without a service around them. */
export class ShardedFixture {
  readonly repository: Repository;
  readonly clusterId = ids.next();
  readonly cluster: ShardedCluster;
  /** What was written down of the balancer, in order. */
  readonly holds: ('held' | 'released')[] = [];
  readonly heldMs: number[] = [];
  last: TakenSnapshot | null = null;

  private constructor(repository: Repository, cluster: ShardedCluster) {
    this.repository = repository;
    this.cluster = cluster;
  }

  static async create(cluster: ShardedCluster): Promise<ShardedFixture> {
    const deps = { store: await emptyStore(systemClock), clock: systemClock, random: systemRandom };
    return new ShardedFixture(await createRepository(deps, {}), cluster);
  }

  async take(options: Partial<TakeShardedSnapshotOptions> = {}): Promise<TakenSnapshot> {
    const parent = this.last === null ? null : { clusterId: this.clusterId, snapshotId: this.last.header.snapshotId };
    this.last = await takeShardedSnapshot({
      uri: this.cluster.uri,
      replicaSets: must((await discoverCluster(this.cluster.uri)).replicaSets, 'the cluster is sharded'),
      newId: () => ids.next(),
      holdRecord: {
        write: async () => void this.holds.push('held'),
        erase: async () => void this.holds.push('released'),
      },
      onBalancerReleased: (heldMs) => void this.heldMs.push(heldMs),
      repository: this.repository,
      clusterId: this.clusterId,
      clusterName: 'sharded',
      projectId: ids.next(),
      snapshotId: ids.next(),
      parent,
      retention: {
        description: null,
        snapshotType: 'onDemand',
        frequencyType: 'ondemand',
        expiresAt: null,
        policyItems: [],
      },
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      signal: new AbortController().signal,
      report: () => undefined,
      ...options,
    });
    return this.last;
  }

  async restore(
    uri: string,
    taken: TakenSnapshot = must(this.last, 'a snapshot was taken'),
    end?: ReplayEnd,
  ): Promise<RestoredSnapshot> {
    const options = {
      repository: this.repository,
      clusterId: this.clusterId,
      snapshotId: taken.header.snapshotId,
      uri,
      verifyContent: true,
      ...(end === undefined ? {} : { pointInTime: { end, slices: this.repository } }),
      holdRecord: {
        write: async () => void this.holds.push('held' as const),
        erase: async () => void this.holds.push('released' as const),
      },
      clock: systemClock,
      log: silentLogger,
      signal: new AbortController().signal,
      report: () => undefined,
    };
    return await restoreShardedSnapshot(options, await this.manifest(taken));
  }

  async manifest(taken: TakenSnapshot = must(this.last, 'a snapshot was taken')): Promise<Manifest> {
    return await readManifest(this.repository, { clusterId: this.clusterId, snapshotId: taken.header.snapshotId });
  }

  /**
   * Every document of every user collection of every shard, against a read of the source at T. Gives the number
   * compared.
   */
  async requireExact(taken: TakenSnapshot = must(this.last, 'a snapshot was taken')): Promise<number> {
    let compared = 0;
    const { t, i } = taken.header.clusterTime;
    for (const { replicaSet, manifest } of replicaSetsOf(await this.manifest(taken))) {
      const set = must(
        this.cluster.sets.find((one) => one.name === replicaSet?.replicaSetName),
        'the replica set is of the cluster',
      );
      const truth = await readTruth(set.client, new Timestamp({ t, i }));
      for (const [namespace, { documents }] of truth.collections) {
        if (documents === null) continue;
        const entry = manifest.collections.find(({ db, name }) => `${db}.${name}` === namespace);
        const held = new Map<string, string>();
        const found = entry === undefined ? [] : readCollection(this.repository, this.clusterId, entry, {});
        for await (const buffer of found) for (const [id, document] of documentsIn(buffer)) held.set(id, document);
        const expected = [...documents].map(([id, raw]): [string, string] => [id, raw.toString('hex')]);
        assert.deepEqual(
          [...held].sort(byId),
          expected.sort(byId),
          `${namespace} of ${replicaSet?.shardName} at ${t}.${i}`,
        );
        compared += expected.length;
      }
    }
    return compared;
  }
}

function byId(a: [string, string], b: [string, string]): number {
  return a[0] < b[0] ? -1 : 1;
}
