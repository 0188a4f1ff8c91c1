import { isTaken, parseNamespace } from '../bson/namespace.ts';
import { type ElementAt, findId } from '../bson/raw-bson.ts';
import type { OplogEntry } from './entry.ts';
import { forEachLogged, handlingOf, type LoggedOperation, meaningOf } from './operations.ts';

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

/**
 * Tells the visitor what the entry touched. Operations inside `applyOps` count wherever they stand, also in
 * transactions that are not committed yet or are aborted later: a document named too often is read once more, one named
 * too seldom is lost.
 */
export function visitEntry(buffer: Buffer, entry: OplogEntry, visitor: TouchVisitor): void {
  forEachLogged(buffer, entry, (logged) => {
    const { op, uuid } = logged;
    if (op === 'i' || op === 'u' || op === 'd') visitWrite(buffer, op, logged, visitor);
    else if (op === 'c') visitCommand(logged, visitor);
    else if (handlingOf(logged) !== 'neutral') visitor.rereadNeeded(`op ${op}`, uuid);
  });
}

function visitWrite(
  buffer: Buffer,
  op: 'i' | 'u' | 'd',
  { ns, uuid, o, o2 }: LoggedOperation,
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

function visitCommand({ ns, uuid, o, command }: LoggedOperation, visitor: TouchVisitor): void {
  if (o === null) {
    visitor.rereadNeeded('a command without a body', uuid);
    return;
  }
  const { listing } = meaningOf(command);
  if (listing === 'same') return;
  visitor.catalogChanged(command, databaseOf(ns), uuid);
  if (listing === 'documents') visitor.rereadNeeded(command, uuid);
}

function databaseOf(ns: string): string {
  const dot = ns.indexOf('.');
  return dot < 0 ? ns : ns.slice(0, dot);
}
