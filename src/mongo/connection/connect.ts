import { type Db, MongoClient, type MongoClientOptions, MongoServerSelectionError } from 'mongodb';
import type { ConnectionString } from 'mongodb-connection-string-url';
import { throwIfAborted } from '../../lib/abort.ts';
import { Cancelled, Fault, Misconfigured, messageOf } from '../../lib/errors.ts';
import type { HostRule } from '../../lib/host-rules.ts';
import { asFault } from '../errors.ts';
import type { ClusterIdentity } from './cluster-identities.ts';
import { isPlainHost, parseUri, redactUri } from './connection-string.ts';
import { HostRefused } from './guarded-sockets.ts';
import { type PreparedConnection, prepareConnection } from './prepare-connection.ts';

export { directHost, redactUri } from './connection-string.ts';

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

/**
 * No single answer of a source member may take longer: each is one batch. A dead connection is noticed by then at the
 * latest.
 */
const readTimeoutMs = 120_000;

export interface ConnectOptions {
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** By which the server's operations tell whose they are; `tidemark` where left out. */
  appName?: string | undefined;
}

/** Where this process may connect, and as whom it may sign in: the operator's decision, the same for every client. */
export interface ConnectionPolicy {
  /** Anywhere where left out, but for what is forbidden in any case. */
  allow?: readonly HostRule[] | undefined;
  identities?: ReadonlyMap<string, ClusterIdentity> | undefined;
}

let policy: ConnectionPolicy = {};

/** Of the process: there is one service in it. Clients that are open already keep what held when they were opened. */
export function setConnectionPolicy(wanted: ConnectionPolicy): void {
  policy = wanted;
}

/**
 * A client for the whole replica set (or the one member a `directConnection` names). Fails within `timeoutMs`, saying
 * why.
 */
export async function connectCluster(uri: string, options: ConnectOptions = {}): Promise<MongoClient> {
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

/**
 * The connection string of another replica set of the same sharded cluster: other hosts, the same credentials and TLS
 * settings.
 */
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
    // The SRV and TXT records were resolved by the cluster's client; a connection to other hosts has to be told what
    // they said.
    parsed.protocol = 'mongodb:';
    if (!parsed.searchParams.has('tls') && !parsed.searchParams.has('ssl')) parsed.searchParams.set('tls', 'true');
    const source = cluster.options.credentials?.source;
    if (source !== undefined) parsed.searchParams.set('authSource', source);
  }
  const known = new Set(parsed.hosts);
  for (const host of hosts) {
    // What a server names goes into a connection string: nothing of it may be read as more than a host.
    if (!isPlainHost(host) && !known.has(host)) throw unusableHost(host);
  }
  parsed.hosts = [...hosts];
  for (const name of ['replicaSet', 'loadBalanced', 'readPreference', 'srvMaxHosts', 'srvServiceName']) {
    parsed.searchParams.delete(name);
  }
  return parsed;
}

function unusableHost(host: string): Fault {
  return new Fault({
    op: 'connect',
    subject: host,
    message: `the cluster names a member ${JSON.stringify(host)}, which is neither an address nor a name`,
    hint: 'Members are configured as host:port',
  });
}

async function open(uri: string, name: string, options: ConnectOptions, own: MongoClientOptions): Promise<MongoClient> {
  throwIfAborted(options.signal);
  const timeoutMs = options.timeoutMs ?? connectTimeoutMs;
  const prepared = prepareConnection(uri, policy);
  const { guard } = prepared;
  const client = createClient(prepared, {
    ...COMMON_OPTIONS,
    ...own,
    ...(options.appName === undefined ? {} : { appName: options.appName }),
    serverSelectionTimeoutMS: timeoutMs,
    connectTimeoutMS: timeoutMs,
  });
  const onAbort = () => void client.close().catch(() => undefined);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await connectUnlessRefused(client, prepared);
    return client;
  } catch (error) {
    await client.close().catch(() => undefined);
    if (options.signal?.aborted) throw new Cancelled();
    const [refusal] = guard.refused.values();
    if (refusal !== undefined) throw unreachable(name, refusal.message, REFUSED_HINT, refusal);
    if (isFileError(error)) throw unreadableFile(name);
    const otherName = wasLeftAlone(error) ? await otherSetName(uri, options) : null;
    if (otherName !== null) throw otherName;
    const fault = asFault(error, 'connect', name);
    if (fault instanceof Fault && fault.hint !== undefined) throw fault;
    const why = `cannot reach ${name} within ${Math.round(timeoutMs / 1000)} s: ${messageOf(error)}`;
    throw unreachable(name, why, 'Check that the members are up and that their host names resolve from here', error);
  } finally {
    guard.onRefusal = null;
    options.signal?.removeEventListener('abort', onAbort);
  }
}

/** Every member was passed over: the driver keeps those that it merely could not reach. */
function wasLeftAlone(error: unknown): boolean {
  return error instanceof MongoServerSelectionError && error.reason?.servers.size === 0;
}

const NAME_TIMEOUT_MS = 2_000;
const NAME_HOSTS_MAX = 3;

/**
 * The driver passes over members whose set is not called what the connection string says, without a word: so one of
 * them is asked by itself.
 */
async function otherSetName(uri: string, options: ConnectOptions): Promise<Fault | null> {
  const parsed = parseUri(uri);
  const wanted = parsed.searchParams.get('replicaSet');
  if (wanted === null || parsed.isSRV || parsed.searchParams.get('directConnection') === 'true') return null;
  for (const host of parsed.hosts.slice(0, NAME_HOSTS_MAX)) {
    const direct = parsed.clone();
    direct.hosts = [host];
    direct.searchParams.delete('replicaSet');
    direct.searchParams.set('directConnection', 'true');
    const setName = await setNameOf(direct.toString(), host, options).catch(() => undefined);
    if (setName === undefined || setName === wanted) continue;
    return new Fault({
      op: 'connect',
      subject: host,
      message:
        setName === null
          ? `${host} is no member of a replica set, the connection string says replicaSet=${wanted}`
          : `the replica set of ${host} is called ${setName}, the connection string says replicaSet=${wanted}`,
      hint: setName === null ? 'Leave replicaSet out, or start it as a replica set' : `Write replicaSet=${setName}`,
    });
  }
  return null;
}

async function setNameOf(uri: string, host: string, options: ConnectOptions): Promise<string | null> {
  const client = await open(uri, host, { ...options, timeoutMs: NAME_TIMEOUT_MS }, {});
  try {
    const { setName } = await adminOf(client).command({ hello: 1 });
    return typeof setName === 'string' ? setName : null;
  } finally {
    await client.close();
  }
}

const REFUSED_HINT = 'The operator of this service decides where clusters may be: --cluster-allow';

/** The driver's own words for what it cannot read, as a Fault of the connection string. */
function createClient({ uri, tls, guard }: PreparedConnection, options: MongoClientOptions): MongoClient {
  try {
    return new MongoClient(uri, { ...options, ...tls, lookup: guard.lookup });
  } catch (error) {
    throw new Misconfigured({
      op: 'connect',
      subject: 'the connection string',
      message: `the connection string cannot be used: ${messageOf(error)}`,
      hint: 'docs/connection-strings.md says what it may hold',
    });
  }
}

/**
 * Ends as soon as every host of the string was refused: the driver itself would go on asking until its time is over.
 */
async function connectUnlessRefused(client: MongoClient, { guard, isSrv }: PreparedConnection): Promise<void> {
  const seeds = client.options.hosts.map(({ host, socketPath }) => socketPath ?? host ?? '');
  const refusedAll = Promise.withResolvers<never>();
  guard.onRefusal = () => {
    if (!isSrv && seeds.every((host) => guard.refused.has(host)))
      refusedAll.reject(new Error('every host was refused'));
  };
  const connected = client.connect();
  connected.catch(() => undefined);
  refusedAll.promise.catch(() => undefined);
  await Promise.race([connected, refusedAll.promise]);
}

function unreachable(name: string, message: string, hint: string, cause: unknown): Fault {
  const retryable = !(cause instanceof HostRefused);
  return new Fault({ op: 'connect', subject: name, message, retryable, hint, cause });
}

/** Of the file system: its message names paths of this machine, which whoever asked for the connection may not know. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'path' in error;
}

function unreadableFile(name: string): Fault {
  return new Fault({
    op: 'connect',
    subject: name,
    message: `a certificate file that the connection to ${name} needs cannot be read`,
    hint: 'The operator finds the files in the connection string (tlsCAFile, tlsCertificateKeyFile, tlsCRLFile) or in the file of --cluster-identities',
  });
}

export function adminOf(client: MongoClient): Db {
  return client.db('admin');
}
