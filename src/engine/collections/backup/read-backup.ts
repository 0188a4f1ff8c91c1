import { formatNamespace } from '../../../bson/namespace.ts';
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
import type { PointOfCluster } from '../../restore/sharded-point-in-time.ts';
import { readRouting } from '../../sharding/read-routing.ts';
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
  /** Null where there is nothing to replay. */
  replay: { plan: ReplayPlan; source: OplogSource } | null;
}

interface BackupSource {
  repository: Repository;
  clusterId: string;
  signal: AbortSignal;
}

/** The collections of a replica set, or of a sharded cluster as its clients see them. */
export async function readBackup(
  { repository, clusterId, signal }: BackupSource,
  manifest: Manifest,
  point: LaterPoint | undefined,
): Promise<Backup> {
  const { header } = manifest;
  const routing = await readRouting(repository, manifest, signal);
  if (routing !== null) {
    if (point !== undefined) throw onlyOfSnapshots(header.clusterName);
    const shards = replicaSetsOf(manifest).flatMap(({ replicaSet, manifest: { collections } }) =>
      replicaSet === null || replicaSet.configServer ? [] : [{ shardName: replicaSet.shardName, collections }],
    );
    return { offered: clusterCollections(shards, routing), replay: null };
  }
  if (point === undefined) return { offered: replicaSetCollections(manifest.collections), replay: null };
  const source =
    'source' in point ? point.source : await oplogAfter(point.slices, header, point.end.ts, signal, point.elsewhere);
  const { plan, collections } = await planPointInTime(repository, clusterId, manifest, {
    ...{ end: point.end, source, signal },
  });
  return { offered: replicaSetCollections(collections), replay: { plan, source } };
}

function onlyOfSnapshots(clusterName: string): Fault {
  return new Fault({
    op: 'restore collections',
    subject: clusterName,
    message: `${clusterName} was a sharded cluster, of which chosen collections are restored as a snapshot has them, not at a point in time`,
    hint: 'Restore them from a snapshot, or the whole cluster at the point in time',
  });
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
