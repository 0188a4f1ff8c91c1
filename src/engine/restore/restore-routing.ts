import { compareKeys, elementsOf, type ValueAt } from '../../bson/bson-order.ts';
import { bsonType, findElement, forEachElement } from '../../bson/raw-bson.ts';
import { assert, must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { ClusterReplicaSet } from '../../mongo/cluster-replica-sets.ts';
import {
  newDatabaseUuid,
  newEpoch,
  type RoutedNames,
  RoutingTarget,
  refreshRouting,
} from '../../mongo/routing-target.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import type { ReplicaSetManifest } from '../../repository/format/manifest-replica-sets.ts';
import {
  chunkMin,
  isPending,
  type Rewriting,
  rangeMin,
  rewriteChunk,
  rewriteCollection,
  rewriteDatabase,
  rewriteRangeDeletion,
  textOf,
  uuidOf,
  withoutPending,
} from '../sharding/routing-documents.ts';

const SESSIONS = 'config.system.sessions';
const CHUNKS_AT_ONCE = 10_000;

/**
 * The documents that a replica set of the source had in a collection of `config`, at the snapshot's time or at the
 * point.
 */
export type LedgerOf = (source: ReplicaSetManifest, name: string) => AsyncIterable<Buffer>;

/**
 * The routing metadata of a sharded cluster on its way to another one. Read before the target is touched, chunks left
 * out, of which there may be many.
 */
export class RoutingRestore {
  readonly #ledgerOf: LedgerOf;
  readonly #config: ReplicaSetManifest;
  readonly #shards: ReadonlyMap<string, string>;
  readonly #databases: readonly Buffer[];
  readonly #collections: readonly Buffer[];

  private constructor(
    ledgerOf: LedgerOf,
    config: ReplicaSetManifest,
    shards: ReadonlyMap<string, string>,
    documents: { databases: readonly Buffer[]; collections: readonly Buffer[] },
  ) {
    this.#ledgerOf = ledgerOf;
    this.#config = config;
    this.#shards = shards;
    this.#databases = documents.databases;
    this.#collections = documents.collections;
  }

  static async plan(
    ledgerOf: LedgerOf,
    sources: readonly ReplicaSetManifest[],
    targets: readonly ClusterReplicaSet[],
  ): Promise<RoutingRestore> {
    assert(sources.length === targets.length, 'each replica set has one to go to');
    const config = must(sources.at(-1), 'the config servers come last');
    assert(config.replicaSet?.configServer === true, 'the config servers come last');
    const shards = new Map(
      sources.slice(0, -1).map(({ replicaSet }, index) => [nameOf(replicaSet), nameOf(targets[index])]),
    );
    assert(shards.size === sources.length - 1, 'each shard has a name of its own');
    const databases = await readAll(ledgerOf(config, 'databases'));
    const collections = (await readAll(ledgerOf(config, 'collections'))).filter(
      (one) => textOf(one, '_id') !== SESSIONS,
    );
    const plan = new RoutingRestore(ledgerOf, config, shards, { databases, collections });
    plan.#refuseWhatCannotBe();
    return plan;
  }

  #refuseWhatCannotBe(): void {
    const resharding = this.#collections.find((one) => findElement(one, 0, 'reshardingFields') !== null);
    if (resharding !== undefined) throw refused(`${textOf(resharding, '_id')} was being resharded`);
    for (const database of this.#databases) {
      const primary = textOf(database, 'primary');
      if (!this.#shards.has(primary)) throw refused(`the primary shard ${primary} of a database is not in it`);
    }
  }

  /** The target's own metadata, and what its shards have cached of it. */
  async clear(config: RestoreTarget, shards: readonly RestoreTarget[]): Promise<void> {
    const routing = new RoutingTarget(config);
    const names = await routing.names();
    await routing.clear();
    for (const shard of shards) await refreshRouting(shard, names);
  }

  /** Which documents of a shard are orphans that wait to be deleted: its own ledger, by which it forgets none. */
  async restoreRangeDeletions(source: ReplicaSetManifest, target: RestoreTarget): Promise<void> {
    const to = rewritingOf(this.#shards, Buffer.alloc(8));
    await target.deleteAllBut('config', 'rangeDeletions', []);
    const documents: Buffer[] = [];
    for await (const one of this.#ledgerOf(source, 'rangeDeletions')) {
      const settled = isPending(one) ? await this.#settle(source, one) : one;
      if (settled !== null) documents.push(rewriteRangeDeletion(settled, to));
    }
    await target.insert('config', 'rangeDeletions', documents);
  }

  /**
   * A range that was being moved at the point: nobody goes on with the migration, so whoever does not own the range by
   * the routing metadata has orphans, and the owner has none.
   */
  async #settle(source: ReplicaSetManifest, deletion: Buffer): Promise<Buffer | null> {
    const owner = await this.#ownerAt(uuidOf(deletion, 'collectionUuid'), rangeMin(deletion));
    // Of a collection that is not sharded any more nothing is an orphan.
    return owner === null || owner === nameOf(source.replicaSet) ? null : withoutPending(deletion);
  }

  /** The shard of the chunk that a value of the shard key lies in: the last one that begins at or before it. */
  async #ownerAt(uuid: string, value: Buffer): Promise<string | null> {
    const wanted = elementsOf(value, 0);
    let begins: ValueAt[] | null = null;
    let owner: string | null = null;
    for await (const chunk of this.#ledgerOf(this.#config, 'chunks')) {
      if (uuidOf(chunk, 'uuid') !== uuid) continue;
      const min = elementsOf(chunkMin(chunk), 0);
      if (compareKeys(min, wanted) > 0 || (begins !== null && compareKeys(min, begins) < 0)) continue;
      begins = min;
      owner = textOf(chunk, 'shard');
    }
    return owner;
  }

  /** After the data: from then on the cluster routes. */
  async write(config: RestoreTarget, shards: readonly RestoreTarget[]): Promise<void> {
    const routing = new RoutingTarget(config);
    const to = rewritingOf(this.#shards, await routing.newTimestamp());
    await this.#writeChunks(routing, to);
    await routing.insert('tags', await readAll(this.#ledgerOf(this.#config, 'tags')));
    await this.#writeZones(routing);
    await routing.insert(
      'collections',
      this.#collections.map((one) => rewriteCollection(one, to)),
    );
    await routing.insert(
      'databases',
      this.#databases.map((one) => rewriteDatabase(one, to)),
    );
    const names: RoutedNames = {
      databases: this.#databases.map((one) => textOf(one, '_id')),
      namespaces: this.#collections.map((one) => textOf(one, '_id')),
    };
    for (const shard of shards) await refreshRouting(shard, names);
  }

  async #writeChunks(routing: RoutingTarget, to: Rewriting): Promise<void> {
    const known = new Set(this.#collections.map((one) => uuidOf(one, 'uuid')));
    let batch: Buffer[] = [];
    for await (const chunk of this.#ledgerOf(this.#config, 'chunks')) {
      // Those of the source's sessions, and leftovers of collections that are gone.
      if (!known.has(uuidOf(chunk, 'uuid'))) continue;
      batch.push(rewriteChunk(chunk, to));
      if (batch.length < CHUNKS_AT_ONCE) continue;
      await routing.insert('chunks', batch);
      batch = [];
    }
    await routing.insert('chunks', batch);
  }

  /** Of config.shards only the zones are data; and of the settings only the size of chunks. */
  async #writeZones(routing: RoutingTarget): Promise<void> {
    for (const shard of await readAll(this.#ledgerOf(this.#config, 'shards'))) {
      const name = this.#shards.get(textOf(shard, '_id'));
      if (name !== undefined) await routing.setZones(name, textsOf(shard, 'tags'));
    }
    const settings = await readAll(this.#ledgerOf(this.#config, 'settings'));
    const chunkSize = settings.find((one) => textOf(one, '_id') === 'chunksize');
    if (chunkSize !== undefined) await routing.setChunkSize(chunkSize);
  }
}

function rewritingOf(shards: ReadonlyMap<string, string>, timestamp: Uint8Array): Rewriting {
  assert(timestamp.length === 8, 'a timestamp has 8 bytes');
  return { shards, timestamp, newEpoch, newUuid: newDatabaseUuid };
}

function nameOf(replicaSet: { shardName: string } | null | undefined): string {
  return must(replicaSet, 'a replica set of a sharded cluster has a name').shardName;
}

function textsOf(document: Buffer, name: string): string[] {
  const found = findElement(document, 0, name);
  const texts: string[] = [];
  if (found === null || found.type !== bsonType.array) return texts;
  forEachElement(document, found.start, (_, { type, start, end }) => {
    if (type === bsonType.string) texts.push(document.toString('utf8', start + 4, end - 1));
    return true;
  });
  return texts;
}

async function readAll(documents: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const document of documents) found.push(document);
  return found;
}

function refused(what: string): Fault {
  return new Fault({
    op: 'restore',
    subject: 'the routing metadata',
    message: `this cannot be restored: ${what}`,
  });
}
