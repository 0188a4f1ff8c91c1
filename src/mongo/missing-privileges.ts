import { type Document, type MongoClient, UUID } from 'mongodb';
import { isTaken } from '../bson/namespace.ts';
import { findReplicaSets } from './cluster-replica-sets.ts';
import { adminOf, type ConnectOptions, connectCluster, redactUri } from './connection/connect.ts';
import { asFault, codeOf } from './errors.ts';

const UNAUTHORIZED = 13;
/** How servers from 8.0 on refuse a user's connection to a shard: the code is that of any right, so the words tell. */
const DIRECT = /direct(ly| connection)/i;

/** Read of every replica set of a sharded cluster; no role but those of anything has it. */
const DDL_COORDINATORS = 'system.sharding_ddl_coordinators';

type Kind = 'replicaSet' | 'shard' | 'configServers';

/**
 * What the user of the connection string may not do and a snapshot needs, tried and not looked up: each version of the
 * server knows best. Said are the privilege, the role that has it, and where in a sharded cluster. Writes nothing.
 */
export async function missingPrivileges(uri: string, options: ConnectOptions = {}): Promise<string[]> {
  const replicaSets = await findReplicaSets(uri, options);
  if (replicaSets === null) return await lackingOn(uri, 'replicaSet', options);
  const found = await Promise.all(
    replicaSets.map(async ({ uri: own, shardName, configServer }) => {
      const lacking = await lackingOn(own, configServer ? 'configServers' : 'shard', options);
      const named = lacking.map(
        (privilege) => `${privilege} on ${configServer ? 'the config servers' : `shard ${shardName}`}`,
      );
      return { named, configServer, shardName, unsigned: await getsUnsignedTimes(own, options) };
    }),
  );
  const unbelieved = found.some(({ configServer, unsigned }) => configServer && unsigned)
    ? found.filter(({ configServer, unsigned }) => !configServer && !unsigned)
    : [];
  return [
    ...found.flatMap(({ named }) => named),
    ...unbelieved.map(
      ({ shardName }) =>
        `advanceClusterTime on the cluster on shard ${shardName}, as the user has it on the config servers by anyAction (internal does there)`,
    ),
  ];
}

/**
 * A user who may advance the cluster's time is told it without a signature, which nobody believes who may not advance
 * it too (as on 6.0.5: "No keys found for HMAC").
 */
async function getsUnsignedTimes(uri: string, options: ConnectOptions): Promise<boolean> {
  const client = await connectCluster(uri, options);
  try {
    const { authInfo } = await adminOf(client).command({ connectionStatus: 1 });
    if (authInfo.authenticatedUsers.length === 0) return false;
    const { $clusterTime } = await adminOf(client).command({ hello: 1 });
    return $clusterTime !== undefined && Number($clusterTime.signature?.keyId ?? 0) === 0;
  } catch (error) {
    throw asFault(error, 'try the privileges', redactUri(uri));
  } finally {
    await client.close();
  }
}

/** Of one replica set, whichever it is. */
export async function lackingOn(uri: string, kind: Kind, options: ConnectOptions = {}): Promise<string[]> {
  const client = await connectCluster(uri, options);
  try {
    const lacking: string[] = [];
    for await (const privilege of tried(client, kind)) if (!lacking.includes(privilege)) lacking.push(privilege);
    return lacking;
  } catch (error) {
    throw asFault(error, 'try the privileges', redactUri(uri));
  } finally {
    await client.close();
  }
}

async function* tried(client: MongoClient, kind: Kind): AsyncGenerator<string, void, undefined> {
  const reads: [db: string, name: string][] = [
    ['local', 'oplog.rs'],
    ['admin', 'system.users'],
    ['admin', 'system.roles'],
  ];
  for (const [db, name] of reads)
    if (await isRefused(client, db, { find: name, limit: 1 })) yield `find on ${db}.${name} (role backup)`;
  const uuid = await uuidOf(client, 'admin', 'system.version');
  if (uuid === null) yield 'listCollections (role backup)';
  else if (uuid !== undefined && (await isRefused(client, 'admin', { find: uuid, limit: 1 })))
    yield 'useUUID on the cluster';
  if (await isRefused(client, 'admin', { replSetGetStatus: 1 })) yield 'replSetGetStatus (role clusterMonitor)';
  yield* await lackingForData(client);
  // Nothing is noted without the data that the command insists on, which it looks at after the privilege.
  if (kind === 'shard' && (await isRefused(client, 'admin', { appendOplogNote: 1 })))
    yield 'appendOplogNote on the cluster';
  if (kind !== 'replicaSet' && (await isRefused(client, 'config', { find: DDL_COORDINATORS, limit: 1 })))
    yield `find on config.${DDL_COORDINATORS}`;
  if (kind === 'configServers' && (await isRefused(client, 'admin', { _configsvrBalancerStatus: 1 })))
    yield 'internal on the cluster, to stop the balancer';
}

/** By the first collection of a user's that there is. */
async function lackingForData(client: MongoClient): Promise<string[]> {
  const listed = await refusedOr(async () => await adminOf(client).command({ listDatabases: 1, nameOnly: true }));
  if (typeof listed === 'string') return ['listDatabases (role backup)'];
  for (const { name: db } of listed.databases as { name: string }[]) {
    if (db === 'admin' || db === 'config' || db === 'local') continue;
    const command = { listCollections: 1, nameOnly: false, cursor: { batchSize: 1_000 } };
    const found = await refusedOr(async () => await client.db(db).command(command));
    if (typeof found === 'string') return [lackingBy(found, 'listCollections')];
    const entries = found.cursor.firstBatch as { name: string; type: string }[];
    const collection = entries.find(({ name, type }) => type === 'collection' && isTaken({ db, name }));
    if (collection === undefined) continue;
    const refusal = await refusedOr(async () => await client.db(db).command({ find: collection.name, limit: 1 }));
    return typeof refusal === 'string' ? [lackingBy(refusal, 'find on every collection')] : [];
  }
  return [];
}

function lackingBy(refusal: string, privilege: string): string {
  if (DIRECT.test(refusal)) return 'issueDirectShardOperations on the cluster (role directShardOperations)';
  return `${privilege} (role backup)`;
}

/** Null where it may not be asked; undefined where there is no such collection. */
async function uuidOf(client: MongoClient, db: string, name: string): Promise<UUID | null | undefined> {
  const found = await refusedOr(async () => await client.db(db).command({ listCollections: 1, filter: { name } }));
  if (typeof found === 'string') return null;
  const uuid = (found.cursor.firstBatch as { info: { uuid?: { buffer: Uint8Array } } }[])[0]?.info.uuid;
  return uuid === undefined ? undefined : new UUID(uuid.buffer);
}

async function isRefused(client: MongoClient, db: string, command: Document): Promise<boolean> {
  return typeof (await refusedOr(async () => await client.db(db).command(command))) === 'string';
}

/** The server's words where it is a matter of rights; an error of another kind is an answer, but for a lost server. */
async function refusedOr(ask: () => Promise<Document>): Promise<Document | string> {
  try {
    return await ask();
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    return code === UNAUTHORIZED ? String((error as Error).message) : { databases: [], cursor: { firstBatch: [] } };
  }
}
