import type { Document, MongoClient } from 'mongodb';
import { Fault } from '../lib/errors.ts';
import { adminOf, type ConnectOptions, connectCluster, redactUri, replicaSetUri } from './connection/connect.ts';
import { asFault } from './errors.ts';

/** One replica set of a sharded cluster. */
export interface ClusterReplicaSet {
  /** Its `_id` in config.shards; `config` for the config servers. */
  shardName: string;
  configServer: boolean;
  replicaSetName: string;
  /** With the credentials and TLS settings under which the cluster is registered. */
  uri: string;
}

/** The name that the config servers have among the replica sets. MongoDB keeps it for them. */
const CONFIG_NAME = 'config';

/**
 * The replica sets of a sharded cluster, the config servers last; null where the connection string leads to a replica
 * set.
 */
export async function findReplicaSets(
  uri: string,
  { draining = false, ...options }: ConnectOptions & ReadReplicaSetsOptions = {},
): Promise<ClusterReplicaSet[] | null> {
  const client = await connectCluster(uri, options);
  try {
    const hello = await adminOf(client).command({ hello: 1 });
    return isShardedHello(hello) ? await readReplicaSets(client, uri, hello, { draining }) : null;
  } catch (error) {
    throw asFault(error, 'describe', redactUri(uri));
  } finally {
    await client.close();
  }
}

/** A mongos or a config server answered. */
export function isShardedHello(hello: Document): boolean {
  return hello.msg === 'isdbgrid' || hello.configsvr !== undefined;
}

export interface ReadReplicaSetsOptions {
  /** A shard that is being removed is one of them; else it is refused. */
  draining?: boolean;
}

export async function readReplicaSets(
  client: MongoClient,
  uri: string,
  hello: Document,
  { draining = false }: ReadReplicaSetsOptions = {},
): Promise<ClusterReplicaSet[]> {
  const name = redactUri(uri);
  const own = hello.msg === 'isdbgrid' ? await configHosts(client, name) : null;
  const config = own ?? { name: String(hello.setName), hosts: (hello.hosts ?? []) as string[] };
  const options = { readConcern: { level: 'majority' as const } };
  const shards = await client
    .db('config')
    .collection<ShardDocument>('shards')
    .find({}, options)
    .sort({ _id: 1 })
    .toArray();
  if (shards.length === 0)
    throw refused(name, 'has no shards', 'Add a shard, or register the replica set that holds the data');
  const replicaSets = shards.map((shard) =>
    replicaSetOf(client, uri, draining ? { ...shard, draining: false } : shard),
  );
  const replicaSetName = config.name;
  return [
    ...replicaSets,
    { shardName: CONFIG_NAME, configServer: true, replicaSetName, uri: replicaSetUri(client, uri, config) },
  ];
}

interface ShardDocument {
  _id: string;
  /** `rs0/host:port,host:port` */
  host: string;
  draining?: boolean;
}

function replicaSetOf(client: MongoClient, uri: string, { _id, host, draining }: ShardDocument): ClusterReplicaSet {
  if (_id === CONFIG_NAME) {
    throw refused(
      redactUri(uri),
      'keeps data on its config servers (a config shard)',
      'Give the config servers a replica set of their own',
    );
  }
  if (draining === true)
    throw refused(redactUri(uri), `is giving up its shard ${_id}`, 'Wait until the shard is removed');
  const set = parseHosts(host, redactUri(uri));
  return { shardName: _id, configServer: false, replicaSetName: set.name, uri: replicaSetUri(client, uri, set) };
}

/** Of a mongos: it knows the config servers by the same kind of string. */
async function configHosts(client: MongoClient, name: string): Promise<{ name: string; hosts: string[] }> {
  const { map } = await adminOf(client).command({ getShardMap: 1 });
  return parseHosts(String((map as Document | undefined)?.[CONFIG_NAME] ?? ''), name);
}

function parseHosts(text: string, name: string): { name: string; hosts: string[] } {
  const [set, hosts] = text.split('/');
  if (set === undefined || hosts === undefined || hosts === '')
    throw refused(name, `names a shard by ${JSON.stringify(text)}`, 'Every shard has to be a replica set');
  return { name: set, hosts: hosts.split(',') };
}

function refused(name: string, what: string, hint: string): Fault {
  return new Fault({ op: 'describe', subject: name, message: `the sharded cluster at ${name} ${what}`, hint });
}
