import type {
  AdvancedCluster,
  Cluster20240805,
  ClusterStatus,
  ProcessArgs,
  ProcessArgs20240805,
} from '../../../contract/clusters.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type { ProcessSettings } from '../../domain/cluster-facts/cluster-probe.ts';
import type { Cluster, ClusterMember } from '../../domain/clusters/clusters.ts';
import { isoSeconds } from '../../lib/clock.ts';
import type { LinkBuilder } from '../links.ts';
import { replicationSpecIdOf, shardSpecIdOf, zoneIdOf } from './cluster-parts.ts';

const bytesPerGigabyte = 1024 ** 3;

function fieldsOf(cluster: Cluster, links: LinkBuilder) {
  const path = `/groups/${cluster.projectId}/clusters/${cluster.name}`;
  const { mongodVersion, featureCompatibilityVersion } = cluster;
  return {
    backupEnabled: cluster.backupEnabled,
    clusterType: cluster.type === 'sharded' ? ('SHARDED' as const) : ('REPLICASET' as const),
    connectionStrings: { standard: cluster.displayUri },
    createDate: isoSeconds(cluster.createdAtMs),
    ...(featureCompatibilityVersion === null ? {} : { featureCompatibilityVersion }),
    groupId: cluster.projectId,
    id: cluster.id,
    labels: [],
    links: [
      links.self(path),
      links.to('restoreJobs', `${path}/backup/restoreJobs`),
      links.to('snapshots', `${path}/backup/snapshots`),
    ],
    ...(mongodVersion === null
      ? {}
      : { mongoDBMajorVersion: mongodVersion.split('.').slice(0, 2).join('.'), mongoDBVersion: mongodVersion }),
    name: cluster.name,
    paused: cluster.paused,
    pitEnabled: cluster.pitEnabled,
    retainBackups: cluster.retainBackups,
    stateName: stateName(cluster),
    tags: [],
    terminationProtectionEnabled: cluster.terminationProtectionEnabled,
  };
}

/**
 * Terraform waits for IDLE before it takes a snapshot, and goes on waiting through the other two. A cluster that does
 * not answer is somebody's to repair.
 */
function stateName(cluster: Cluster): 'IDLE' | 'UPDATING' | 'REPAIRING' {
  if (cluster.restoreInProgress) return 'UPDATING';
  return cluster.probeFailure === null ? 'IDLE' : 'REPAIRING';
}

const carriesData = (member: ClusterMember) => member.state !== 'ARBITER';
const canBeElected = (member: ClusterMember) => member.priority > 0;

/** The members of every shard; of a replica set all of them. Config servers are not shown, as in a cloud. */
function shardsOf(cluster: Cluster): ClusterMember[][] {
  if (cluster.type === 'replicaSet') return [cluster.members];
  const shards = Map.groupBy(cluster.members, (member) => member.shardName);
  shards.delete('config');
  return [...shards.values()];
}

/**
 * Self-run members have no cloud's provider, region and size, but Terraform's data sources want them: without them they
 * look for the network container of a provider without a name, and fail. Of Atlas's providers `TENANT` is the one that
 * is no cloud, and that has no container.
 */
const PROVIDER = 'TENANT' as const;
const SELF_MANAGED = 'SELF_MANAGED';

/** One region. Those that can be elected, and those that only follow. */
function regionConfigs(cluster: Cluster, members: readonly ClusterMember[]) {
  const data = members.filter(carriesData);
  const electable = data.filter(canBeElected).length;
  return [
    {
      electableSpecs: { ...diskSize(cluster), instanceSize: SELF_MANAGED, nodeCount: electable },
      priority: 7,
      providerName: PROVIDER,
      readOnlySpecs: { ...diskSize(cluster), instanceSize: SELF_MANAGED, nodeCount: data.length - electable },
      regionName: SELF_MANAGED,
    },
  ];
}

function diskSize(cluster: Cluster): { diskSizeGB?: number } {
  if (cluster.dataBytes === null) return {};
  return { diskSizeGB: Math.round((cluster.dataBytes / bytesPerGigabyte) * 100) / 100 };
}

function withoutDisk({ instanceSize, nodeCount }: { instanceSize: string; nodeCount: number }) {
  return { instanceSize, nodeCount };
}

const zoneName = 'Zone 1';

/** Version 2023-02-01. Its replication spec has another id than the later version's, as in recorded answers. */
export function advancedClusterBody(cluster: Cluster, links: LinkBuilder): ShapeOf<typeof AdvancedCluster> {
  const shards = shardsOf(cluster);
  const regions = regionConfigs(cluster, shards[0] ?? []).map(({ electableSpecs, readOnlySpecs, ...region }) => ({
    ...region,
    electableSpecs: withoutDisk(electableSpecs),
    readOnlySpecs: withoutDisk(readOnlySpecs),
  }));
  return {
    ...fieldsOf(cluster, links),
    ...diskSize(cluster),
    replicationSpecs: [
      { id: replicationSpecIdOf(cluster.id), numShards: Math.max(1, shards.length), regionConfigs: regions, zoneName },
    ],
  };
}

/** Version 2024-08-05: the disk size is in the hardware specs, and one entry is one shard. */
export function clusterBody20240805(cluster: Cluster, links: LinkBuilder): ShapeOf<typeof Cluster20240805> {
  return {
    ...fieldsOf(cluster, links),
    replicationSpecs: shardsOf(cluster).map((members, shard) => ({
      id: shardSpecIdOf(cluster.id, shard),
      regionConfigs: regionConfigs(cluster, members),
      zoneId: zoneIdOf(cluster.id),
      zoneName,
    })),
  };
}

/** What was asked of a cluster is done before the answer; only a restore goes on after it. */
export function clusterStatusBody(cluster: Cluster): ShapeOf<typeof ClusterStatus> {
  return { changeStatus: cluster.restoreInProgress ? 'PENDING' : 'APPLIED' };
}

type Known<Settings> = { [Name in keyof Settings]?: NonNullable<Settings[Name]> };

/** Without what the servers did not say. */
function known<Settings extends object>(settings: Settings): Known<Settings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null)) as Known<Settings>;
}

export function processArgsBody(settings: ProcessSettings): ShapeOf<typeof ProcessArgs> {
  return known(settings);
}

export function processArgsBody20240805(settings: ProcessSettings): ShapeOf<typeof ProcessArgs20240805> {
  const { defaultReadConcern: _, ...rest } = settings;
  return known(rest);
}
