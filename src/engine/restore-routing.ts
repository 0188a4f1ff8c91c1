import { must } from '../lib/assert.ts';
import { Fault } from '../lib/errors.ts';
import { bsonType, findElement, forEachDocument, forEachElement } from '../lib/raw-bson.ts';
import { newDatabaseUuid, newEpoch, type RoutedNames, RoutingTarget, refreshRouting } from '../mongo/routing-target.ts';
import type { ShardMember } from '../mongo/shard-members.ts';
import type { RestoreTarget } from '../mongo/target.ts';
import type { Manifest } from '../repository/format/manifest.ts';
import { type ManifestPart, partsOf } from '../repository/format/manifest-members.ts';
import { readCollection } from '../repository/layers.ts';
import type { Repository } from '../repository/repository.ts';
import {
  type Rewriting,
  rewriteChunk,
  rewriteCollection,
  rewriteDatabase,
  rewriteRangeDeletion,
  textOf,
  uuidOf,
} from './routing-documents.ts';

const SESSIONS = 'config.system.sessions';
const CHUNKS_AT_ONCE = 10_000;

interface Source {
  repository: Repository;
  clusterId: string;
  signal: AbortSignal;
}

/** The routing metadata of a sharded snapshot on its way to another cluster. Read before the target is touched, chunks left out, of which there may be many. */
export class RoutingRestore {
  readonly #source: Source;
  readonly #config: ManifestPart;
  readonly #shards: ReadonlyMap<string, string>;
  readonly #databases: readonly Buffer[];
  readonly #collections: readonly Buffer[];

  private constructor(
    source: Source,
    config: ManifestPart,
    shards: ReadonlyMap<string, string>,
    documents: { databases: readonly Buffer[]; collections: readonly Buffer[] },
  ) {
    this.#source = source;
    this.#config = config;
    this.#shards = shards;
    this.#databases = documents.databases;
    this.#collections = documents.collections;
  }

  static async plan(source: Source, manifest: Manifest, members: readonly ShardMember[]): Promise<RoutingRestore> {
    const parts = partsOf(manifest);
    const config = must(parts.at(-1), 'the config servers come last');
    const shards = new Map(parts.slice(0, -1).map(({ member }, index) => [nameOf(member), nameOf(members[index])]));
    const databases = await readAll(source, config, 'databases');
    const collections = (await readAll(source, config, 'collections')).filter((one) => textOf(one, '_id') !== SESSIONS);
    const plan = new RoutingRestore(source, config, shards, { databases, collections });
    plan.#refuseWhatCannotBe();
    return plan;
  }

  #refuseWhatCannotBe(): void {
    const series = this.#collections.find((one) => findElement(one, 0, 'timeseriesFields') !== null);
    if (series !== undefined)
      throw refused(`${textOf(series, '_id')} is a sharded time series, which cannot be restored yet`);
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
  async restoreRangeDeletions(part: ManifestPart, target: RestoreTarget): Promise<void> {
    const to = rewritingOf(this.#shards, Buffer.alloc(8));
    await target.deleteAllBut('config', 'rangeDeletions', []);
    const documents = (await readAll(this.#source, part, 'rangeDeletions')).map((one) => rewriteRangeDeletion(one, to));
    await target.insert('config', 'rangeDeletions', documents);
  }

  /** After the data: from then on the cluster routes. */
  async write(config: RestoreTarget, shards: readonly RestoreTarget[]): Promise<void> {
    const routing = new RoutingTarget(config);
    const to = rewritingOf(this.#shards, await routing.newTimestamp());
    await this.#writeChunks(routing, to);
    await routing.insert('tags', await readAll(this.#source, this.#config, 'tags'));
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
    for await (const chunk of documentsOf(this.#source, this.#config, 'chunks')) {
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
    for (const shard of await readAll(this.#source, this.#config, 'shards')) {
      const name = this.#shards.get(textOf(shard, '_id'));
      if (name !== undefined) await routing.setZones(name, textsOf(shard, 'tags'));
    }
    const settings = await readAll(this.#source, this.#config, 'settings');
    const chunkSize = settings.find((one) => textOf(one, '_id') === 'chunksize');
    if (chunkSize !== undefined) await routing.setChunkSize(chunkSize);
  }
}

function rewritingOf(shards: ReadonlyMap<string, string>, timestamp: Uint8Array): Rewriting {
  return { shards, timestamp, newEpoch, newUuid: newDatabaseUuid };
}

function nameOf(member: { shardName: string } | null | undefined): string {
  return must(member, 'a part of a sharded snapshot has a name').shardName;
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

async function readAll(source: Source, part: ManifestPart, name: string): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const document of documentsOf(source, part, name)) found.push(document);
  return found;
}

async function* documentsOf(
  { repository, clusterId, signal }: Source,
  { manifest }: ManifestPart,
  name: string,
): AsyncGenerator<Buffer, void, undefined> {
  const entry = manifest.collections.find((one) => one.db === 'config' && one.name === name);
  if (entry === undefined) return;
  for await (const documents of readCollection(repository, clusterId, entry, { signal })) {
    const found: Buffer[] = [];
    forEachDocument(documents, (offset, length) => {
      found.push(Buffer.from(documents.subarray(offset, offset + length)));
    });
    yield* found;
  }
}

function refused(what: string): Fault {
  return new Fault({
    op: 'restore',
    subject: 'the routing metadata',
    message: `this snapshot cannot be restored: ${what}`,
  });
}
