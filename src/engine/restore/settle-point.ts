import type { Timestamp64 } from '../../bson/timestamp.ts';
import { assert, must } from '../../lib/assert.ts';
import type { Decisions } from '../../oplog/transactions.ts';
import type { Manifest } from '../../repository/format/manifest.ts';
import { type ReplicaSetManifest, replicaSetsOf } from '../../repository/format/manifest-replica-sets.ts';
import type { Repository } from '../../repository/repository.ts';
import type { ReplayPlan } from '../replay/plan-replay.ts';
import { type PointInTime, planPointInTime, readLedger } from './point-in-time.ts';
import {
  decideTransactions,
  type PointOfCluster,
  type ReplicaSetInTime,
  refuseOtherShards,
  refuseUnderWay,
  replicaSetInTime,
} from './sharded-point-in-time.ts';

/** A replica set of a sharded cluster on its way to a point, planned as far as its own oplog tells. */
export interface SettlingReplicaSet {
  source: ReplicaSetManifest;
  inTime: ReplicaSetInTime;
  /** As it is planned now. */
  point(): PointInTime;
  /** Plans anew, with what is known of transactions from the other replica sets. */
  decide(decisions: Decisions): Promise<void>;
}

/**
 * What the replica sets can only tell together: which transactions over several of them were visible, and that they
 * agreed on the catalog. The config servers come last. Throws a Fault for a point that cannot be had.
 */
export async function settlePoint(
  ts: Timestamp64,
  replicaSets: readonly SettlingReplicaSet[],
  signal: AbortSignal,
): Promise<void> {
  const planned = replicaSets.map(({ source, point, inTime }) => ({
    name: nameOf(source),
    plan: must(point().plan, 'a point in time has a plan'),
    source: inTime.source,
  }));
  const decisions = await decideTransactions(planned, signal);
  if (decisions.size > 0) for (const one of replicaSets) await one.decide(decisions);
  const held = async ({ point }: SettlingReplicaSet, name: string) => await readLedger(point(), name);
  for (const one of replicaSets) await refuseUnderWay(nameOf(one.source), ts, async (name) => await held(one, name));
  const shards = replicaSets.flatMap(({ source }) =>
    source.replicaSet?.configServer === false ? [source.replicaSet.shardName] : [],
  );
  assert(shards.length === replicaSets.length - 1, 'all but the config servers are shards');
  refuseOtherShards(shards, ts, await held(must(replicaSets.at(-1), 'the config servers come last'), 'shards'));
}

/** A replica set of a sharded cluster at a point that was settled. */
export interface ReplicaSetAtPoint {
  source: ReplicaSetManifest;
  inTime: ReplicaSetInTime;
  point: PointInTime & { plan: ReplayPlan };
}

/**
 * All replica sets of a sharded snapshot at a later point, the config servers last: each oplog is read once, and once
 * more where another replica set has the word on a transaction. Throws a Fault for a point that cannot be had.
 */
export async function planPointOfCluster(
  { repository, clusterId, signal }: { repository: Repository; clusterId: string; signal: AbortSignal },
  manifest: Manifest,
  to: PointOfCluster,
): Promise<ReplicaSetAtPoint[]> {
  assert(manifest.header.type === 'sharded', 'one replica set has nobody to agree with');
  const planned: ReplicaSetAtPoint[] = [];
  for (const source of replicaSetsOf(manifest)) {
    const inTime = await replicaSetInTime(to, source, signal);
    const options = { ...inTime, signal };
    const point = await planPointInTime(repository, clusterId, source.manifest, options, 'ofShardedCluster');
    planned.push({ source, inTime, point });
  }
  const settling = planned.map((one) => ({
    source: one.source,
    inTime: one.inTime,
    point: () => one.point,
    decide: async (decisions: Decisions) => {
      const options = { ...one.inTime, decisions, signal };
      one.point = await planPointInTime(repository, clusterId, one.source.manifest, options, 'ofShardedCluster');
    },
  }));
  await settlePoint(to.end.ts, settling, signal);
  return planned;
}

function nameOf({ replicaSet }: ReplicaSetManifest): string {
  return must(replicaSet, 'the snapshot is of a sharded cluster').shardName;
}
