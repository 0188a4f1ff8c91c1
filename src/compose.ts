import { readFileSync } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { createSecureContext } from 'node:tls';
import { createApiServer } from './api/server.ts';
import { createApiKey } from './auth/api-keys.ts';
import { createAuthenticator } from './auth/authenticator.ts';
import { catalogAuthStores } from './auth/catalog-stores.ts';
import { createCredentialMint } from './auth/credential-mint.ts';
import { createServiceAccount } from './auth/service-accounts.ts';
import { allApiKeys } from './catalog/api-keys.ts';
import { type Catalog, openCatalog } from './catalog/catalog.ts';
import { findAccessRole } from './catalog/export-buckets.ts';
import { allOrganizations } from './catalog/organizations.ts';
import { takeProcessLock } from './catalog/process-lock.ts';
import type { CloudProviderAccessRoleRow, ExportBucketRow, TaskKind } from './catalog/schema.ts';
import { makeSecretBox, readSecretBox } from './catalog/secret-key.ts';
import { readSetting, requireSame, writeSetting } from './catalog/settings.ts';
import {
  catalogPathOf,
  lockPathOf,
  repositoryPlaceOf,
  repositoryPlacePathOf,
  type ServiceConfig,
  secretKeyPathOf,
} from './config.ts';
import type { DomainContext } from './domain/context.ts';
import { createDomain, createDuties, createTaskHandlers, type DomainPorts } from './domain/create-domain.ts';
import type { Domain } from './domain/domain.ts';
import { queueCatalogCopy } from './domain/repositories/catalog-copy-task.ts';
import { flushCatalogCopy } from './domain/repositories/flush-catalog-copy.ts';
import { type RebuildReport, rebuildCatalog } from './domain/repositories/rebuild.ts';
import { repositoryManifests } from './domain/repositories/repository-manifests.ts';
import { prepareDownload, readDownload } from './engine/archive/download.ts';
import { startBalancer } from './engine/balancer-hold.ts';
import { exportSnapshot } from './engine/export/export-snapshot.ts';
import { TranscoderPool } from './engine/export/transcoder-pool.ts';
import { putDocument } from './engine/history/put-document.ts';
import { readHistory } from './engine/history/read-history.ts';
import { restoreShardedSnapshot } from './engine/restore-sharded-snapshot.ts';
import { restoreSnapshot } from './engine/restore-snapshot.ts';
import { sliceOplog } from './engine/slice-oplog.ts';
import { tailOplog } from './engine/tail-oplog.ts';
import { takeShardedSnapshot } from './engine/take-sharded-snapshot.ts';
import { takeSnapshot } from './engine/take-snapshot.ts';
import { assert } from './lib/assert.ts';
import { type Clock, systemClock } from './lib/clock.ts';
import { describeError, Fault } from './lib/errors.ts';
import { createIdSource, type IdSource } from './lib/ids.ts';
import { createLogger, type Logger, silentLogger } from './lib/logger.ts';
import { type Random, systemRandom } from './lib/random.ts';
import { timestampOf } from './lib/timestamp.ts';
import { readProcessSettings } from './mongo/process-settings.ts';
import { findShardMembers } from './mongo/shard-members.ts';
import { describeCluster } from './mongo/topology.ts';
import { readLatestCatalogCopy, writeCatalogCopy } from './repository/catalog-copies.ts';
import { copySnapshot, deleteSnapshotCopy, openCopyRepository } from './repository/copy-snapshot.ts';
import { listManifests, readManifest } from './repository/manifests.ts';
import { createRepository, openRepository, type Repository, type RepositoryContext } from './repository/repository.ts';
import { deleteSlicesUpTo, readCoverage } from './repository/slices.ts';
import { checkBucket } from './storage/check-bucket.ts';
import { type BucketFacts, openBucketStore, openStoreAt, type StoreAccess, storeAccess } from './storage/open-store.ts';
import { requireConditionalPuts } from './storage/require-conditional-puts.ts';
import { StoreFault, type StoreProblem } from './storage/store-fault.ts';
import { parseStoreUrl } from './storage/store-url.ts';
import { recoverTasks } from './tasks/queue.ts';
import { Timer } from './tasks/timer.ts';
import { Worker } from './tasks/worker.ts';

/**
 * The only file that constructs concrete stores, clients and clocks. Three ways in: `composeService` for the server, `composeOffline` for commands on the same data directory
 * (beside a running server too), `initDataDirectory` and `rebuildDataDirectory` to make one.
 */
export interface OpenOptions {
  dataDir: string;
  passphrase?: string | undefined;
  /** Region and directory or URL of each; none where left out. */
  copyStores?: Readonly<Record<string, string>>;
  /** Directory or URL; what the data directory says where left out. */
  repository?: string | undefined;
  /** Path of the file of object stores. */
  objectStores?: string | undefined;
  log?: Logger | undefined;
  awsPrincipalArn?: string | undefined;
  gcpServiceAccount?: string | undefined;
}

/** A data directory, open: what commands work with. */
export interface Workspace {
  readonly catalog: Catalog;
  readonly repository: Repository;
  readonly domain: Domain;
  /** Run tasks in this process; none where that was not asked for, and a server or the next command with workers runs them. */
  readonly workers: readonly Worker[];
  /** Puts back what still runs, writes the catalog copy that is due, closes. */
  close(): Promise<void>;
}

type ApiServer = ReturnType<typeof createApiServer>;

export interface Service extends Workspace {
  readonly server: ApiServer;
  readonly timer: Timer;
  /** Starts workers, timer and server. Resolves with the address that it listens on, once it does. */
  listen(): Promise<string>;
}

/** Whatever runs has this long to stop; then it is left to the next start, which knows how to take it up. */
const STOP_MS = 20_000;
const SERVICE_ACCOUNT_SECRET_HOURS = 24 * 365;

const VERSION = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;

interface Tools {
  clock: Clock;
  random: Random;
  ids: IdSource;
  log: Logger;
}

interface Parts {
  catalog: Catalog;
  repository: Repository;
  context: DomainContext;
  ports: DomainPorts;
  domain: Domain;
}

function createTools(log: Logger): Tools {
  return { clock: systemClock, random: systemRandom, ids: createIdSource(systemClock, systemRandom), log };
}

/** The whole service, not yet listening. Throws a Fault where another one serves from the directory, or where it is none. */
export async function composeService(config: ServiceConfig): Promise<Service> {
  const tools = createTools(createLogger(config.logLevel));
  await requireDataDirectory(config.dataDir);
  const lock = takeProcessLock(lockPathOf(config.dataDir));
  try {
    const workers: Worker[] = [];
    const parts = await openParts(config, tools, () => wakeAll(workers));
    const { catalog, domain, context, ports } = parts;
    const owner = await instanceId(catalog, tools.ids);
    workers.push(...createWorkers(parts, tools, { owner, concurrency: config.concurrency }));
    const timer = new Timer({ clock: tools.clock, log: tools.log, duties: createDuties(context) });
    const server = createServer(config, parts, tools);
    return {
      catalog,
      repository: parts.repository,
      domain,
      server,
      workers,
      timer,
      listen: async () => {
        const recovered = await recoverTasks(catalog, owner);
        if (recovered > 0)
          tools.log.warn({ tasks: recovered }, 'took up tasks that were cut off when the service last ended');
        const address = await server.listen({ host: config.host, port: config.port });
        for (const worker of workers) worker.start();
        timer.start();
        return address;
      },
      close: async () => {
        await server.close();
        await timer.stop();
        await stopWorkers(workers, tools);
        await flushCatalogCopy(context, createTaskHandlers(context, ports), tools.random);
        await catalog.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Catalog, repository and rules without a server. With `worker` tasks run in this process, until it is closed. */
export async function composeOffline(options: OpenOptions & { worker?: boolean }): Promise<Workspace> {
  const tools = createTools(options.log ?? silentLogger);
  await requireDataDirectory(options.dataDir);
  const workers: Worker[] = [];
  const parts = await openParts(options, tools, () => wakeAll(workers));
  const { catalog, repository, context, ports, domain } = parts;
  if (options.worker === true)
    workers.push(...createWorkers(parts, tools, { owner: tools.ids.next(), concurrency: 1 }));
  for (const worker of workers) worker.start();
  return {
    catalog,
    repository,
    domain,
    workers,
    close: async () => {
      await stopWorkers(workers, tools);
      await flushCatalogCopy(context, createTaskHandlers(context, ports), tools.random);
      await catalog.close();
    },
  };
}

async function openParts(options: OpenOptions, tools: Tools, wakeWorker: () => void): Promise<Parts> {
  const secretBox = await readSecretBox(secretKeyPathOf(options.dataDir), tools.random);
  const access = await accessOf(options, tools);
  const repository = await openRepositoryOf(options, tools, access);
  const catalog = await openCatalog({ path: catalogPathOf(options.dataDir), clock: tools.clock });
  try {
    if ((await readSetting(catalog.reader, 'repositoryId')) === null) {
      const hint = 'Run the same command again';
      throw initFault(options.dataDir, `making ${options.dataDir} was cut off before its end`, hint);
    }
    await requireSame(catalog.reader, 'repositoryId', repository.repositoryId, 'the repository');
    await requireSame(catalog.reader, 'secretKeyFingerprint', secretBox.fingerprint(), 'secret.key');
    const { clock, ids, log } = tools;
    const context: DomainContext = { catalog, clock, ids, secretBox, log, wakeWorker };
    const copyRepositories = await openCopyRepositories(repository, options, access);
    const ports = createPorts({ repository, copyRepositories, access, catalog }, tools, options);
    return { catalog, repository, context, ports, domain: createDomain(context, ports) };
  } catch (error) {
    await catalog.close();
    throw error;
  }
}

/** Threads of one export. Past a few, reading the repository and writing the bucket is what takes time. */
const TRANSCODERS_MAX = 4;

interface OpenPlaces {
  repository: Repository;
  copyRepositories: ReadonlyMap<string, Repository>;
  access: StoreAccess;
  catalog: Catalog;
}

/** A replica set's snapshots, or those of all the replica sets of a sharded cluster. */
function createSnapshotEngine(
  repository: Repository,
  { clock, random, log }: Omit<Tools, 'ids'>,
): DomainPorts['snapshotEngine'] {
  const ids = createIdSource(clock, random);
  return {
    take: async (request) => {
      const retention = request.retentionAt(clock.nowMs());
      const options = { ...request, retention, repository, clock, random, log };
      const members = await findShardMembers(request.uri, { signal: request.signal });
      const holdRecord = request.balancerRecord;
      const newMemberId = () => ids.next();
      const taken = await (members === null
        ? takeSnapshot(options)
        : takeShardedSnapshot({ ...options, members, holdRecord, newMemberId }));
      log.info({ snapshot: request.snapshotId, source: taken.sourceHost, ...taken.statistics }, 'snapshot taken');
      return { header: taken.header, storageSizeBytes: taken.referencedStoredBytes - taken.manifestBytes };
    },
    startBalancer: async (uri) => {
      const config = (await findShardMembers(uri))?.find((member) => member.configServer);
      if (config !== undefined) await startBalancer(config.uri);
    },
  };
}

/** The rules' view of MongoDB, the engine and the repository. */
function createPorts(
  { repository, copyRepositories, access, catalog }: OpenPlaces,
  { clock, random, log }: Tools,
  options: OpenOptions,
): DomainPorts {
  const repositoryOf = (regionName: string | undefined): Repository =>
    regionName === undefined ? repository : copyRepositoryIn(copyRepositories, regionName);
  return {
    snapshotEngine: createSnapshotEngine(repository, { clock, random, log }),
    restoreEngine: {
      restore: async ({ point, regionName, balancerRecord, ...request }) => {
        const readFrom = repositoryOf(regionName);
        const common = { ...request, repository: readFrom, verifyContent: true, clock, log };
        const manifest = await readManifest(readFrom, request, { signal: request.signal });
        const { header } = manifest;
        assert(header.type === 'replicaSet' || point === undefined, 'no oplog is captured of a sharded cluster');
        if (header.type === 'sharded')
          return await restoreShardedSnapshot({ ...common, holdRecord: balancerRecord }, manifest);
        if (point === undefined) return await restoreSnapshot(common);
        const from = { ts: timestampOf(header.clusterTime), term: BigInt(header.clusterTime.term) };
        const source = await sliceOplog(
          repository,
          { clusterId: header.clusterId, replicaSetName: header.replicaSetName },
          { from, end: point.ts },
          request.signal,
        );
        return await restoreSnapshot({ ...common, pointInTime: { end: point, source } });
      },
    },
    exportEngine: {
      export: async (request) => {
        const transcoder = new TranscoderPool({ threads: Math.min(TRANSCODERS_MAX, availableParallelism()) });
        try {
          return await exportSnapshot({ ...request, repository, transcoder, log });
        } finally {
          await transcoder.close();
        }
      },
    },
    downloadEngine: {
      prepare: async ({ regionName, ...request }) =>
        await prepareDownload({ ...request, repository: repositoryOf(regionName) }),
      read: ({ regionName, ...request }) => readDownload({ ...request, repository: repositoryOf(regionName) }),
    },
    captureEngine: {
      tail: async (request) => await tailOplog({ ...request, repository, clock, log }),
      coverage: async (source) => await readCoverage(repository, source),
      prune: async (source, upTo) => await deleteSlicesUpTo(repository, source, upTo),
    },
    documentHistory: {
      history: ({ clusterId, replicaSetName, ...request }) =>
        readHistory({ ...request, repository, source: { clusterId, replicaSetName } }),
      put: putDocument,
    },
    manifests: repositoryManifests(repository),
    catalogCopies: {
      encrypted: repository.encrypted,
      write: async (copy) => await writeCatalogCopy(repository, copy),
      readLatest: async () => await readLatestCatalogCopy(repository),
    },
    copyStores: {
      regions: [...copyRepositories.keys()],
      copy: async ({ regionName, signal, report, ...name }) =>
        await copySnapshot(repository, copyRepositoryIn(copyRepositories, regionName), name, { signal, report }),
      delete: async ({ regionName, signal, ...name }) =>
        await deleteSnapshotCopy(copyRepositoryIn(copyRepositories, regionName), name, { signal }),
    },
    bucketStores: createBucketStores(catalog, access),
    probe: {
      describe: async (uri, { signal }) => {
        const { members, ...facts } = await describeCluster(uri, { signal });
        const known = members.map(({ appliedTs: _applied, delayed: _delayed, arbiter: _arbiter, ...member }) => member);
        return { ...facts, members: known };
      },
      processSettings: async (uri, { signal }) => await readProcessSettings(uri, { signal }),
    },
    credentialMint: createCredentialMint(random),
    cloudIdentities: {
      awsPrincipalArn: options.awsPrincipalArn ?? null,
      gcpServiceAccount: options.gcpServiceAccount ?? null,
    },
    repository: {
      id: repository.repositoryId,
      encrypted: repository.encrypted,
      description: repository.store.description,
    },
  };
}

/** Somebody waits for the answer. */
const CHECK_POLICY = { attemptsMax: 3, idleMs: 10_000, backoffMaxMs: 1_000 };

function createBucketStores(catalog: Catalog, access: StoreAccess): DomainPorts['bucketStores'] {
  return {
    open: async (bucket) => {
      const role = await findAccessRole(catalog.reader, bucket.roleId);
      if (role !== undefined && role.deletedAtMs === null) return await openBucketStore(factsOf(bucket, role), access);
      const message = `the bucket ${bucket.bucketName} cannot be opened: its cloud provider access role ${bucket.roleId} is gone`;
      throw new Fault({ op: 'open export bucket', subject: bucket.bucketName, message });
    },
    check: async (bucket, role, options) => {
      try {
        const store = await openBucketStore(factsOf(bucket, role), access, CHECK_POLICY);
        return { region: await checkBucket(store, options) };
      } catch (error) {
        if (!(error instanceof StoreFault)) throw error;
        return { problem: bucketProblems[error.problem], reason: describeError(error) };
      }
    },
  };
}

const bucketProblems: Record<StoreProblem, 'noBucket' | 'role' | 'refused' | 'unreachable'> = {
  noBucket: 'noBucket',
  role: 'role',
  denied: 'refused',
  credentials: 'refused',
  clock: 'refused',
  region: 'refused',
  full: 'refused',
  refused: 'refused',
  busy: 'unreachable',
  unreachable: 'unreachable',
};

function factsOf(bucket: ExportBucketRow, role: CloudProviderAccessRoleRow): BucketFacts {
  const { cloudProvider: provider, bucketName, serviceUrl } = bucket;
  return { provider, bucketName, serviceUrl, role };
}

async function accessOf({ objectStores }: OpenOptions, { clock, random }: Tools): Promise<StoreAccess> {
  return await storeAccess({ objectStoresFile: objectStores, env: process.env, clock, random });
}

async function openCopyRepositories(
  repository: Repository,
  options: OpenOptions,
  access: StoreAccess,
): Promise<Map<string, Repository>> {
  const own = JSON.stringify(parseStoreUrl(repositoryPlaceOf(options.dataDir, options.repository)));
  const passphrase = options.passphrase === undefined ? {} : { passphrase: options.passphrase };
  const opened = new Map<string, Repository>();
  for (const [regionName, directory] of Object.entries(options.copyStores ?? {})) {
    const place = parseStoreUrl(directory);
    if (JSON.stringify(place) === own) {
      const message = `the copy store of ${regionName} is the repository itself`;
      throw new Fault({ op: 'open copy store', subject: directory, message, hint: 'Copies belong somewhere else' });
    }
    if (place.kind === 'directory') await mkdir(place.path, { recursive: true, mode: 0o700 });
    const store = await openStoreAt(directory, access);
    opened.set(regionName, await openCopyRepository(repository, store, passphrase));
  }
  return opened;
}

function copyRepositoryIn(copyRepositories: ReadonlyMap<string, Repository>, regionName: string): Repository {
  const found = copyRepositories.get(regionName);
  if (found !== undefined) return found;
  throw new Fault({
    op: 'open copy store',
    subject: regionName,
    message: `no copy store is configured for ${regionName}`,
    retryable: true,
    hint: `Say where it is: --copy-store ${regionName}=DIRECTORY or =URL`,
  });
}

/** A tailer is idle most of the time and holds one slice, 16 MiB at most. */
const TAILERS_AT_ONCE = 64;

/** Lanes, so that what takes a moment never waits behind what takes hours (the copy that makes a new cluster survive the loss of the catalog, behind two long snapshots), nor either behind what never ends. */
const LANES: Record<TaskKind, Lane> = {
  takeSnapshot: 'long',
  copySnapshot: 'copies',
  deleteSnapshotCopy: 'copies',
  restoreSnapshot: 'long',
  exportSnapshot: 'exports',
  serveDownload: 'long',
  deleteSnapshot: 'short',
  copyCatalog: 'short',
  pruneSlices: 'short',
  releaseBalancer: 'short',
  tailOplog: 'tail',
};

type Lane = 'long' | 'short' | 'tail' | 'copies' | 'exports';

function kindsOf(lane: Lane): TaskKind[] {
  return (Object.keys(LANES) as TaskKind[]).filter((kind) => LANES[kind] === lane);
}

function createWorkers(
  { catalog, context, ports }: Parts,
  { clock, random, log }: Tools,
  { owner, concurrency }: { owner: string; concurrency: number },
): Worker[] {
  const common = { catalog, clock, random, log, owner, handlers: createTaskHandlers(context, ports) };
  return [
    new Worker({ ...common, concurrency, kinds: kindsOf('long') }),
    new Worker({ ...common, concurrency: 1, kinds: kindsOf('short') }),
    new Worker({ ...common, concurrency, kinds: kindsOf('exports') }),
    // Left to a process that knows where the copies are.
    ...(ports.copyStores.regions.length === 0
      ? []
      : [new Worker({ ...common, concurrency: 1, kinds: kindsOf('copies') })]),
    new Worker({ ...common, concurrency: TAILERS_AT_ONCE, kinds: kindsOf('tail') }),
  ];
}

function wakeAll(workers: readonly Worker[]): void {
  for (const worker of workers) worker.wake();
}

function createServer(config: ServiceConfig, { catalog, context, domain }: Parts, tools: Tools): ApiServer {
  const { clock, random, ids, log } = tools;
  const { publicUrl } = config;
  const authenticator = createAuthenticator({
    stores: catalogAuthStores(catalog, ids),
    clock,
    random,
    secretBox: context.secretBox,
    ...(publicUrl === undefined ? {} : { proxiedPath: new URL(publicUrl).pathname }),
  });
  return createApiServer({
    domain,
    authenticator,
    clock,
    log,
    version: VERSION,
    trustedProxies: config.trustedProxies,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...tlsOf(config),
  });
}

/** Certificate and key are read once, at the start: a renewed certificate takes a restart. */
function tlsOf({ tlsCert, tlsKey }: ServiceConfig): { tls?: { cert: Buffer; key: Buffer } } {
  if (tlsCert === undefined || tlsKey === undefined) return {};
  const tls = { cert: readPem(tlsCert), key: readPem(tlsKey) };
  try {
    createSecureContext(tls);
  } catch (cause) {
    const hint =
      'Give the certificate, with those between it and its authority, and the private key that belongs to it';
    const message = `${tlsCert} and ${tlsKey} cannot be used for https`;
    throw new Fault({ op: 'read the certificate', subject: tlsCert, message, hint, cause });
  }
  return { tls };
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Fault({ op: 'read the certificate', subject: path, message: `${path} cannot be read`, cause });
  }
}

async function stopWorkers(workers: readonly Worker[], { clock, log }: Tools): Promise<void> {
  const bound = new AbortController();
  const stopped = Promise.all(workers.map(async (worker) => await worker.stop()));
  const overdue = clock.sleep(STOP_MS, bound.signal).then(
    () => log.error('tasks did not stop in time; the next start takes them up'),
    () => undefined,
  );
  await Promise.race([stopped, overdue]);
  bound.abort();
}

export interface InitOptions extends OpenOptions {
  organizationName?: string;
  projectName?: string;
}

/** What `tidemark init` shows, once: the two secrets are kept nowhere in this form. */
export interface InitializedDataDirectory {
  repositoryId: string;
  encrypted: boolean;
  organizationId: string;
  projectId: string;
  apiKey: { publicKey: string; privateKey: string };
  serviceAccount: { clientId: string; secret: string; secretExpiresAtMs: number };
}

/**
 * Makes a data directory: secret key, repository (encrypted with the passphrase where there is one), catalog, a first organization and project, an API key and a service account that
 * own the organization. Refuses a directory that is in use, and a repository that holds snapshots. What a run that was cut off left is taken up.
 */
export async function initDataDirectory(options: InitOptions): Promise<InitializedDataDirectory> {
  const tools = createTools(options.log ?? silentLogger);
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const secretBox = await makeSecretBox(secretKeyPathOf(options.dataDir), tools.random);
  const catalog = await openNewCatalog(options.dataDir, tools.clock);
  try {
    const access = await accessOf(options, tools);
    const repository = await createOrAdoptRepository(options, tools, access);
    const { clock, ids, log } = tools;
    const context: DomainContext = { catalog, clock, ids, secretBox, log, wakeWorker: () => {} };
    const ports = createPorts({ repository, copyRepositories: new Map(), access, catalog }, tools, options);
    const domain = createDomain(context, ports);
    const organization = await domain.organizations.create({ name: options.organizationName ?? 'Tidemark' });
    const organizationId = organization.id;
    const project = await domain.projects.create({ organizationId, name: options.projectName ?? 'default' });
    const callers = await createFirstCallers(context, tools, organizationId);
    await writePlace(options);
    await writeIdentity(context, repository);
    await flushCatalogCopy(context, createTaskHandlers(context, ports), tools.random);
    const { repositoryId, encrypted } = repository;
    return { repositoryId, encrypted, organizationId, projectId: project.id, ...callers };
  } finally {
    await catalog.close();
  }
}

/** The identity is the last thing that an init or a rebuild writes. A catalog without one is what a run that was cut off left: nothing is lost with it. */
async function openNewCatalog(dataDir: string, clock: Clock): Promise<Catalog> {
  const path = catalogPathOf(dataDir);
  const found = await openCatalog({ path, clock });
  const identity = await readSetting(found.reader, 'repositoryId');
  await found.close();
  if (identity !== null) throw initFault(dataDir, `there is a Tidemark in ${dataDir} already`, 'Run `tidemark serve`');
  for (const suffix of ['', '-wal', '-shm']) await rm(`${path}${suffix}`, { force: true });
  return await openCatalog({ path, clock });
}

async function createFirstCallers(
  { catalog, secretBox, clock, ids }: DomainContext,
  { random }: Tools,
  organizationId: string,
): Promise<Pick<InitializedDataDirectory, 'apiKey' | 'serviceAccount'>> {
  const stores = catalogAuthStores(catalog, ids);
  const roles = [{ role: 'ORG_OWNER', organizationId, projectId: null }] as const;
  const description = 'made by tidemark init';
  const apiKey = await createApiKey(
    { clock, random, ids, secretBox, store: stores.apiKeys },
    { organizationId, description, roles },
  );
  const account = await createServiceAccount(
    { clock, random, ids, store: stores.serviceAccounts },
    { organizationId, name: 'tidemark', description, secretExpiresAfterHours: SERVICE_ACCOUNT_SECRET_HOURS, roles },
  );
  return {
    apiKey: { publicKey: apiKey.publicKey, privateKey: apiKey.privateKey },
    serviceAccount: {
      clientId: account.clientId,
      secret: account.secret,
      secretExpiresAtMs: account.secretExpiresAtMs,
    },
  };
}

export interface RebuiltDataDirectory extends RebuildReport {
  /** Made where no API key could be brought back: their secrets are in copies of encrypted repositories only. */
  apiKey: { publicKey: string; privateKey: string } | null;
}

/** Makes the catalog anew from the repository, in a data directory that lost it; adds what is missing to one that did not. Nothing may be serving from it. */
export async function rebuildDataDirectory(
  options: OpenOptions & { signal?: AbortSignal },
): Promise<RebuiltDataDirectory> {
  const tools = createTools(options.log ?? silentLogger);
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const access = await accessOf(options, tools);
  const repository = await openRepositoryOf(options, tools, access);
  const secretBox = await makeSecretBox(secretKeyPathOf(options.dataDir), tools.random);
  const lock = takeProcessLock(lockPathOf(options.dataDir));
  let catalog: Catalog | undefined;
  try {
    catalog = await openCatalog({ path: catalogPathOf(options.dataDir), clock: tools.clock });
    await requireSame(catalog.reader, 'repositoryId', repository.repositoryId, 'the repository');
    const { clock, ids, log } = tools;
    const context: DomainContext = { catalog, clock, ids, secretBox, log, wakeWorker: () => {} };
    const ports = createPorts({ repository, copyRepositories: new Map(), access, catalog }, tools, options);
    const report = await rebuildCatalog(context, ports, options.signal);
    const apiKey = await apiKeyAfterRebuild(context, tools);
    await writePlace(options);
    await writeIdentity(context, repository);
    await flushCatalogCopy(context, createTaskHandlers(context, ports), tools.random);
    return { ...report, apiKey };
  } finally {
    await catalog?.close();
    lock.release();
  }
}

async function apiKeyAfterRebuild(context: DomainContext, tools: Tools): Promise<RebuiltDataDirectory['apiKey']> {
  const { catalog } = context;
  if ((await allApiKeys(catalog.reader)).some((apiKey) => apiKey.deletedAtMs === null)) return null;
  const [organization] = await allOrganizations(catalog.reader);
  if (organization === undefined) return null;
  return (await createFirstCallers(context, tools, organization.id)).apiKey;
}

/** Binds the catalog to its repository and secret key, and asks for a copy of it all. */
async function writeIdentity(context: DomainContext, repository: Repository): Promise<void> {
  await context.catalog.transact(async (writer) => {
    await writeSetting(writer, 'repositoryId', repository.repositoryId);
    await writeSetting(writer, 'secretKeyFingerprint', context.secretBox.fingerprint());
    await queueCatalogCopy(writer, context);
  });
}

/** So that later starts and commands need not be told again where the repository is. */
async function writePlace({ dataDir, repository }: OpenOptions): Promise<void> {
  if (repository === undefined || repository === '') return;
  const place = parseStoreUrl(repository);
  const line = place.kind === 'directory' ? place.path : repository;
  await writeFile(repositoryPlacePathOf(dataDir), `${line}\n`, { mode: 0o600 });
}

async function createOrAdoptRepository(options: OpenOptions, tools: Tools, access: StoreAccess): Promise<Repository> {
  const context = await repositoryContext(options, tools, access);
  const passphrase = options.passphrase === undefined ? {} : { passphrase: options.passphrase };
  if ((await context.store.head('repository.json')) === null) {
    await requireConditionalPuts(context.store);
    return await createRepository(context, passphrase);
  }
  const repository = await openRepository(context, passphrase);
  for await (const _manifest of listManifests(repository, {})) {
    const hint = 'To take them up run `tidemark repository rebuild`';
    throw initFault(options.dataDir, `the repository in ${options.dataDir} holds snapshots`, hint);
  }
  return repository;
}

async function openRepositoryOf(options: OpenOptions, tools: Tools, access: StoreAccess): Promise<Repository> {
  const passphrase = options.passphrase === undefined ? {} : { passphrase: options.passphrase };
  return await openRepository(await repositoryContext(options, tools, access), passphrase);
}

async function repositoryContext(
  options: OpenOptions,
  { clock, random }: Tools,
  access: StoreAccess,
): Promise<RepositoryContext> {
  return { store: await openStoreAt(repositoryPlaceOf(options.dataDir, options.repository), access), clock, random };
}

/** The owner of leases: the same after a restart, so that its tasks are known as its own. */
async function instanceId(catalog: Catalog, ids: IdSource): Promise<string> {
  return await catalog.transact(async (writer) => {
    const known = await readSetting(writer, 'instanceId');
    if (known !== null) return known;
    const made = ids.next();
    await writeSetting(writer, 'instanceId', made);
    return made;
  });
}

async function requireDataDirectory(dataDir: string): Promise<void> {
  const found = await stat(catalogPathOf(dataDir)).catch(() => null);
  if (found !== null) return;
  throw new Fault({
    op: 'open the data directory',
    subject: dataDir,
    message: `there is no Tidemark in ${dataDir}`,
    hint: 'Run `tidemark init` first; or `tidemark repository rebuild` where there is a repository and the catalog was lost',
  });
}

function initFault(dataDir: string, message: string, hint: string): Fault {
  return new Fault({ op: 'make the data directory', subject: dataDir, message, hint });
}
