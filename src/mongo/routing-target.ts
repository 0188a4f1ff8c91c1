import { type Document, ObjectId, Timestamp, UUID } from 'mongodb';
import { Fault } from '../lib/errors.ts';
import { asFault } from './errors.ts';
import type { RestoreTarget } from './target.ts';

const MAJORITY = { w: 'majority' } as const;

/** The collection of logical sessions is sharded too, and every cluster has its own. */
const SESSIONS = 'config.system.sessions';

/** What a cluster's routing metadata names. */
export interface RoutedNames {
  databases: string[];
  /** Sharded collections. */
  namespaces: string[];
}

/** The routing metadata of a sharded cluster that is restored to, on its config servers' primary. */
export class RoutingTarget {
  readonly #config: RestoreTarget;

  constructor(config: RestoreTarget) {
    this.#config = config;
  }

  async names(): Promise<RoutedNames> {
    const databases = await this.#ids('databases');
    return { databases, namespaces: (await this.#ids('collections')).filter((name) => name !== SESSIONS) };
  }

  /** From then on the cluster has no databases; what its shards hold is nobody's. */
  async clear(): Promise<void> {
    const sessions = await this.#config
      .db('config')
      .collection<{ _id: string }>('collections')
      .findOne({ _id: SESSIONS });
    const kept = (sessions as Document | null)?.uuid;
    await this.#delete('collections', { _id: { $ne: SESSIONS } });
    await this.#delete('chunks', kept === undefined ? {} : { uuid: { $ne: kept } });
    await this.#delete('databases', {});
    await this.#delete('tags', {});
  }

  async insert(name: 'databases' | 'collections' | 'chunks' | 'tags', documents: readonly Buffer[]): Promise<void> {
    if (documents.length === 0) return;
    await this.#config.insert('config', name, documents);
  }

  /** The zones that a shard serves. */
  async setZones(shard: string, zones: readonly string[]): Promise<void> {
    const update = { q: { _id: shard }, u: { $set: { tags: zones } } };
    await this.#run({ update: 'shards', updates: [update], writeConcern: MAJORITY });
  }

  async setChunkSize(document: Buffer): Promise<void> {
    await this.#config.replaceById('config', 'settings', 'chunksize', document);
  }

  /** A time of the target, as BSON has it: later than all that its members can have cached. */
  async newTimestamp(): Promise<Uint8Array> {
    const note = {
      appendOplogNote: 1,
      data: { msg: 'tidemark: routing metadata is restored' },
      writeConcern: MAJORITY,
    };
    const { operationTime } = await this.#config.command('admin', note);
    if (!(operationTime instanceof Timestamp)) {
      throw new Fault({
        op: 'append an oplog note',
        subject: 'config servers',
        message: 'the config servers do not tell the time',
      });
    }
    return Uint8Array.from(operationTime.toBytesLE());
  }

  async #ids(name: string): Promise<string[]> {
    const found = await this.#config
      .db('config')
      .collection<{ _id: string }>(name)
      .find({}, { projection: { _id: 1 } })
      .toArray();
    return found.map((one) => one._id);
  }

  async #delete(name: string, q: Document): Promise<void> {
    await this.#run({ delete: name, deletes: [{ q, limit: 0 }], writeConcern: MAJORITY });
  }

  async #run(command: Document): Promise<void> {
    try {
      await this.#config.command('config', command);
    } catch (error) {
      throw asFault(error, Object.keys(command)[0] ?? 'command', 'config');
    }
  }
}

/** Makes a shard read from the config servers again what it has cached of these. */
export async function refreshRouting(shard: RestoreTarget, { databases, namespaces }: RoutedNames): Promise<void> {
  for (const db of databases) await refresh(shard, { _flushDatabaseCacheUpdates: db, syncFromConfig: true }, db);
  for (const ns of namespaces) await refresh(shard, { _flushRoutingTableCacheUpdates: ns, syncFromConfig: true }, ns);
}

async function refresh(shard: RestoreTarget, command: Document, subject: string): Promise<void> {
  try {
    await shard.command('admin', command);
  } catch (error) {
    throw asFault(error, 'refresh the routing of', subject);
  }
}

export function newEpoch(): Uint8Array {
  return new ObjectId().id;
}

export function newDatabaseUuid(): Uint8Array {
  return new UUID().id;
}
