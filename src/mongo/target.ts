import { type Db, type Document, type MongoClient, MongoServerError, ObjectId, UUID } from 'mongodb';
import { isTaken, isTakenDatabase, type Namespace } from '../bson/namespace.ts';
import { findElement, findId, forEachElement, MalformedBson } from '../bson/raw-bson.ts';
import { RawValue, rawArray } from '../bson/raw-value.ts';
import { throwIfAborted } from '../lib/abort.ts';
import { Cancelled, Fault } from '../lib/errors.ts';
import { insertRaw } from './bulk-writer.ts';
import { asFault, codeOf } from './errors.ts';

const EXPIRY = 'expireAfterSeconds';
const NAMESPACE_EXISTS = 48;
/**
 * What makes the form of a target is acknowledged by the primary alone, as documents are: `RestoreTarget.settle` waits
 * for a majority of all of it at once.
 */
const BY_PRIMARY = { w: 1 };

/** How many members have to have built an index before it is committed: as `createIndexes` takes it. */
export type CommitQuorum = 'majority' | number;

/** What a target is found to need. */
export interface TargetForm {
  commitQuorum: CommitQuorum;
  /**
   * Hosts of the voting members that build indexes, and how many of them the quorum is. Empty where it is not known.
   */
  builders: { hosts: readonly string[]; needed: number };
  /**
   * Whether an update may be replayed as a diff (`$v: 2`): a server refuses that below feature compatibility version
   * 4.7.
   */
  diffs: boolean;
  /**
   * Of the primary's election, by which its writes go to no other primary unseen: see `RestoreTarget.settle`. Null
   * where it is not known.
   */
  electionId: string | null;
}

const UNKNOWN_FORM: TargetForm = {
  commitQuorum: 'majority',
  builders: { hosts: [], needed: 0 },
  diffs: true,
  electionId: null,
};

/** Of a `hello` that a primary answered; null of others. Grows with every election. */
export function electionIdOf({ electionId }: Document): string | null {
  return electionId instanceof ObjectId ? electionId.toHexString() : null;
}

export function electedAnother({ setName, primary }: Document): Fault {
  const now = primary === undefined ? '' : ` (now ${String(primary)})`;
  return new Fault({
    op: 'follow the primary',
    subject: String(setName),
    message: `a primary of ${String(setName)} was elected meanwhile${now}, and what the one before had acknowledged may be lost with it`,
    retryable: true,
  });
}

/** Stored functions of `admin`: data, in a collection that no server drops. */
function isStoredFunctions(db: string, name: string): boolean {
  return db === 'admin' && name === 'system.js';
}

/** The primary of a cluster that is being restored to. Everything it is told is raw where the snapshot holds it raw. */
export class RestoreTarget {
  readonly client: MongoClient;
  readonly signal: AbortSignal;
  /**
   * What the set's configuration can give, and what its feature compatibility version takes: found by `admitTarget`
   * before anything is written.
   */
  readonly form: TargetForm;

  constructor(client: MongoClient, signal: AbortSignal, form: TargetForm = UNKNOWN_FORM) {
    this.client = client;
    this.signal = signal;
    this.form = form;
  }

  /** The same target for work that another signal ends. */
  under(signal: AbortSignal): RestoreTarget {
    return new RestoreTarget(this.client, signal, this.form);
  }

  db(name: string): Db {
    return this.client.db(name);
  }

  async command(db: string, command: Document): Promise<Document> {
    throwIfAborted(this.signal);
    try {
      return await this.client.db(db).command(command, { signal: this.signal });
    } catch (error) {
      throw this.signal.aborted ? new Cancelled() : error;
    }
  }

  /**
   * Drops all that a snapshot would take: user databases whole, user collections of `admin` and `config` one by one.
   * System users and roles are merged later, not dropped.
   */
  async clear(options: { config: boolean } = { config: true }): Promise<void> {
    const reply = await this.command('admin', { listDatabases: 1, nameOnly: true });
    for (const { name } of reply.databases as { name: string }[]) {
      if (!isTakenDatabase(name)) continue;
      if (name === 'config' && !options.config) continue;
      if (name === 'admin' || name === 'config') await this.#clearCollections(name);
      else await this.#run(name, { dropDatabase: 1, writeConcern: { w: 'majority' } }, name);
    }
  }

  async #clearCollections(db: string): Promise<void> {
    const entries = await this.db(db).listCollections({}, { nameOnly: true }).toArray();
    for (const { name } of entries) {
      if (isStoredFunctions(db, name)) {
        const deletes = [{ q: {}, limit: 0 }];
        await this.#run(db, { delete: name, deletes, writeConcern: { w: 'majority' } }, `${db}.${name}`);
      }
      if (!isTaken({ db, name }) || name.startsWith('system.')) continue;
      await this.#run(db, { drop: name, writeConcern: { w: 'majority' } }, `${db}.${name}`);
    }
  }

  /**
   * As `create`, of an ordinary collection and as an oplog would have it made: with the UUID that it had, because all
   * shards know a sharded collection by one, and with an index on `_id` of version 1 also under a collation, which the
   * command refuses.
   */
  async createByOplog(db: string, name: string, info: Buffer, uuid: string | null): Promise<void> {
    if (isStoredFunctions(db, name)) return await this.#createUnlessThere(db, name);
    const o: Document = { create: name, ...withoutExpiry(info) };
    const idIndex = findElement(info, 0, 'idIndex');
    if (idIndex !== null) o.idIndex = new RawValue('idIndex', idIndex.type, info.subarray(idIndex.start, idIndex.end));
    const operation = { op: 'c', ns: `${db}.$cmd`, ...(uuid === null ? {} : { ui: new UUID(uuid) }), o };
    await this.#run('admin', { applyOps: [operation], writeConcern: BY_PRIMARY }, `${db}.${name}`);
  }

  /**
   * Lets documents expire as the raw `listCollections` entry says, where that is an option of the collection (clustered
   * ones and time series). The last thing that is done to it: until then the server would delete what is being loaded,
   * and what the oplog is about to change. TTL indexes come last by themselves.
   */
  async letExpire(db: string, name: string, info: Buffer): Promise<void> {
    const options = findElement(info, 0, 'options');
    const expiry = options === null ? null : findElement(info, options.start, EXPIRY);
    if (expiry === null) return;
    const value = new RawValue(EXPIRY, expiry.type, info.subarray(expiry.start, expiry.end));
    await this.#run(db, { collMod: name, [EXPIRY]: value, writeConcern: BY_PRIMARY }, `${db}.${name}`);
  }

  /**
   * Creates a collection, view or time series with the options of its raw `listCollections` entry; its documents do not
   * expire before `letExpire`.
   */
  async create(db: string, name: string, info: Buffer): Promise<void> {
    const idIndex = oldIdIndex(info);
    const command: Document = { create: name, ...withoutExpiry(info) };
    if (idIndex !== null && command.collation !== undefined) return await this.createByOplog(db, name, info, null);
    if (idIndex !== null) command.idIndex = idIndex;
    command.writeConcern = BY_PRIMARY;
    // No `create` makes a clustered collection that is capped by its size (6.0): one that is was clustered first and
    // then made so.
    const { capped: _, size, ...clustered } = command;
    if (isStoredFunctions(db, name)) return await this.#createUnlessThere(db, name);
    const converted = command.clusteredIndex !== undefined && size !== undefined;
    await this.#run(db, converted ? clustered : command, `${db}.${name}`);
    if (!converted) return;
    const conversion = { convertToCapped: name, size, writeConcern: BY_PRIMARY };
    await this.#run(db, conversion, `${db}.${name}`);
  }

  async #createUnlessThere(db: string, name: string): Promise<void> {
    try {
      await this.command(db, { create: name, writeConcern: BY_PRIMARY });
    } catch (error) {
      if (codeOf(error) !== NAMESPACE_EXISTS) throw asFault(error, 'create', `${db}.${name}`);
    }
  }

  /**
   * Builds indexes from their raw specifications. The quorum is a majority of the members, not all voting ones: a
   * member that is down must not hold a restore up. Where so many do not build indexes, it is those that do. Options
   * that this server does not know (left from older versions) are dropped only after it refused them, and where that
   * is wanted. `made`: there was no such collection, so one without options was made for them; where the indexes are
   * refused there is none.
   */
  async createIndexes(
    db: string,
    name: string,
    specifications: readonly Buffer[],
    unknownOptions: 'leaveOut' | 'refuse' = 'leaveOut',
  ): Promise<{ droppedOptions: boolean; made: boolean }> {
    const indexes = new RawValue(
      'indexes',
      0x04,
      rawArray(specifications.map((spec) => Buffer.concat([DOCUMENT_TYPE, spec]))),
    );
    const command: Document = {
      createIndexes: name,
      indexes,
      commitQuorum: this.form.commitQuorum,
      writeConcern: BY_PRIMARY,
    };
    try {
      const reply = await this.command(db, command);
      return { droppedOptions: false, made: reply.createdCollectionAutomatically === true };
    } catch (error) {
      const code = codeOf(error);
      if (unknownOptions === 'refuse' || (code !== 197 && code !== 40415))
        throw asFault(error, 'create indexes', `${db}.${name}`);
    }
    const reply = await this.#run(db, { ...command, ignoreUnknownIndexOptions: true }, `${db}.${name}`);
    return { droppedOptions: true, made: reply.createdCollectionAutomatically === true };
  }

  /** Who we are there: the users and roles that must not be taken away under us. */
  async ownIdentity(): Promise<{ users: string[]; roles: string[] }> {
    const status = await this.command('admin', { connectionStatus: 1 });
    const info = status.authInfo as {
      authenticatedUsers: { user: string; db: string }[];
      authenticatedUserRoles: { role: string; db: string }[];
    };
    return {
      users: info.authenticatedUsers.map(({ user, db }) => `${db}.${user}`),
      roles: info.authenticatedUserRoles.map(({ role, db }) => `${db}.${role}`),
    };
  }

  /**
   * Restoring users and roles needs rights that few roles have (`root` has not). They are tried by deleting what cannot
   * be there, before anything is dropped: a target that was cleared and then refuses its users is half restored.
   */
  async requireAccountRights(): Promise<void> {
    for (const name of ['system.roles', 'system.users']) {
      const removal = { q: { _id: 'tidemark: a trial of rights' }, limit: 1 };
      await this.#run('admin', { delete: name, deletes: [removal], writeConcern: { w: 1 } }, `admin.${name}`);
    }
  }

  /** Puts a raw document in the place of the one with the same string `_id`. */
  async replaceById(db: string, name: string, id: string, document: Buffer): Promise<void> {
    const update = { q: { _id: id }, u: new RawValue('u', 0x03, document), upsert: true };
    const reply = await this.#run(
      db,
      { update: name, updates: [update], writeConcern: { w: 'majority' } },
      `${db}.${name}`,
    );
    this.#refuseWriteErrors(reply, `${db}.${name}`);
  }

  /** Inserts a raw document unless there is one with its id. */
  async insertDocument({ db, name }: Namespace, document: Buffer): Promise<'inserted' | 'exists'> {
    const documents = new RawValue('documents', 0x04, rawArray([Buffer.concat([DOCUMENT_TYPE, document])]));
    const reply = await this.#run(db, { insert: name, documents, writeConcern: { w: 'majority' } }, `${db}.${name}`);
    const refused = (reply.writeErrors as Document[] | undefined)?.[0];
    // Of a unique index only the one over `_id` says that it is there.
    if (refused?.code === 11000 && (refused.keyPattern as Document | undefined)?._id !== undefined) return 'exists';
    this.#refuseWriteErrors(reply, `${db}.${name}`);
    return 'inserted';
  }

  /** Puts a raw document in the place of the one with its id, or there where none is. */
  async replaceDocument({ db, name }: Namespace, document: Buffer): Promise<'inserted' | 'replaced'> {
    const id = findId(document, 0);
    if (id === null) throw new MalformedBson('a document without an _id');
    const update = {
      q: { _id: new RawValue('_id', id.type, document.subarray(id.start, id.end)) },
      u: new RawValue('u', 0x03, document),
      upsert: true,
    };
    const command = { update: name, updates: [update], writeConcern: { w: 'majority' } };
    const reply = await this.#run(db, command, `${db}.${name}`);
    this.#refuseWriteErrors(reply, `${db}.${name}`);
    return reply.upserted === undefined ? 'replaced' : 'inserted';
  }

  async deleteAllBut(db: string, name: string, ids: readonly string[]): Promise<void> {
    const removal = { q: { _id: { $nin: ids } }, limit: 0 };
    const reply = await this.#run(
      db,
      { delete: name, deletes: [removal], writeConcern: { w: 'majority' } },
      `${db}.${name}`,
    );
    this.#refuseWriteErrors(reply, `${db}.${name}`);
  }

  /** A few raw documents, majority-committed. */
  async insert(db: string, name: string, documents: readonly Buffer[]): Promise<void> {
    if (documents.length === 0) return;
    const batch = { documents: Buffer.concat(documents), count: documents.length };
    await insertRaw(this.db(db), name, batch, { ordered: true, signal: this.signal });
    await this.settle();
  }

  /**
   * Returns when everything written so far is majority-committed. Most writes are acknowledged by the primary alone:
   * what one had, and no majority, is rolled back by an election, of which nobody is told whose next write goes to the
   * new primary. So the note counts only under the election that the work was admitted under: all of it was written
   * before the note then, and by the same primary.
   */
  async settle(): Promise<void> {
    await this.#run(
      'admin',
      { appendOplogNote: 1, data: { msg: 'tidemark: restore complete' }, writeConcern: { w: 'majority' } },
      'admin',
    );
    const elected = await this.electedMeanwhile();
    if (elected !== null) throw elected;
  }

  /** A Fault where the primary is another one, or elected anew, since the work was admitted; null where it is not. */
  async electedMeanwhile(): Promise<Fault | null> {
    const { electionId } = this.form;
    if (electionId === null) return null;
    const hello = await this.#run('admin', { hello: 1 }, 'the primary');
    return electionIdOf(hello) === electionId ? null : electedAnother(hello);
  }

  async #run(db: string, command: Document, subject: string): Promise<Document> {
    try {
      return await this.command(db, command);
    } catch (error) {
      throw asFault(error, Object.keys(command)[0] ?? 'command', subject);
    }
  }

  #refuseWriteErrors(reply: Document, subject: string): void {
    const refused = (reply.writeErrors as Document[] | undefined)?.[0];
    if (refused === undefined) return;
    throw new Fault({
      op: 'write',
      subject,
      message: `the target refused a write to ${subject}: ${String(refused.errmsg)}`,
      cause: new MongoServerError({ message: String(refused.errmsg), code: refused.code }),
    });
  }
}

/** Whether a collection is as a server makes one that it is told nothing of but the name. */
export function isWithoutOptions(info: Buffer): boolean {
  return Object.keys(withoutExpiry(info)).length === 0 && oldIdIndex(info) === null;
}

/** The options of a raw `listCollections` entry, raw, but for when its documents expire. */
function withoutExpiry(info: Buffer): Record<string, RawValue> {
  const found: Record<string, RawValue> = {};
  const options = findElement(info, 0, 'options');
  if (options === null) return found;
  forEachElement(info, options.start, (option, element) => {
    if (option !== EXPIRY)
      found[option] = new RawValue(option, element.type, info.subarray(element.start, element.end));
    return true;
  });
  return found;
}

/**
 * The index on `_id` comes with its collection and is of version 2, unless one of version 1 (of collections from before
 * 3.4) is asked for.
 */
function oldIdIndex(info: Buffer): RawValue | null {
  const index = findElement(info, 0, 'idIndex');
  const version = index === null ? null : findElement(info, index.start, 'v');
  if (index === null || version?.type !== 0x10 || info.readInt32LE(version.start) !== 1) return null;
  return new RawValue('idIndex', 0x03, info.subarray(index.start, index.end));
}

const DOCUMENT_TYPE = Buffer.from([0x03]);
