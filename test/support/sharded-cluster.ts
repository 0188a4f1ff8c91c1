import { after, before } from 'node:test';
import { type Document, Long, MongoServerError, type Timestamp, type UUID } from 'mongodb';
import { must } from '../../src/lib/assert.ts';
import { type MemberSettings, newKeyFileText, ReplicaSet, type ReplicaSetOptions } from './replica-set.ts';
import { serverIs } from './server-version.ts';

const MAJORITY = { writeConcern: { w: 'majority', wtimeout: 60_000 } } as const;
/** What may be moved at once; a server refuses a number of another type. */
const CHUNK_BYTES_MAX = Long.fromNumber(64 * 1024 * 1024);

export interface ShardedClusterOptions extends Omit<ReplicaSetOptions, 'name' | 'args'> {
  shards?: number;
  /** Of each shard; config servers have to be ordinary ones. */
  shardMembers?: readonly MemberSettings[];
  /** Put before every replica set's and shard's name, so that two clusters share none. */
  prefix?: string;
}

export interface Shard {
  /** Its `_id` in config.shards. */
  id: string;
  set: ReplicaSet;
}

/**
 * A real sharded cluster without a mongos: what a mongos would ask of config servers and shards is asked here, by the
 * servers' own internal commands. Clients therefore write to the shards directly, and see to it themselves that a
 * document is put where its chunk is.
 */
export class ShardedCluster {
  readonly config: ReplicaSet;
  readonly shards: readonly Shard[];

  private constructor(config: ReplicaSet, shards: readonly Shard[]) {
    this.config = config;
    this.shards = shards;
  }

  static async start(options: ShardedClusterOptions = {}): Promise<ShardedCluster> {
    const { shards = 2, prefix = '', shardMembers, ...asked } = options;
    const common = asked.auth === true ? { ...asked, keyFileText: newKeyFileText() } : asked;
    const ofShard = shardMembers === undefined ? common : { ...common, members: shardMembers };
    const started = await Promise.allSettled([
      ReplicaSet.start({ cacheGb: 0.25, ...common, name: `${prefix}cfg`, args: ['--configsvr'] }),
      ...Array.from({ length: shards }, (_, index) =>
        ReplicaSet.start({ cacheGb: 0.25, ...ofShard, name: `${prefix}rs${index}`, args: ['--shardsvr'] }),
      ),
    ]);
    const sets = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    try {
      for (const one of started) if (one.status === 'rejected') throw one.reason;
      const [config, ...ofShards] = sets;
      const cluster = new ShardedCluster(
        must(config, 'there is a config server'),
        ofShards.map((set, index) => ({ id: `${prefix}s${index}`, set })),
      );
      for (const { id, set } of cluster.shards) await cluster.#addShard(id, set);
      return cluster;
    } catch (error) {
      await Promise.all(sets.map((set) => set.stop()));
      throw error;
    }
  }

  /** How Tidemark is told of it. */
  get uri(): string {
    return this.config.uri;
  }

  get sets(): readonly ReplicaSet[] {
    return [...this.shards.map((shard) => shard.set), this.config];
  }

  shard(index: number): Shard {
    return must(this.shards[index], `the cluster has a shard ${index}`);
  }

  async #addShard(id: string, set: ReplicaSet): Promise<void> {
    // Hidden members are found by nobody but those that read the configuration, and may not be named here.
    const connectionString = `${set.name}/${(await set.primary()).address}`;
    await this.config.client.db('admin').command({ _configsvrAddShard: connectionString, name: id, ...MAJORITY });
  }

  async createDatabase(db: string, primary: number): Promise<void> {
    const command = { _configsvrCreateDatabase: db, primaryShardId: this.shard(primary).id, ...MAJORITY };
    const admin = this.config.client.db('admin');
    await admin.command(command);
    if (!serverIs('6.0')) await admin.command({ _configsvrEnableSharding: db, ...MAJORITY });
    await this.#flushDatabase(db);
  }

  async #flushDatabase(db: string): Promise<void> {
    for (const { set } of this.shards) {
      await set.client.db('admin').command({ _flushDatabaseCacheUpdates: db, syncFromConfig: true });
    }
  }

  async primaryShardOf(db: string): Promise<Shard> {
    const found = await this.#configDocument('databases', db);
    return must(
      this.shards.find((shard) => shard.id === found.primary),
      `${db} has a primary shard`,
    );
  }

  /** Shards a collection by ranges of `_id`. All chunks begin on the primary shard. */
  async shardCollection(db: string, name: string, shardKey: Document = { _id: 1 }, more: Document = {}): Promise<void> {
    const primary = await this.primaryShardOf(db);
    const { version } = await this.#configDocument('databases', db);
    await primary.set.client.db(db).command({
      _shardsvrCreateCollection: name,
      shardKey,
      unique: false,
      ...more,
      databaseVersion: version,
      ...MAJORITY,
    });
    if (!serverIs('6.0')) await this.#leaveToTests(db, name);
  }

  /** The balancer of a server before 6.0 goes by the number of chunks, however small they are. */
  async #leaveToTests(db: string, name: string): Promise<void> {
    const collections = this.config.client.db('config').collection<{ _id: string }>('collections');
    await collections.updateOne({ _id: `${db}.${name}` }, { $set: { noBalance: true } }, MAJORITY);
  }

  async dropCollection(db: string, name: string): Promise<void> {
    const primary = await this.primaryShardOf(db);
    const { version } = await this.#configDocument('databases', db);
    await primary.set.client.db(db).command({ _shardsvrDropCollection: name, databaseVersion: version, ...MAJORITY });
  }

  /** As `collMod` by a mongos: on all shards that have some of it. */
  async modifyCollection(db: string, name: string, change: Document): Promise<void> {
    const primary = await this.primaryShardOf(db);
    const { version } = await this.#configDocument('databases', db);
    const command = { _shardsvrCollMod: name, ...change, databaseVersion: version, ...MAJORITY };
    await primary.set.client.db(db).command(command);
  }

  /** Rewrites a collection by another key: as long as `reshardingMinimumOperationDurationMillis` says, and longer. */
  async reshardCollection(db: string, name: string, key: Document): Promise<void> {
    const command = { _configsvrReshardCollection: `${db}.${name}`, key, unique: false, numInitialChunks: 2 };
    await this.config.client.db('admin').command({ ...command, ...MAJORITY });
  }

  /** Splits and moves so that the range from `min` up to `max` is on the shard. */
  async moveRange(db: string, name: string, to: number, min: Document, max?: Document): Promise<void> {
    if (!serverIs('6.0')) return await this.#moveChunk(db, name, to, min, max);
    await this.config.client.db('admin').command({
      _configsvrMoveRange: `${db}.${name}`,
      toShard: this.shard(to).id,
      min,
      ...(max === undefined ? {} : { max }),
      waitForDelete: false,
      ...MAJORITY,
    });
  }

  /** What there is before 6.0: a mongos splits at the bounds, and has the chunk that begins at the lower one moved. */
  async #moveChunk(db: string, name: string, to: number, min: Document, max?: Document): Promise<void> {
    await this.#splitAt(db, name, min);
    if (max !== undefined) await this.#splitAt(db, name, max);
    const { lastmodEpoch, timestamp } = await this.#configDocument('collections', `${db}.${name}`);
    const chunk = must(
      await this.#chunkWhere(db, name, [{ $eq: ['$min', { $literal: min }] }]),
      'a chunk begins where it was split',
    );
    await this.config.client.db('admin').command({
      _configsvrMoveChunk: 1,
      ns: `${db}.${name}`,
      ...chunk,
      lastmodEpoch,
      lastmodTimestamp: timestamp,
      toShard: this.shard(to).id,
      maxChunkSizeBytes: CHUNK_BYTES_MAX,
      waitForDelete: false,
      ...MAJORITY,
    });
  }

  async #splitAt(db: string, name: string, at: Document): Promise<void> {
    const { key, lastmodEpoch, timestamp } = await this.#configDocument('collections', `${db}.${name}`);
    const chunk = await this.#chunkWhere(db, name, [
      { $lt: ['$min', { $literal: at }] },
      { $gt: ['$max', { $literal: at }] },
    ]);
    if (chunk === null) return;
    const { min, max, shard } = chunk;
    const { set } = must(
      this.shards.find(({ id }) => id === shard),
      'a shard of the cluster has the chunk',
    );
    const split = { splitChunk: `${db}.${name}`, from: shard, keyPattern: key, min, max, splitKeys: [at] };
    await set.client.db('admin').command({ ...split, epoch: lastmodEpoch, timestamp });
  }

  /** By expressions, which compare values of any types. */
  async #chunkWhere(db: string, name: string, conditions: readonly Document[]): Promise<Document | null> {
    const chunks = this.config.client.db('config').collection('chunks');
    return await chunks.findOne({ uuid: await this.collectionUuid(db, name), $expr: { $and: conditions } });
  }

  async collectionUuid(db: string, name: string): Promise<UUID> {
    return (await this.#configDocument('collections', `${db}.${name}`)).uuid as UUID;
  }

  /**
   * Reads by the protocol of shard versions, as a mongos does: a shard that disagrees with the routing metadata
   * refuses, and one that owns chunks leaves its orphans out.
   */
  async findRouted(db: string, name: string): Promise<Map<string, Document[]>> {
    const config = this.config.client.db('config');
    const collection = await this.#configDocument('collections', `${db}.${name}`);
    const chunks = await config.collection('chunks').find({ uuid: collection.uuid }).toArray();
    const found = new Map<string, Document[]>();
    for (const { id, set } of this.shards) {
      const versions = chunks.filter((chunk) => chunk.shard === id).map((chunk) => chunk.lastmod as Timestamp);
      if (versions.length === 0) continue;
      const v = versions.reduce((max, one) => (one.greaterThan(max) ? one : max));
      const [e, t] = [collection.lastmodEpoch, collection.timestamp];
      const shardVersion = serverIs('6.0') ? { e, t, v } : [v, e, t];
      const reply = await set.client.db(db).command({ find: name, filter: {}, batchSize: 100_000, shardVersion });
      found.set(id, reply.cursor.firstBatch as Document[]);
    }
    return found;
  }

  async #configDocument(name: string, id: string): Promise<Document> {
    const found = await this.config.client.db('config').collection<{ _id: string }>(name).findOne({ _id: id });
    return must(found as Document | null, `config.${name} knows ${id}`);
  }

  async balancer(): Promise<Document> {
    return await this.config.client.db('admin').command({ _configsvrBalancerStatus: 1 });
  }

  async stop(): Promise<void> {
    await Promise.all(this.sets.map((set) => set.stop()));
  }
}

/** A sharded cluster for all the tests of a file. */
export function useShardedCluster(options: ShardedClusterOptions = {}): () => ShardedCluster {
  let cluster: ShardedCluster | undefined;
  before(async () => {
    cluster = await ShardedCluster.start(options);
  });
  after(async () => {
    await cluster?.stop();
  });
  return () => must(cluster, 'the cluster is there once the tests run');
}

/** While a migration commits, its donor refuses writes; a mongos would send them again. */
export async function past(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== STALE_CONFIG) throw error;
  }
}

const STALE_CONFIG = 13388;
