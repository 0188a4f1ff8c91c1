import { formatNamespace } from '../../../bson/namespace.ts';
import { assert, must } from '../../../lib/assert.ts';
import { Fault } from '../../../lib/errors.ts';
import type { Manifest } from '../../../repository/format/manifest.ts';
import { replicaSetsOf } from '../../../repository/format/manifest-replica-sets.ts';
import type { Repository } from '../../../repository/repository.ts';
import { checkSnapshot } from '../../../repository/upkeep/check.ts';
import type { ReplayPlan } from '../../replay/plan-replay.ts';
import type { OplogSource, ReplayEnd } from '../../replay/replay-interval.ts';
import { oplogAfter } from '../../replay/slice-oplog.ts';
import { damagedSnapshot } from '../../restore/damaged-snapshot.ts';
import { planPointInTime } from '../../restore/point-in-time.ts';
import { planPointOfCluster } from '../../restore/settle-point.ts';
import type { PointOfCluster } from '../../restore/sharded-point-in-time.ts';
import { readRouting, routingOf } from '../../sharding/read-routing.ts';
import {
  clusterCollections,
  isUnrouted,
  type OfferedCollections,
  replicaSetCollections,
} from './cluster-collections.ts';
import type { ChosenCollection } from './select-collections.ts';

/** A point later than the snapshot, and the oplog that leads to it: captured, or from anywhere else. */
export type LaterPoint = PointOfCluster | { end: ReplayEnd; source: OplogSource };

/** What a backup offers at the point that is restored. */
export interface Backup {
  offered: OfferedCollections;
  /** Of each replica set with data; none where there is nothing to replay. */
  replays: readonly PartReplay[];
}

/** What brings the documents that one replica set had to the point. */
export interface PartReplay {
  /** Empty where the backup is of a replica set: as parts name theirs. */
  shardName: string;
  plan: ReplayPlan;
  source: OplogSource;
}

interface BackupSource {
  repository: Repository;
  clusterId: string;
  signal: AbortSignal;
}

/** The collections of a replica set, or of a sharded cluster as its clients see them. */
export async function readBackup(
  from: BackupSource,
  manifest: Manifest,
  point: LaterPoint | undefined,
): Promise<Backup> {
  const { repository, clusterId, signal } = from;
  const { header } = manifest;
  if (header.type === 'sharded' && point !== undefined) return await clusterAtPoint(from, manifest, point);
  const routing = await readRouting(repository, manifest, signal);
  if (routing !== null) {
    const shards = replicaSetsOf(manifest).flatMap(({ replicaSet, manifest: { collections } }) =>
      replicaSet === null || replicaSet.configServer ? [] : [{ shardName: replicaSet.shardName, collections }],
    );
    return { offered: clusterCollections(shards, routing), replays: [] };
  }
  if (point === undefined) return { offered: replicaSetCollections(manifest.collections), replays: [] };
  const source =
    'source' in point ? point.source : await oplogAfter(point.slices, header, point.end.ts, signal, point.elsewhere);
  const { plan, collections } = await planPointInTime(repository, clusterId, manifest, {
    ...{ end: point.end, source, signal },
  });
  return { offered: replicaSetCollections(collections), replays: [{ shardName: '', plan, source }] };
}

/** Routed as at the point: chunks may have moved since the snapshot, and documents with them. */
async function clusterAtPoint(from: BackupSource, manifest: Manifest, to: LaterPoint): Promise<Backup> {
  assert(!('source' in to), 'each replica set has an oplog of its own');
  const replicaSets = await planPointOfCluster(from, manifest, to);
  const config = must(replicaSets.at(-1), 'the config servers come last').point;
  const routing = await routingOf((name) => config.ledger(name));
  const shards = replicaSets.flatMap(({ source: { replicaSet }, inTime, point: { collections, plan } }) => {
    if (replicaSet === null || replicaSet.configServer) return [];
    return [{ shardName: replicaSet.shardName, collections, plan, source: inTime.source }];
  });
  assert(shards.length === replicaSets.length - 1, 'all but the config servers are shards');
  return { offered: clusterCollections(shards, routing), replays: shards };
}

/** Refuses what is not whole: a blob that is missing or altered, a collection that nothing says the place of. */
export async function verifyChosen(
  { repository, signal }: BackupSource,
  manifest: Manifest,
  chosen: readonly ChosenCollection[],
): Promise<void> {
  const { snapshotId } = manifest.header;
  const unrouted = chosen.find(({ parts }) => isUnrouted(parts));
  if (unrouted !== undefined) {
    const name = formatNamespace(unrouted.source);
    const shards = unrouted.parts.map(({ shardName }) => shardName).join(' and ');
    throw new Fault({
      op: 'restore collections',
      subject: snapshotId,
      message: `${name} lies on ${shards}, and the config servers of the snapshot do not know its database: which of them is meant cannot be said`,
      hint: 'Download the snapshot: every shard has an archive of its own',
    });
  }
  const collections = chosen.flatMap(({ parts }) => parts.map(({ entry }) => entry));
  const problems = await checkSnapshot(repository, { ...manifest, collections }, { readData: true, signal });
  if (problems.length > 0) throw damagedSnapshot('restore collections', snapshotId, problems);
}
