import { formatNamespace } from '../../bson/namespace.ts';
import { documentOf } from '../../bson/raw-bson.ts';
import { formatTimestamp } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { CollectionEntry, Manifest } from '../../repository/format/manifest.ts';
import type { Repository } from '../../repository/repository.ts';
import type { ReplayPlan } from '../replay/plan-replay.ts';
import type { OplogSource, ReplayEnd } from '../replay/replay-interval.ts';
import { withSeries, withSeriesOfBuckets } from '../replay/replay-state.ts';
import { planPointInTime } from '../restore/point-in-time.ts';
import { planPointOfCluster } from '../restore/settle-point.ts';
import type { PointOfCluster } from '../restore/sharded-point-in-time.ts';
import { routingOf } from '../sharding/read-routing.ts';
import type { ShardRouting } from '../sharding/shard-routing.ts';
import { ACCESS_CONTROL } from './archive-plan.ts';
import type { OwnedAtPoint } from './orphans-at-point.ts';

const BUCKETS = 'system.buckets.';

/** What an archive of a later point than a snapshot's own holds. */
export interface ArchivePoint {
  /** At the point. */
  collections: readonly CollectionEntry[];
  /** Of `admin.system.*` at the point: few enough to be held. */
  documents: ReadonlyMap<CollectionEntry, Buffer>;
  plan: ReplayPlan;
  source: OplogSource;
  /** Of a shard, what it owns at the point: of a collection that is on several shards, by its namespace. */
  routed?: Routed;
}

export interface Routed {
  /** What other shards or nobody own: the archive has none of their documents. */
  none: ReadonlySet<string>;
  some: ReadonlyMap<string, OwnedAtPoint>;
}

/**
 * Reads the oplog once, up to the point. A transaction that was prepared by then and whose outcome is not captured is a
 * Fault: the same download, made again a moment later, could know it, and would be another file.
 */
export async function planArchivePoint(
  repository: Repository,
  manifest: Manifest,
  options: { end: ReplayEnd; source: OplogSource; signal: AbortSignal },
): Promise<ArchivePoint> {
  const { plan, collections } = await planPointInTime(repository, manifest.header.clusterId, manifest, options);
  if (plan.undecided.length > 0) {
    throw new Fault({
      op: 'download',
      subject: formatTimestamp(options.end.ts),
      message: `${plan.undecided.length} prepared transactions were undecided at ${formatTimestamp(options.end.ts)}, and the captured oplog does not tell their outcome yet`,
      retryable: true,
      hint: 'Ask again in a moment, or for an earlier point',
    });
  }
  return pointOf(manifest, { plan, collections, source: options.source });
}

/**
 * The same of all shards of a cluster, by the names of their replica sets: they are settled together, and each is told
 * what it owns by the routing of that moment.
 */
export async function planArchivePoints(
  from: { repository: Repository; clusterId: string; signal: AbortSignal },
  manifest: Manifest,
  to: PointOfCluster,
): Promise<Map<string, ArchivePoint>> {
  const replicaSets = await planPointOfCluster(from, manifest, to);
  const config = must(replicaSets.at(-1), 'the config servers come last').point;
  const routing = await routingOf((name) => config.ledger(name));
  const points = new Map<string, ArchivePoint>();
  for (const {
    source,
    inTime,
    point: { plan, collections },
  } of replicaSets) {
    const { shardName, configServer } = must(source.replicaSet, 'the snapshot is of a sharded cluster');
    if (configServer) continue;
    const own = { plan, collections: withSeriesOfBuckets(collections), source: inTime.source };
    const point = pointOf(source.manifest, own);
    const routed = routedOn(shardName, collections, routing);
    points.set(source.manifest.header.replicaSetName, { ...point, routed });
  }
  return points;
}

function routedOn(shardName: string, collections: readonly CollectionEntry[], routing: ShardRouting): Routed {
  const none = new Set<string>();
  const some = new Map<string, OwnedAtPoint>();
  for (const entry of collections) {
    const namespace = formatNamespace(entry);
    const owns = routing.ownership(entry, shardName);
    if (owns === 'none') none.add(namespace);
    else if (owns !== 'all') some.set(namespace, { namespace, owns, key: routing.keyPaths(entry) });
  }
  return { none, some };
}

function pointOf(
  manifest: Manifest,
  { plan, collections, source }: Pick<ArchivePoint, 'plan' | 'collections' | 'source'>,
): ArchivePoint {
  const held = ACCESS_CONTROL.flatMap((name) => {
    const documents = [...(plan.state.held.get(`admin.${name}`)?.values() ?? [])];
    return documents.length === 0 ? [] : [[entryOf(name, manifest), Buffer.concat(documents)] as const];
  });
  return {
    collections: [...held.map(([entry]) => entry), ...collections.map((entry) => reshaped(entry, plan))],
    documents: new Map(held),
    plan,
    source,
  };
}

/**
 * A time series as of the point. Its options are not left to the oplog: a reader that replays their change leaves the
 * view on the buckets as it was, and queries then pass over measurements.
 */
function reshaped(entry: CollectionEntry, { state }: ReplayPlan): CollectionEntry {
  if (entry.type !== 'timeseries') return entry;
  const buckets = [...state.collections].find(([, { db, name }]) => db === entry.db && name === BUCKETS + entry.name);
  const series = state.series.get(buckets?.[0] ?? '');
  return series === undefined ? entry : withSeries(entry, series);
}

/** As the snapshot has it; one that is younger has no listing, and the servers make these by themselves. */
function entryOf(name: string, { collections }: Manifest): CollectionEntry {
  const found = collections.find((entry) => entry.db === 'admin' && entry.name === name);
  if (found !== undefined) return found;
  const counts = { documents: 0, bytes: 0 };
  return {
    db: 'admin',
    name,
    type: 'collection',
    uuid: null,
    info: documentOf([]),
    indexes: [],
    ...counts,
    layers: [],
  };
}
