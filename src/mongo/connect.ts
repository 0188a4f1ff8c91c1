import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { ConnectionString } from 'mongodb-connection-string-url';
import { throwIfAborted } from '../lib/abort.ts';
import { Cancelled, Fault, messageOf } from '../lib/errors.ts';
import { asFault } from './errors.ts';

/** How long an unreachable cluster may keep us waiting before it is reported as such. */
export const connectTimeoutMs = 10_000;

const COMMON_OPTIONS: MongoClientOptions = {
  appName: 'tidemark',
  retryReads: false,
  retryWrites: false,
  // Raw batches are read from the socket as they are; monitoring would decode them.
  monitorCommands: false,
  waitQueueTimeoutMS: 60_000,
  maxPoolSize: 16,
};

/** No single answer of a source member may take longer: each is one batch. A dead connection is noticed by then at the latest. */
const readTimeoutMs = 120_000;

export interface ConnectOptions {
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** The uri without its password, for messages and logs. */
export function redactUri(uri: string): string {
  try {
    const parsed = new ConnectionString(uri);
    return parsed.redact().toString();
  } catch {
    return '(a connection string that cannot be read)';
  }
}

/** The one member that the uri asks to be talked to directly, or null where it means the whole set. */
export function directHost(uri: string): string | null {
  const parsed = parseUri(uri);
  return parsed.searchParams.get('directConnection') === 'true' ? (parsed.hosts[0] ?? null) : null;
}

function parseUri(uri: string): ConnectionString {
  try {
    return new ConnectionString(uri);
  } catch (error) {
    throw new Fault({
      op: 'connect',
      subject: 'the connection string',
      message: `the connection string cannot be read: ${messageOf(error)}`,
      hint: 'It starts with mongodb:// or mongodb+srv://; special characters in user names and passwords are percent-encoded',
    });
  }
}

/** A client for the whole replica set (or the one member a `directConnection` names). Fails within `timeoutMs`, saying why. */
export async function connectCluster(uri: string, options: ConnectOptions = {}): Promise<MongoClient> {
  parseUri(uri);
  return await open(uri, redactUri(uri), options, {});
}

/** A client that talks to one member only, with the credentials and TLS settings of the cluster's connection string. */
export async function connectMember(
  cluster: MongoClient,
  uri: string,
  host: string,
  options: ConnectOptions = {},
): Promise<MongoClient> {
  const parsed = uriOfHosts(cluster, uri, [host]);
  parsed.searchParams.set('directConnection', 'true');
  return await open(parsed.toString(), host, options, { socketTimeoutMS: readTimeoutMs });
}

/** The connection string of another replica set of the same sharded cluster: other hosts, the same credentials and TLS settings. */
export function replicaSetUri(
  cluster: MongoClient,
  uri: string,
  set: { name: string; hosts: readonly string[] },
): string {
  const parsed = uriOfHosts(cluster, uri, set.hosts);
  parsed.searchParams.delete('directConnection');
  parsed.searchParams.set('replicaSet', set.name);
  return parsed.toString();
}

function uriOfHosts(cluster: MongoClient, uri: string, hosts: readonly string[]): ConnectionString {
  const parsed = parseUri(uri);
  if (parsed.isSRV) {
    // The SRV and TXT records were resolved by the cluster's client; a connection to other hosts has to be told what they said.
    parsed.protocol = 'mongodb:';
    if (!parsed.searchParams.has('tls') && !parsed.searchParams.has('ssl')) parsed.searchParams.set('tls', 'true');
    const source = cluster.options.credentials?.source;
    if (source !== undefined) parsed.searchParams.set('authSource', source);
  }
  parsed.hosts = [...hosts];
  for (const name of ['replicaSet', 'loadBalanced', 'readPreference', 'srvMaxHosts', 'srvServiceName']) {
    parsed.searchParams.delete(name);
  }
  return parsed;
}

async function open(uri: string, name: string, options: ConnectOptions, own: MongoClientOptions): Promise<MongoClient> {
  throwIfAborted(options.signal);
  const timeoutMs = options.timeoutMs ?? connectTimeoutMs;
  const client = new MongoClient(uri, {
    ...COMMON_OPTIONS,
    ...own,
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
  });
  const onAbort = () => void client.close().catch(() => undefined);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.close().catch(() => undefined);
    if (options.signal?.aborted) throw new Cancelled();
    const fault = asFault(error, 'connect', name);
    if (fault instanceof Fault && fault.hint !== undefined) throw fault;
    throw new Fault({
      op: 'connect',
      subject: name,
      message: `cannot reach ${name} within ${Math.round(timeoutMs / 1000)} s: ${messageOf(error)}`,
      retryable: true,
      hint: 'Check that the members are up and that their host names resolve from here',
      cause: error,
    });
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
  }
}

export function adminOf(client: MongoClient): Db {
  return client.db('admin');
}
