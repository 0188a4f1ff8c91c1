import { isTaken, type Namespace, parseNamespace } from '../bson/namespace.ts';
import { type ElementAt, type Field, fieldsOf, forEachElement, MalformedBson } from '../bson/raw-bson.ts';
import { isTrue, type OplogEntry, stringAt, uuidAt } from './entry.ts';

/** What a command of the oplog has changed. */
export type Effect =
  | 'collectionCreated'
  | 'collectionDropped'
  | 'databaseDropped'
  | 'collectionRenamed'
  | 'optionsChanged'
  | 'indexAdded'
  | 'indexesBuilt'
  | 'indexRemoved'
  | 'collectionEmptied'
  /** Other entries take effect, or never will. */
  | 'transactionCommitted'
  | 'transactionAborted'
  /** Its operations are what counts. */
  | 'operations'
  /** Bookkeeping of a node or of sharding: who owns a database or a shard key is not data. */
  | 'nothing'
  /** No version of ours knows how to carry it out. */
  | 'unknown';

export interface Meaning {
  /**
   * To a snapshot that is being taken: whether the catalog has to be listed again, and whether `documents` changed that
   * no entry spells out, so that the collection has to be read again.
   */
  listing: 'same' | 'changed' | 'documents';
  /** To a replay. What is `unknown` must stop a restore before it starts. */
  replay: Effect;
  /** To the history of a document. What is `unknown` leaves the document unknown from then on. */
  history: Effect;
  /** Its argument names the collection, and where no snapshot has that one, the command is nobody's concern. */
  ofTakenOnly?: true;
}

/**
 * Every command that servers log, as far as we know them; nowhere else is a command of the oplog named. Of other
 * commands the worst is assumed: see `meaningOf`. Source: the server's oplog command types and the cases of
 * docs/consistency.md.
 */
const COMMANDS = new Map<string, Meaning>([
  ['applyOps', means('same', 'operations', 'operations')],
  ['commitTransaction', means('same', 'transactionCommitted', 'transactionCommitted')],
  ['abortTransaction', means('same', 'transactionAborted', 'transactionAborted')],
  ['create', means('changed', 'collectionCreated', 'collectionCreated')],
  ['drop', means('changed', 'collectionDropped', 'collectionDropped')],
  // The collections of a database are dropped one by one before it.
  ['dropDatabase', means('changed', 'databaseDropped', 'nothing')],
  ['renameCollection', means('changed', 'collectionRenamed', 'collectionRenamed')],
  ['collMod', means('changed', 'optionsChanged', 'nothing')],
  ['createIndexes', means('changed', 'indexAdded', 'nothing')],
  // A build counts when it is committed.
  ['startIndexBuild', means('same', 'nothing', 'nothing')],
  ['commitIndexBuild', means('changed', 'indexesBuilt', 'nothing')],
  ['abortIndexBuild', means('same', 'nothing', 'nothing')],
  ['dropIndexes', means('changed', 'indexRemoved', 'nothing')],
  ['deleteIndex', means('changed', 'indexRemoved', 'nothing')],
  ['deleteIndexes', means('changed', 'indexRemoved', 'nothing')],
  ['dropIndex', means('changed', 'indexRemoved', 'nothing')],
  ['emptycapped', means('documents', 'collectionEmptied', 'collectionEmptied')],
  // Names the ends of a range of record ids, which no copy has. Servers clear their own collection of pre-images so.
  ['truncateRange', { ...means('documents', 'unknown', 'unknown'), ofTakenOnly: true }],
  // What these leave behind has a new UUID, or is spelled out by other entries.
  ['convertToCapped', means('changed', 'unknown', 'unknown')],
  ['importCollection', means('changed', 'unknown', 'unknown')],
  ['createGlobalIndex', means('changed', 'unknown', 'unknown')],
  ['dropGlobalIndex', means('changed', 'unknown', 'unknown')],
  ['upgradeDowngradeViewlessTimeseries', means('changed', 'unknown', 'unknown')],
  ['createDatabaseMetadata', means('changed', 'nothing', 'nothing')],
  ['dropDatabaseMetadata', means('changed', 'nothing', 'nothing')],
  // What a shard keeps of the routing metadata that it owns is told to its own members so.
  ['invalidateCollectionMetadata', means('same', 'nothing', 'nothing')],
  ['updateCollectionMetadata', means('same', 'nothing', 'nothing')],
  ['setAllowChunkOperations', means('same', 'nothing', 'nothing')],
  // Where a server keeps its counts of documents.
  ['initReplicatedFastCount', means('same', 'nothing', 'nothing')],
  ['setMultikeyMetadata', means('same', 'nothing', 'nothing')],
  ['dropIdent', means('same', 'nothing', 'nothing')],
  ['dbCheck', means('same', 'nothing', 'nothing')],
  ['modifyCollectionShardingIndexCatalog', means('same', 'nothing', 'nothing')],
]);

const UNKNOWN = means('documents', 'unknown', 'unknown');

function means(listing: Meaning['listing'], replay: Effect, history: Effect): Meaning {
  return { listing, replay, history };
}

/** The names of the commands that we know. */
export const KNOWN_COMMANDS: readonly string[] = [...COMMANDS.keys()];

/** What a command means; of one that we do not know that anything may have changed. */
export function meaningOf(command: string): Meaning {
  return COMMANDS.get(command) ?? UNKNOWN;
}

/**
 * No-ops, and operations of 8.x on the server's own storage, never on documents of a collection: keys of global indexes
 * (`xi`, `xd`), what lies in a container (`ci`, `cu`, `cd`), and the keys that an encrypted oplog is read with (`km`).
 */
const NEUTRAL_OPERATIONS = new Set(['n', 'xi', 'xd', 'ci', 'cd', 'cu', 'km']);

/**
 * What is done with an operation. `transaction` entries decide over others and change nothing themselves; `neutral`
 * ones mean nothing to a backup.
 */
export type Handling = 'write' | 'catalog' | 'transaction' | 'neutral' | 'unknown';

/** What replay does with an operation. `unknown` must stop a restore before it starts. */
export function handlingOf({ op, command }: Pick<Operation, 'op' | 'command'>): Handling {
  if (op === 'i' || op === 'u' || op === 'd') return 'write';
  if (op !== 'c') return NEUTRAL_OPERATIONS.has(op) ? 'neutral' : 'unknown';
  const { replay } = meaningOf(command);
  switch (replay) {
    case 'unknown':
      return 'unknown';
    case 'nothing':
    // What holds operations is never one itself: the operations are given in its place.
    case 'operations':
      return 'neutral';
    case 'transactionCommitted':
    case 'transactionAborted':
      return 'transaction';
    default:
      return 'catalog';
  }
}

/** One operation of an oplog entry, the entry itself or one of those inside its `applyOps`, as it is written there. */
export interface LoggedOperation {
  op: string;
  ns: string;
  /** 32 hex digits, or null where the operation names no collection by UUID. */
  uuid: string | null;
  /** Where `o` and `o2` lie in the entry's buffer. */
  o: ElementAt | null;
  o2: ElementAt | null;
  /**
   * An update that inserts where there is nothing to update (`b`): servers never log one of their own, but `applyOps`
   * of a client is logged as it was sent, and config servers commit migrations by such.
   */
  upsert: boolean;
  /** Written by a migration of chunks, not by a client. */
  fromMigrate: boolean;
  /** The command's name where `op` is `c`, else empty. */
  command: string;
}

/** An operation that can be carried out. */
export interface Operation extends Omit<LoggedOperation, 'ns' | 'o'> {
  namespace: Namespace;
  o: ElementAt;
}

/** Calls `visit` for every operation of the entry, in order, whatever depth of `applyOps` it stands at. */
export function forEachLogged(buffer: Buffer, entry: OplogEntry, visit: (logged: LoggedOperation) => void): void {
  visitLogged(buffer, { ...entry, upsert: false }, visit);
}

/** The same for operations that can be carried out. Throws MalformedBson at one that has no `o`. */
export function forEachOperation(buffer: Buffer, entry: OplogEntry, visit: (operation: Operation) => void): void {
  if (NEUTRAL_OPERATIONS.has(entry.op)) return;
  forEachLogged(buffer, entry, ({ op, ns, uuid, o, o2, upsert, fromMigrate, command }) => {
    if (o === null) throw new MalformedBson(`an operation \`${op}\` on ${ns} without \`o\``);
    visit({ op, namespace: parseNamespace(ns), uuid, o, o2, upsert, fromMigrate, command });
  });
}

/** The command's name, the first field of `o`; empty where the entry is no command. */
export function commandName(buffer: Buffer, { op, o }: Pick<OplogEntry, 'op' | 'o'>): string {
  return op === 'c' && o !== null ? firstElement(buffer, o)[0] : '';
}

/** What the entry as a whole does: `operations` where it holds others. `nothing` where it is no command. */
export function effectOf(buffer: Buffer, entry: OplogEntry): Effect {
  return entry.op === 'c' ? meaningOf(commandName(buffer, entry)).replay : 'nothing';
}

/** Where the argument of a command's own name lies, and the fields that follow it, as views. */
export function argumentsOf(buffer: Buffer, o: ElementAt): Field[] {
  return fieldsOf(buffer, o.start).slice(1);
}

type Fields = Omit<LoggedOperation, 'command'>;

function visitLogged(buffer: Buffer, fields: Fields, visit: (logged: LoggedOperation) => void): void {
  const { op, ns, uuid, o, o2, upsert, fromMigrate } = fields;
  const [command, argument] = op === 'c' && o !== null ? firstElement(buffer, o) : NO_COMMAND;
  if (argument !== null && meaningOf(command).replay === 'operations') {
    forEachElement(buffer, argument.start, (_, element) => {
      visitLogged(buffer, readFields(buffer, element), visit);
      return true;
    });
    return;
  }
  if (argument !== null && meaningOf(command).ofTakenOnly && !isTaken(collectionNamed(buffer, ns, argument))) return;
  visit({ op, ns, uuid, o, o2, upsert, fromMigrate, command });
}

const NO_COMMAND: [string, null] = ['', null];

/** With its database or without. */
function collectionNamed(buffer: Buffer, ns: string, argument: ElementAt): Namespace {
  const { db } = parseNamespace(ns);
  const name = stringAt(buffer, argument);
  return { db, name: name.startsWith(`${db}.`) ? name.slice(db.length + 1) : name };
}

function firstElement(buffer: Buffer, o: ElementAt): [string, ElementAt | null] {
  let found: [string, ElementAt | null] = NO_COMMAND;
  forEachElement(buffer, o.start, (name, element) => {
    found = [name, element];
    return false;
  });
  return found;
}

function readFields(buffer: Buffer, operation: ElementAt): Fields {
  const fields: Fields = { op: '', ns: '', uuid: null, o: null, o2: null, upsert: false, fromMigrate: false };
  forEachElement(buffer, operation.start, (name, element) => {
    if (name === 'op') fields.op = stringAt(buffer, element);
    else if (name === 'ns') fields.ns = stringAt(buffer, element);
    else if (name === 'ui') fields.uuid = uuidAt(buffer, element);
    else if (name === 'o') fields.o = element;
    else if (name === 'o2') fields.o2 = element;
    else if (name === 'b') fields.upsert = isTrue(buffer, element);
    else if (name === 'fromMigrate') fields.fromMigrate = isTrue(buffer, element);
    return true;
  });
  return fields;
}
