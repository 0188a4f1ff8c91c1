import { isTaken, parseNamespace } from '../bson/namespace.ts';
import { type ElementAt, findElement, findId, forEachElement, MalformedBson } from '../bson/raw-bson.ts';
import type { Timestamp64 } from '../bson/timestamp.ts';

/**
 * What one oplog entry means to a backup. Pure; reads raw bytes. Sources: the server's oplog entry format and the cases
 * of docs/consistency.md.
 */
export interface OplogEntry {
  ts: Timestamp64;
  term: bigint;
  op: string;
  /** `db.collection`, or `db.$cmd` for commands. */
  ns: string;
  /** 32 hex digits, or null: commands on databases and no-ops have none. */
  uuid: string | null;
  /** Operation and its second part, where they lie in the entry's buffer. */
  o: ElementAt | null;
  o2: ElementAt | null;
  /** The entry before this one in the same transaction or chain of retryable writes; 0 where there is none. */
  previousTs: Timestamp64;
  /** Written by a migration of chunks, not by a client. */
  fromMigrate: boolean;
}

/** `visit` gets the id element of a document that an operation touched, as a place in `buffer`. */
export interface TouchVisitor {
  touched(uuid: string, buffer: Buffer, id: ElementAt): void;
  /** The whole document of an insert: capped collections are rebuilt from them. */
  inserted?(uuid: string, buffer: Buffer, document: ElementAt, id: ElementAt): void;
  deleted?(uuid: string, buffer: Buffer, id: ElementAt): void;
  updated?(uuid: string): void;
  /** The catalog changed; `name` is the command, `uuid` of the collection where known, `db` its database. */
  catalogChanged(name: string, db: string, uuid: string | null): void;
  /**
   * Data changed in a way that entries do not spell out: the collection (or, with null, everything) has to be read
   * again.
   */
  rereadNeeded(name: string, uuid: string | null): void;
}

/** Catalog commands whose data, if any, is spelled out by other entries or lives under a new UUID. */
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
  'convertToCapped',
  'importCollection',
  'createGlobalIndex',
  'dropGlobalIndex',
  'createDatabaseMetadata',
  'dropDatabaseMetadata',
  'upgradeDowngradeViewlessTimeseries',
]);

/** Commands that change neither documents nor what a listing shows. An index build counts when it commits. */
const NEUTRAL_COMMANDS = new Set([
  'startIndexBuild',
  'abortIndexBuild',
  'setMultikeyMetadata',
  'dropIdent',
  'dbCheck',
  'modifyCollectionShardingIndexCatalog',
  'abortTransaction',
]);

/** Operations on containers and global indexes (8.x): storage of the server's own, never documents of a collection. */
const NEUTRAL_OPERATIONS = new Set(['n', 'xi', 'xd', 'ci', 'cd', 'cu', 'km']);

function uuidOf(buffer: Buffer, element: ElementAt): string {
  if (element.type !== 0x05 || element.end - element.start !== 21) throw new MalformedBson('`ui` is not a UUID');
  return buffer.toString('hex', element.start + 5, element.end);
}

function timestampAt(buffer: Buffer, element: ElementAt): Timestamp64 {
  return buffer.readBigUInt64LE(element.start);
}

/** Reads the entry at `offset`. The buffer is kept by reference. */
export function readOplogEntry(buffer: Buffer, offset: number): OplogEntry {
  const nothing = { ts: 0n, term: -1n, op: '', ns: '', uuid: null, o: null, o2: null, previousTs: 0n };
  const entry: OplogEntry = { ...nothing, fromMigrate: false };
  forEachElement(buffer, offset, (name, element) => {
    switch (name) {
      case 'ts':
        entry.ts = timestampAt(buffer, element);
        break;
      case 't':
        entry.term = buffer.readBigInt64LE(element.start);
        break;
      case 'op':
        entry.op = buffer.toString('latin1', element.start + 4, element.end - 1);
        break;
      case 'ns':
        entry.ns = buffer.toString('utf8', element.start + 4, element.end - 1);
        break;
      case 'ui':
        entry.uuid = uuidOf(buffer, element);
        break;
      case 'o':
        entry.o = element;
        break;
      case 'o2':
        entry.o2 = element;
        break;
      case 'fromMigrate':
        entry.fromMigrate = element.type === 0x08 && buffer[element.start] === 1;
        break;
      case 'prevOpTime': {
        const ts = findElement(buffer, element.start, 'ts');
        if (ts !== null) entry.previousTs = timestampAt(buffer, ts);
        break;
      }
    }
    return true;
  });
  if (entry.ts === 0n || entry.op === '') throw new MalformedBson('an oplog entry without `ts` or `op`');
  return entry;
}

function databaseOf(ns: string): string {
  const dot = ns.indexOf('.');
  return dot < 0 ? ns : ns.slice(0, dot);
}

/** The command's name: the first field of `o`. */
export function commandName(buffer: Buffer, entry: OplogEntry): string {
  let first = '';
  if (entry.o !== null) {
    forEachElement(buffer, entry.o.start, (name) => {
      first = name;
      return false;
    });
  }
  return first;
}

/**
 * True for the entries of a transaction that more entries follow or that wait for a decision: `partialTxn`, `prepare`.
 */
export function isUnfinishedTransactionEntry(buffer: Buffer, entry: OplogEntry): boolean {
  if (entry.op !== 'c' || entry.o === null) return false;
  return ['partialTxn', 'prepare'].some((name) => {
    const flag = findElement(buffer, (entry.o as ElementAt).start, name);
    return flag !== null && flag.type === 0x08 && buffer[flag.start] === 1;
  });
}

/**
 * True where the operations of a chain take effect with this entry, so that entries before it count too. Followed
 * through `previousTs` for as long as `isUnfinishedTransactionEntry` holds there: chains of retryable writes look alike
 * but each of their entries took effect by itself.
 */
export function mayCloseChain(buffer: Buffer, entry: OplogEntry): boolean {
  if (entry.op !== 'c' || entry.previousTs === 0n) return false;
  const name = commandName(buffer, entry);
  return name === 'applyOps' || name === 'commitTransaction';
}

/**
 * `commitTimestamp` of a commitTransaction entry: the time at which a prepared transaction's writes become visible, at
 * or before the entry's own.
 */
export function commitTimestampOf(buffer: Buffer, entry: OplogEntry): Timestamp64 | null {
  if (entry.op !== 'c' || entry.o === null || commandName(buffer, entry) !== 'commitTransaction') return null;
  const at = findElement(buffer, entry.o.start, 'commitTimestamp');
  return at === null ? null : timestampAt(buffer, at);
}

/**
 * Which transaction an entry belongs to: the same on every shard that takes part in it. Empty where it belongs to none.
 */
export function transactionOf(buffer: Buffer, offset: number): string {
  const session = findElement(buffer, offset, 'lsid');
  const number = findElement(buffer, offset, 'txnNumber');
  if (session === null || number === null) return '';
  return `${buffer.toString('hex', session.start, session.end)}/${buffer.toString('hex', number.start, number.end)}`;
}

/**
 * Tells the visitor what the entry touched. Operations inside `applyOps` count wherever they stand, also in
 * transactions that are not committed yet or are aborted later: a document named too often is read once more, one named
 * too seldom is lost.
 */
export function visitEntry(buffer: Buffer, entry: OplogEntry, visitor: TouchVisitor): void {
  visitOperation(buffer, entry.op, entry.ns, entry.uuid, entry.o, entry.o2, visitor);
}

function visitOperation(
  buffer: Buffer,
  op: string,
  ns: string,
  uuid: string | null,
  o: ElementAt | null,
  o2: ElementAt | null,
  visitor: TouchVisitor,
): void {
  if (op === 'i' || op === 'u' || op === 'd') visitWrite(buffer, op, ns, uuid, o, o2, visitor);
  else if (op === 'c') visitCommand(buffer, ns, uuid, o, visitor);
  else if (!NEUTRAL_OPERATIONS.has(op)) visitor.rereadNeeded(`op ${op}`, uuid);
}

function visitWrite(
  buffer: Buffer,
  op: 'i' | 'u' | 'd',
  ns: string,
  uuid: string | null,
  o: ElementAt | null,
  o2: ElementAt | null,
  visitor: TouchVisitor,
): void {
  if (ns.endsWith('.system.views')) visitor.catalogChanged('system.views', databaseOf(ns), null);
  if (uuid === null || o === null) {
    if (!isTaken(parseNamespace(ns))) return;
    visitor.rereadNeeded(`op ${op} on ${ns} without a UUID`, null);
    return;
  }
  const ownId = findId(buffer, o.start);
  if (op === 'i') {
    if (ownId === null) visitor.rereadNeeded('an insert without an _id', uuid);
    else {
      visitor.touched(uuid, buffer, ownId);
      visitor.inserted?.(uuid, buffer, o, ownId);
    }
    return;
  }
  const keyId = op === 'u' && o2 !== null ? findId(buffer, o2.start) : ownId;
  if (keyId === null) {
    visitor.rereadNeeded(`op ${op} without an _id`, uuid);
    return;
  }
  visitor.touched(uuid, buffer, keyId);
  if (op === 'd') visitor.deleted?.(uuid, buffer, keyId);
  else visitor.updated?.(uuid);
  // A replacement carries the new document, whose id may be the same number in another type.
  if (op === 'u' && ownId !== null) visitor.touched(uuid, buffer, ownId);
}

function visitCommand(
  buffer: Buffer,
  ns: string,
  uuid: string | null,
  o: ElementAt | null,
  visitor: TouchVisitor,
): void {
  if (o === null) {
    visitor.rereadNeeded('a command without a body', uuid);
    return;
  }
  let name = '';
  forEachElement(buffer, o.start, (first) => {
    name = first;
    return false;
  });
  if (name === 'applyOps') {
    visitApplyOps(buffer, o, visitor);
    return;
  }
  if (name === 'commitTransaction' || NEUTRAL_COMMANDS.has(name)) return;
  visitor.catalogChanged(name, databaseOf(ns), uuid);
  if (!CATALOG_COMMANDS.has(name)) visitor.rereadNeeded(name, uuid);
}

function visitApplyOps(buffer: Buffer, o: ElementAt, visitor: TouchVisitor): void {
  const operations = findElement(buffer, o.start, 'applyOps');
  if (operations === null) throw new MalformedBson('applyOps without operations');
  forEachElement(buffer, operations.start, (_, element) => {
    let op = '';
    let ns = '';
    let uuid: string | null = null;
    let innerO: ElementAt | null = null;
    let innerO2: ElementAt | null = null;
    forEachElement(buffer, element.start, (name, field) => {
      if (name === 'op') op = buffer.toString('latin1', field.start + 4, field.end - 1);
      else if (name === 'ns') ns = buffer.toString('utf8', field.start + 4, field.end - 1);
      else if (name === 'ui') uuid = uuidOf(buffer, field);
      else if (name === 'o') innerO = field;
      else if (name === 'o2') innerO2 = field;
      return true;
    });
    visitOperation(buffer, op, ns, uuid, innerO, innerO2, visitor);
    return true;
  });
}
