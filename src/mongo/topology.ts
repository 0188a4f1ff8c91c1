import type { Document, MongoClient } from 'mongodb';
import { type Timestamp64, timestampOf } from '../bson/timestamp.ts';
import { must } from '../lib/assert.ts';
import { Fault } from '../lib/errors.ts';
import { type ClusterReplicaSet, isShardedHello, readReplicaSets } from './cluster-replica-sets.ts';
import { adminOf, type ConnectOptions, connectCluster, redactUri } from './connection/connect.ts';
import { asFault, codeOf } from './errors.ts';

/** What the live cluster says of itself. */
export interface ClusterFacts {
  topology: 'replicaSet' | 'sharded';
  /** Of a sharded cluster: its config servers'. */
  replicaSetName: string;
  /**
   * Of the replica set's configuration: binds a snapshot to the history it came from. Null where it may not be read.
   */
  replicaSetId: string | null;
  mongodVersion: string;
  featureCompatibilityVersion: string;
  members: ClusterMember[];
  /** `host:port`, or null while there is none. */
  primary: string | null;
  /** Sum of the databases' sizes on disk. */
  dataBytes: number;
}

export interface ClusterMember {
  /** Of a sharded cluster: the shard's `_id`, or `config`. Absent in a replica set. */
  shardName?: string;
  host: string;
  state: string;
  hidden: boolean;
  priority: number;
  votes: number;
  delayed: boolean;
  arbiter: boolean;
  /**
   * False of a member whose catalog has no indexes but those on `_id`. True where the configuration may not be read:
   * what reads from a member asks it.
   */
  buildsIndexes: boolean;
  /** Its newest applied entry, or null where the status may not be read. */
  appliedTs: Timestamp64 | null;
}

/** A replica set of a sharded cluster with what it says of itself. */
export type FoundReplicaSet = ClusterReplicaSet & { facts: ClusterFacts };

/** What a connection string leads to. */
export interface FoundCluster {
  facts: ClusterFacts;
  /** Of a sharded cluster, the config servers last; null of a replica set. */
  replicaSets: FoundReplicaSet[] | null;
}

export async function describeCluster(uri: string, options: ConnectOptions = {}): Promise<ClusterFacts> {
  return (await discoverCluster(uri, options)).facts;
}

/**
 * Reads the facts through own short-lived connections, of a sharded cluster from every replica set. Refuses what
 * Tidemark cannot back up, saying so.
 */
export async function discoverCluster(uri: string, options: ConnectOptions = {}): Promise<FoundCluster> {
  const client = await connectCluster(uri, options);
  try {
    const hello = await adminOf(client).command({ hello: 1 });
    if (!isShardedHello(hello)) return { facts: await readClusterFacts(client, redactUri(uri)), replicaSets: null };
    return await discoverSharded(await readReplicaSets(client, uri, hello), options);
  } catch (error) {
    throw asFault(error, 'describe', redactUri(uri));
  } finally {
    await client.close();
  }
}

/** What is said of the cluster as a whole is the config servers' word; sizes are sums. */
async function discoverSharded(known: readonly ClusterReplicaSet[], options: ConnectOptions): Promise<FoundCluster> {
  const replicaSets = await Promise.all(
    known.map(async (replicaSet) => {
      const { uri } = replicaSet;
      const client = await connectCluster(uri, options);
      try {
        if (!replicaSet.configServer) await refuseOwnRouting(client, replicaSet.shardName, redactUri(uri));
        return { ...replicaSet, facts: await readClusterFacts(client, redactUri(uri)) };
      } finally {
        await client.close();
      }
    }),
  );
  const facts: ClusterFacts = {
    ...must(replicaSets.at(-1), 'the config servers come last').facts,
    topology: 'sharded',
    members: replicaSets.flatMap(({ shardName, facts: { members } }) => members.map((one) => ({ shardName, ...one }))),
    dataBytes: replicaSets.reduce((sum, one) => sum + one.facts.dataBytes, 0),
  };
  return { facts, replicaSets };
}

/** Where a shard keeps the routing metadata that it owns. */
const OWN_ROUTING = ['shard.catalog.databases', 'shard.catalog.collections'];

/**
 * Refuses shards that are themselves the authority for what they own (from MongoDB 9.0 on, by the server's description
 * of its sharding catalog): snapshots and restores here take the config servers at their word.
 */
async function refuseOwnRouting(client: MongoClient, shard: string, name: string): Promise<void> {
  for (const collection of OWN_ROUTING) {
    const found = await client
      .db('config')
      .collection(collection)
      .findOne({}, { projection: { _id: 1 } });
    if (found === null) continue;
    throw new Fault({
      op: 'describe',
      subject: name,
      message: `the shard ${shard} at ${name} keeps routing metadata of its own (config.${collection}, MongoDB 9.0 and newer), which this version of Tidemark cannot back up or restore`,
      hint: 'Set the feature compatibility version of the cluster to that of MongoDB 8, under which the config servers keep it',
    });
  }
}

export async function readClusterFacts(client: MongoClient, name: string): Promise<ClusterFacts> {
  const admin = adminOf(client);
  const hello = await admin.command({ hello: 1 });
  refuseUnsupported(hello, name);
  const [build, sizes, parameter, status, config] = await Promise.all([
    admin.command({ buildInfo: 1 }),
    admin.command({ listDatabases: 1, nameOnly: false }),
    admin.command({ getParameter: 1, featureCompatibilityVersion: 1 }),
    ifPermitted(admin.command({ replSetGetStatus: 1 })),
    ifPermitted(admin.command({ replSetGetConfig: 1 })),
  ]);
  const replicaSetId = config?.config?.settings?.replicaSetId;
  return {
    topology: 'replicaSet',
    replicaSetName: String(hello.setName),
    replicaSetId: replicaSetId === undefined ? null : String(replicaSetId),
    mongodVersion: String(build.version),
    featureCompatibilityVersion: String(parameter.featureCompatibilityVersion?.version ?? ''),
    members: members(hello, status, config),
    primary: hello.primary === undefined ? null : String(hello.primary),
    dataBytes: Number(sizes.totalSize ?? 0),
  };
}

function refuseUnsupported(hello: Document, name: string): void {
  if (hello.msg === 'isdbgrid') {
    throw new Fault({
      op: 'describe',
      subject: name,
      message: `${name} is a mongos where a replica set is expected`,
    });
  }
  if (hello.setName === undefined) {
    throw new Fault({
      op: 'describe',
      subject: name,
      message: `${name} is a standalone mongod: it has no oplog to take an exact snapshot with`,
      hint: 'Start it with --replSet and run rs.initiate(): a replica set of one member is enough',
    });
  }
}

/** Null where the user lacks the privilege: then members are known from `hello` alone. */
async function ifPermitted(command: Promise<Document>): Promise<Document | null> {
  try {
    return await command;
  } catch (error) {
    if (codeOf(error) === 13) return null;
    throw error;
  }
}

function members(hello: Document, status: Document | null, config: Document | null): ClusterMember[] {
  const configured: Document[] = config?.config?.members ?? [];
  if (status === null) {
    return ((hello.hosts ?? []) as string[]).map((host) => ({
      host,
      state: host === hello.primary ? 'PRIMARY' : 'SECONDARY',
      hidden: false,
      priority: 1,
      votes: 1,
      delayed: false,
      arbiter: false,
      buildsIndexes: true,
      appliedTs: null,
    }));
  }
  return ((status.members ?? []) as Document[]).map((member) => {
    const own = configured.find((other) => other._id === member._id);
    const ts = member.optime?.ts as { t: number; i: number } | undefined;
    return {
      host: String(member.name),
      state: Number(member.health) === 1 ? String(member.stateStr) : 'DOWN',
      hidden: own?.hidden === true,
      priority: Number(own?.priority ?? 1),
      votes: Number(own?.votes ?? 1),
      delayed: Number(own?.secondaryDelaySecs ?? 0) > 0,
      arbiter: own?.arbiterOnly === true,
      buildsIndexes: own?.buildIndexes !== false,
      appliedTs: ts === undefined ? null : timestampOf(ts),
    };
  });
}

/** A secondary further behind than this would make the snapshot old rather than light. */
const LAG_SECONDS_MAX = 120n;

/**
 * The members to read from, best first: a light guest reads from a hidden member, then from other secondaries by rising
 * priority, and from the primary only when nothing else can serve. Arbiters, delayed members and members far behind
 * never serve. One that builds no indexes serves for documents and the oplog; `orderCatalogMembers` says who has the
 * catalog then.
 */
export function orderSourceMembers(facts: ClusterFacts): ClusterMember[] {
  const newest = facts.members.reduce((max, member) => {
    return member.appliedTs !== null && member.appliedTs > max ? member.appliedTs : max;
  }, 0n);
  const usable = facts.members.filter(
    (member) =>
      !member.arbiter &&
      !member.delayed &&
      (member.state === 'PRIMARY' || member.state === 'SECONDARY') &&
      (member.state === 'PRIMARY' ||
        member.appliedTs === null ||
        (newest >> 32n) - (member.appliedTs >> 32n) <= LAG_SECONDS_MAX),
  );
  const rank = (member: ClusterMember) => (member.state === 'PRIMARY' ? 2 : member.hidden ? 0 : 1);
  return usable.sort((a, b) => rank(a) - rank(b) || a.priority - b.priority || (a.host < b.host ? -1 : 1));
}

/**
 * The members whose catalog is the set's, in the order in which they are asked for it in the place of one that builds
 * no indexes.
 */
export function orderCatalogMembers(facts: ClusterFacts): ClusterMember[] {
  return orderSourceMembers(facts).filter((member) => member.buildsIndexes);
}
