import { createCredentialMint } from '../../src/auth/credential-mint.ts';
import type { Timestamp64 } from '../../src/bson/timestamp.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import type { ExportBucketRow } from '../../src/catalog/schema.ts';
import type { ClusterProbe } from '../../src/domain/cluster-facts/cluster-probe.ts';
import { createContext, type DomainContext } from '../../src/domain/context.ts';
import { createDomain, createTaskHandlers, type DomainPorts } from '../../src/domain/create-domain.ts';
import type { Domain } from '../../src/domain/domain.ts';
import type { BucketCheck } from '../../src/domain/exports/bucket-stores.ts';
import type { ClusterName, SnapshotName } from '../../src/domain/names.ts';
import type { PreparedDownload } from '../../src/domain/restores/download-task.ts';
import type {
  ManifestFacts,
  Manifests,
  SnapshotNamespace,
  TakeRequest,
} from '../../src/domain/snapshots/snapshot-engine.ts';
import { must } from '../../src/lib/assert.ts';
import { Fault } from '../../src/lib/errors.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { SecretBox } from '../../src/lib/secret-box.ts';
import { MemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { Worker } from '../../src/tasks/worker.ts';
import { FakeClock, settled } from './fake-clock.ts';
import { openMemoryCatalog } from './memory-catalog.ts';
import { sampleProcessSettings } from './sample-process-settings.ts';
import { SeededRandom } from './seeded-random.ts';

export const REPOSITORY_ID = 'aaaaaaaaaaaaaaaaaaaaaaaa';

/** The manifests of a repository, in memory. */
export class MemoryManifests implements Manifests {
  readonly facts = new Map<string, ManifestFacts>();
  /** What every snapshot in it holds. */
  held: readonly SnapshotNamespace[] = [];

  async read({ snapshotId }: SnapshotName): Promise<ManifestFacts | null> {
    return this.facts.get(snapshotId) ?? null;
  }

  async namespaces({ snapshotId }: SnapshotName): Promise<SnapshotNamespace[] | null> {
    return this.facts.has(snapshotId) ? [...this.held] : null;
  }

  async *list(): AsyncIterable<SnapshotName> {
    for (const { header } of this.facts.values()) yield { clusterId: header.clusterId, snapshotId: header.snapshotId };
  }

  async delete({ snapshotId }: SnapshotName): Promise<void> {
    this.facts.delete(snapshotId);
  }
}

/** A take or restore under way, ended by the test; ends by itself when it is told to stop. */
export class HeldWork<Request extends { signal: AbortSignal }, Result> {
  readonly request: Request;
  readonly result: Promise<Result>;
  readonly #deferred = Promise.withResolvers<Result>();

  constructor(request: Request) {
    this.request = request;
    this.result = this.#deferred.promise;
    request.signal.addEventListener('abort', () => this.#deferred.reject(request.signal.reason));
  }

  succeed(result: Result): void {
    this.#deferred.resolve(result);
  }

  fail(error: Error): void {
    this.#deferred.reject(error);
  }
}

type CollectionsRestored = Awaited<ReturnType<DomainPorts['collectionRestoreEngine']['restore']>>;
type CollectionRestore = Parameters<DomainPorts['collectionRestoreEngine']['restore']>[0];
type Restored = Awaited<ReturnType<DomainPorts['restoreEngine']['restore']>>;
type Restore = Parameters<DomainPorts['restoreEngine']['restore']>[0];
type Checkpoint = Parameters<DomainPorts['checkpointEngine']['take']>[0];
type FindTokens = Parameters<DomainPorts['checkpointEngine']['find']>[0];
type Prepare = Parameters<DomainPorts['downloadEngine']['prepare']>[0];
type Tail = Parameters<DomainPorts['captureEngine']['tail']>[0];
type Export = Parameters<DomainPorts['exportEngine']['export']>[0];
type Exported = Awaited<ReturnType<DomainPorts['exportEngine']['export']>>;
const NOTHING_LEFT_OUT = { named: [], count: 0 };

/**
 * The rules over a catalog and a repository in memory, with a clock and an engine in the test's hand. No MongoDB is
 * pretended: the engine is the border.
 */
export class DomainWorld {
  readonly clock: FakeClock;
  readonly catalog: Catalog;
  readonly context: DomainContext;
  readonly ports: DomainPorts;
  readonly domain: Domain;
  readonly manifests: MemoryManifests;
  readonly copies: unknown[] = [];
  /** Region and snapshot of every copy that is there. */
  readonly copiedTo: string[] = [];
  /** What happens before a snapshot is copied. */
  beforeCopy: () => Promise<void> = async () => {};
  /** Region and replica set of every captured oplog that was copied, and from where on it was of use. */
  readonly oplogsCopiedTo = new Map<string, Timestamp64 | null>();
  beforeOplogCopy: (regionName: string) => Promise<void> = async () => {};
  readonly takes: HeldWork<TakeRequest, ManifestFacts>[] = [];
  readonly tails: HeldWork<Tail, never>[] = [];
  coverage: Awaited<ReturnType<DomainPorts['captureEngine']['coverage']>> = { runs: [], gaps: [], storedBytes: 0 };
  readonly checkpoints: HeldWork<Checkpoint, void>[] = [];
  readonly tokenSearches: HeldWork<FindTokens, string[]>[] = [];
  readonly balancersStarted: string[] = [];
  readonly pruned: (bigint | null)[] = [];
  readonly prunedSets: string[] = [];
  readonly exports: HeldWork<Export, Pick<Exported, 'collections'> & Partial<Exported>>[] = [];
  /** What the repository tells of a document. */
  history: DomainPorts['documentHistory']['history'] = async function* () {};
  readonly puts: Parameters<DomainPorts['documentHistory']['put']>[0][] = [];
  putResult: Awaited<ReturnType<DomainPorts['documentHistory']['put']>> = 'inserted';
  readonly restores: HeldWork<Restore, Restored>[] = [];
  readonly collectionRestores: HeldWork<CollectionRestore, CollectionsRestored>[] = [];
  /** What is in the export buckets, by bucket id. */
  readonly buckets = new Map<string, ObjectStore>();
  readonly preparations: HeldWork<Prepare, PreparedDownload[]>[] = [];
  /** The file behind every link. */
  readFile: (request: Parameters<DomainPorts['downloadEngine']['read']>[0]) => AsyncIterable<Buffer> = () => {
    throw new Fault({ op: 'download', subject: 'test', message: 'there is no file' });
  };
  /** What is found when a bucket is tried. */
  checkBucket: (bucket: ExportBucketRow) => BucketCheck = () => ({ region: 'eu-west-1' });
  worker: Worker | null = null;
  /** What the next look at a cluster finds. */
  /** What the users of clusters lack. */
  missingPrivileges: string[] = [];
  probe: ClusterProbe['describe'] = async () => ({
    topology: 'replicaSet',
    replicaSetName: 'rs0',
    replicaSetId: '5f0000000000000000000001',
    mongodVersion: '6.0.5',
    featureCompatibilityVersion: '6.0',
    members: [{ host: 'localhost:27017', state: 'PRIMARY', hidden: false, priority: 1 }],
    dataBytes: 1000,
  });

  static async open(
    options: { encrypted?: boolean; clock?: FakeClock; manifests?: MemoryManifests; regions?: string[] } = {},
  ) {
    const clock = options.clock ?? new FakeClock();
    return new DomainWorld(await openMemoryCatalog(clock), { clock, ...options });
  }

  private constructor(
    catalog: Catalog,
    options: { clock: FakeClock; encrypted?: boolean; manifests?: MemoryManifests; regions?: string[] },
  ) {
    const { clock } = options;
    const random = new SeededRandom(1);
    this.catalog = catalog;
    this.clock = clock;
    this.manifests = options.manifests ?? new MemoryManifests();
    const parts = {
      catalog,
      clock,
      ids: createIdSource(clock, random),
      secretBox: new SecretBox(Buffer.alloc(32, 1), random),
      log: silentLogger,
    };
    this.context = createContext(parts, () => this.worker?.wake());
    this.ports = {
      snapshotEngine: {
        take: async (request) => {
          await request.whenFound(await this.probe(request.uri, request));
          return await this.#hold(this.takes, request);
        },
        startBalancer: async (uri) => void this.balancersStarted.push(uri),
      },
      checkpointEngine: {
        take: (request) => this.#hold(this.checkpoints, request),
        find: (request) => this.#hold(this.tokenSearches, request),
      },
      restoreEngine: { restore: (request) => this.#hold(this.restores, request) },
      collectionRestoreEngine: { restore: (request) => this.#hold(this.collectionRestores, request) },
      exportEngine: {
        export: async (request) => ({ leftOut: NOTHING_LEFT_OUT, ...(await this.#hold(this.exports, request)) }),
      },
      downloadEngine: {
        prepare: (request) => this.#hold(this.preparations, request),
        read: (request) => this.readFile(request),
      },
      captureEngine: {
        tail: (request) => this.#hold(this.tails, request),
        coverage: async () => this.coverage,
        prune: async ({ replicaSetName }, upTo) => {
          this.pruned.push(upTo);
          this.prunedSets.push(replicaSetName);
          return 0;
        },
      },
      documentHistory: {
        history: (request) => this.history(request),
        put: async (request) => {
          this.puts.push(request);
          return this.putResult;
        },
      },
      manifests: this.manifests,
      catalogCopies: {
        encrypted: options.encrypted ?? false,
        write: async (copy) => void this.copies.push(JSON.parse(JSON.stringify(copy))),
        readLatest: async () => this.copies.at(-1) ?? null,
      },
      copyStores: {
        regions: options.regions ?? [],
        copy: async ({ regionName, snapshotId }) => {
          await this.beforeCopy();
          this.copiedTo.push(`${regionName}/${snapshotId}`);
          return { storedBytes: 7 };
        },
        copyOplog: async ({ regionName, replicaSetName, keepFrom }) => {
          await this.beforeOplogCopy(regionName);
          this.oplogsCopiedTo.set(`${regionName}/${replicaSetName}`, keepFrom);
          return { storedBytes: 7 };
        },
        deleteOplog: async ({ regionName, replicaSetName, upTo }) => {
          if (upTo === null) this.oplogsCopiedTo.delete(`${regionName}/${replicaSetName}`);
        },
        delete: async ({ regionName, snapshotId }) => {
          this.copiedTo.splice(this.copiedTo.indexOf(`${regionName}/${snapshotId}`), 1);
        },
      },
      bucketStores: {
        open: async (bucket) => this.bucket(bucket.id),
        check: async (bucket) => this.checkBucket(bucket),
      },
      probe: {
        describe: async (uri, call) => await this.probe(uri, call),
        missingPrivileges: async () => this.missingPrivileges,
        identityRefusal: (identity) =>
          identity === 'known' ? null : `there is no identity ${identity} for this project`,
        processSettings: async () => sampleProcessSettings,
      },
      credentialMint: createCredentialMint(random),
      cloudIdentities: { awsPrincipalArn: 'arn:aws:iam::123456789012:user/tidemark', gcpServiceAccount: null },
      repository: { id: REPOSITORY_ID, encrypted: options.encrypted ?? false, description: 'memory' },
    };
    this.domain = createDomain(this.context, this.ports);
  }

  #hold<Request extends { signal: AbortSignal }, Result>(
    held: HeldWork<Request, Result>[],
    request: Request,
  ): Promise<Result> {
    const work = new HeldWork<Request, Result>(request);
    held.push(work);
    return work.result;
  }

  /** The export bucket as it is; empty at first. */
  bucket(bucketId: string): ObjectStore {
    const store = this.buckets.get(bucketId) ?? new MemoryStore(this.clock, { objectKeys: 'any' });
    this.buckets.set(bucketId, store);
    return store;
  }

  startWorker(owner = 'one', concurrency = 4): Worker {
    const { catalog, clock } = this;
    const handlers = createTaskHandlers(this.context, this.ports);
    this.worker = new Worker({
      catalog,
      clock,
      handlers,
      random: new SeededRandom(2),
      owner,
      concurrency,
      log: silentLogger,
    });
    this.worker.start();
    return this.worker;
  }

  /** Lets everything run that need not wait, and a little more. */
  async run(): Promise<void> {
    await this.clock.advance(1_500);
  }

  async close(): Promise<void> {
    for (const take of this.takes) take.fail(new Fault({ op: 'close', subject: 'test', message: 'the test is over' }));
    for (const one of [...this.checkpoints, ...this.tokenSearches])
      one.fail(new Fault({ op: 'close', subject: 'test', message: 'over' }));
    for (const tail of this.tails) tail.fail(new Fault({ op: 'close', subject: 'test', message: 'over' }));
    for (const one of this.exports) one.fail(new Fault({ op: 'close', subject: 'test', message: 'over' }));
    for (const restore of this.restores) restore.fail(new Fault({ op: 'close', subject: 'test', message: 'over' }));
    for (const one of this.collectionRestores) one.fail(new Fault({ op: 'close', subject: 'test', message: 'over' }));
    for (const work of this.preparations) work.fail(new Fault({ op: 'close', subject: 'test', message: 'over' }));
    await settled();
    await this.worker?.stop();
    await this.catalog.close();
  }

  /** A project with one registered cluster called `shop`. */
  async withCluster(name = 'shop'): Promise<ClusterName> {
    const organization = await this.domain.organizations.create({ name: 'Acme' });
    const project = await this.domain.projects.create({ organizationId: organization.id, name: `of ${name}` });
    await this.register(project.id, name);
    return { projectId: project.id, clusterName: name };
  }

  async register(projectId: string, name: string) {
    const uri = 'mongodb://backup:secret@localhost:27017/?replicaSet=rs0';
    return await this.domain.clusters.register({ projectId, name, uri });
  }

  /** Ends the take of that number as the engine does: manifest first, then the answer. */
  completeTake(index: number, changes: Partial<ManifestFacts['header']> = {}): ManifestFacts {
    const facts = this.writeManifest(index, changes);
    this.take(index).succeed(facts);
    return facts;
  }

  /** What a process that ends before it can write the row leaves. */
  writeManifest(index: number, changes: Partial<ManifestFacts['header']> = {}): ManifestFacts {
    const { request } = this.take(index);
    const nowMs = this.clock.nowMs();
    const header: ManifestFacts['header'] = {
      repositoryId: REPOSITORY_ID,
      clusterId: request.clusterId,
      clusterName: request.clusterName,
      projectId: request.projectId,
      snapshotId: request.snapshotId,
      parentSnapshotId: request.parent?.snapshotId ?? null,
      type: 'replicaSet',
      replicaSetName: 'rs0',
      replicaSetId: null,
      clusterTime: { t: Math.floor(nowMs / 1000) - 5, i: 1, term: 1 },
      takenAt: new Date(nowMs - 1_000).toISOString(),
      finishedAt: new Date(nowMs).toISOString(),
      mongodVersion: '6.0.5',
      featureCompatibilityVersion: '6.0',
      collections: 3,
      documents: 100,
      bytes: 10_000,
      writtenPlainBytes: 9_000,
      writtenStoredBytes: 4_000,
      retention: request.retentionAt(nowMs),
      ...changes,
    };
    const facts = { header, storageSizeBytes: 4_500 };
    this.manifests.facts.set(request.snapshotId, facts);
    return facts;
  }

  take(index: number): HeldWork<TakeRequest, ManifestFacts> {
    return must(this.takes[index], `take ${index} has begun`);
  }

  restore(index: number): HeldWork<Restore, Restored> {
    return must(this.restores[index], `restore ${index} has begun`);
  }

  preparation(index: number): HeldWork<Prepare, PreparedDownload[]> {
    return must(this.preparations[index], `preparation ${index} has begun`);
  }

  /** A completed snapshot of the cluster. */
  async takeWhole(cluster: ClusterName, retentionInDays = 7): Promise<string> {
    const snapshot = await this.domain.snapshots.take({ ...cluster, retentionInDays });
    await this.run();
    this.completeTake(this.takes.length - 1);
    await this.run();
    return snapshot.id;
  }
}

export async function inWorld(
  options: Parameters<typeof DomainWorld.open>[0],
  work: (world: DomainWorld) => Promise<void>,
): Promise<void> {
  const world = await DomainWorld.open(options);
  try {
    await work(world);
  } finally {
    await world.close();
  }
}
