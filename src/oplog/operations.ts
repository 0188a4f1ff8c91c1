import type { Namespace } from '../bson/namespace.ts';
import { parseNamespace } from '../bson/namespace.ts';
import { type ElementAt, forEachElement, MalformedBson } from '../bson/raw-bson.ts';
import type { OplogEntry } from './entry.ts';

/** One operation of an oplog entry: the entry itself, or one of those inside its `applyOps`. */
export interface Operation {
  op: string;
  namespace: Namespace;
  /** 32 hex digits, or null where the operation names no collection by UUID. */
  uuid: string | null;
  /** Where `o` and `o2` lie in the entry's buffer. */
  o: ElementAt;
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

/**
 * What replay does with an operation. `transaction` entries decide over others and change nothing themselves; `unknown`
 * must stop a restore before it starts.
 */
export type Handling = 'write' | 'catalog' | 'transaction' | 'neutral' | 'unknown';

/** Changes of what a listing shows, or (`emptycapped`) of a collection as a whole. */
const CATALOG_COMMANDS = new Set([
  'create',
  'drop',
  'dropDatabase',
  'renameCollection',
  'collMod',
  'createIndexes',
  'commitIndexBuild',
  'dropIndexes',
  'deleteIndex',
  'deleteIndexes',
  'dropIndex',
  'emptycapped',
]);

/**
 * Bookkeeping of a node or of sharding: an index build counts when it commits, and who owns a database or shard key is
 * not data.
 */
const NEUTRAL_COMMANDS = new Set([
  'startIndexBuild',
  'abortIndexBuild',
  'setMultikeyMetadata',
  'dropIdent',
  'dbCheck',
  'modifyCollectionShardingIndexCatalog',
  'createDatabaseMetadata',
  'dropDatabaseMetadata',
]);

/**
 * No-ops, and operations of 8.x on the server's own storage (global indexes, containers, multikey paths), never on
 * documents of a collection.
 */
const NEUTRAL_OPERATIONS = new Set(['n', 'xi', 'xd', 'ci', 'cd', 'cu', 'km']);

export function handlingOf({ op, command }: Pick<Operation, 'op' | 'command'>): Handling {
  if (op === 'i' || op === 'u' || op === 'd') return 'write';
  if (op !== 'c') return NEUTRAL_OPERATIONS.has(op) ? 'neutral' : 'unknown';
  if (CATALOG_COMMANDS.has(command)) return 'catalog';
  if (command === 'commitTransaction' || command === 'abortTransaction') return 'transaction';
  return NEUTRAL_COMMANDS.has(command) ? 'neutral' : 'unknown';
}

/** Calls `visit` for every operation of the entry, in order, whatever depth of `applyOps` it stands at. */
export function forEachOperation(buffer: Buffer, entry: OplogEntry, visit: (operation: Operation) => void): void {
  if (NEUTRAL_OPERATIONS.has(entry.op)) return;
  visitOne(buffer, { ...entry, upsert: false }, visit);
}

type Fields = Pick<OplogEntry, 'op' | 'ns' | 'uuid' | 'o' | 'o2' | 'fromMigrate'> & { upsert: boolean };

function visitOne(buffer: Buffer, fields: Fields, visit: (operation: Operation) => void): void {
  const { op, ns, uuid, o, o2, upsert, fromMigrate } = fields;
  if (o === null) throw new MalformedBson(`an operation \`${op}\` on ${ns} without \`o\``);
  const [command, argument] = op === 'c' ? firstElement(buffer, o) : ['', null];
  if (command === 'applyOps' && argument !== null) {
    forEachElement(buffer, argument.start, (_, element) => {
      visitOne(buffer, readFields(buffer, element), visit);
      return true;
    });
    return;
  }
  visit({ op, namespace: parseNamespace(ns), uuid, o, o2, upsert, fromMigrate, command });
}

function firstElement(buffer: Buffer, o: ElementAt): [string, ElementAt | null] {
  let found: [string, ElementAt | null] = ['', null];
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

function isTrue(buffer: Buffer, { type, start }: ElementAt): boolean {
  return type === 0x08 && buffer[start] === 1;
}

export function stringAt(buffer: Buffer, element: ElementAt): string {
  if (element.type !== 0x02) throw new MalformedBson('a string was expected in an oplog entry');
  return buffer.toString('utf8', element.start + 4, element.end - 1);
}

/** 32 hex digits. */
export function uuidAt(buffer: Buffer, element: ElementAt): string {
  if (element.type !== 0x05 || element.end - element.start !== 21) throw new MalformedBson('a UUID was expected');
  return buffer.toString('hex', element.start + 5, element.end);
}
