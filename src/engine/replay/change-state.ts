import { formatNamespace, type Namespace, parseNamespace } from '../../bson/namespace.ts';
import { findElement, findId, idBytes, MalformedBson } from '../../bson/raw-bson.ts';
import { assert, must } from '../../lib/assert.ts';
import { changedDocument, isModification } from '../../oplog/diffs.ts';
import { isTrue, stringAt, uuidAt } from '../../oplog/entry.ts';
import {
  changedIndexOf,
  committedIndexes,
  createdIndex,
  withIndexes,
  withoutIndex,
} from '../../oplog/index-changes.ts';
import { meaningOf, type Operation } from '../../oplog/operations.ts';
import { optionChanges } from '../../oplog/option-changes.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import {
  changedSeries,
  createdEntry,
  expiringEntry,
  hold,
  isHeld,
  isHeldInPart,
  isReplayed,
  type ReplayState,
  renamedEntry,
  seriesOf,
} from './replay-state.ts';

const BUCKETS = 'system.buckets.';

/** The oplog does not fit the catalog that was reached so far: the restore must not start. */
export class ReplayMismatch extends Error {
  override readonly name = 'ReplayMismatch';
}

/** Carries out a catalog command on the state. */
export function changeCatalog(state: ReplayState, buffer: Buffer, operation: Operation): void {
  const effect = meaningOf(operation.command).replay;
  switch (effect) {
    case 'collectionCreated':
      create(state, buffer, operation);
      break;
    case 'collectionDropped':
      drop(state, buffer, operation);
      break;
    case 'databaseDropped':
      dropDatabase(state, operation.namespace.db);
      break;
    case 'collectionRenamed':
      rename(state, buffer, operation);
      break;
    case 'optionsChanged':
      modify(state, buffer, operation);
      break;
    case 'indexAdded':
      changeIndexes(state, buffer, operation, (indexes) => withIndexes(indexes, [createdIndex(buffer, operation.o)]));
      break;
    case 'indexesBuilt':
      changeIndexes(state, buffer, operation, (indexes) => withIndexes(indexes, committedIndexes(buffer, operation.o)));
      break;
    case 'collectionEmptied':
      known(state, buffer, operation);
      break;
    default:
      assert(effect === 'indexRemoved', 'nothing else changes the catalog');
      changeIndexes(state, buffer, operation, (indexes) => withoutIndex(indexes, buffer, operation.o));
  }
}

/** The collection that a command names in its first field. */
function named(buffer: Buffer, { o, command, namespace }: Operation): Namespace {
  return { db: namespace.db, name: stringAt(buffer, must(findElement(buffer, o.start, command), command)) };
}

/** The entry of the collection that a command is for; null where the collection is none of those restored as such. */
function known(state: ReplayState, buffer: Buffer, operation: Operation): CollectionEntry | null {
  const found = state.collections.get(operation.uuid ?? '');
  if (found !== undefined) return found;
  const namespace = named(buffer, operation);
  if (isHeld(namespace, state.source) || !isReplayed(namespace, state.source)) return null;
  throw unknownCollection(operation.command, namespace, operation.uuid);
}

function unknownCollection(what: string, namespace: Namespace, uuid: string | null): ReplayMismatch {
  return new ReplayMismatch(
    `\`${what}\` for ${formatNamespace(namespace)} (${uuid ?? 'no UUID'}), which was neither in the snapshot nor created since`,
  );
}

function create(state: ReplayState, buffer: Buffer, operation: Operation): void {
  const namespace = named(buffer, operation);
  if (isHeldInPart(namespace, state.source)) state.chunks.clear();
  else if (isHeld(namespace, state.source)) state.held.set(formatNamespace(namespace), new Map());
  else if (isReplayed(namespace, state.source)) {
    if (operation.uuid === null) throw new ReplayMismatch(`\`create\` of ${formatNamespace(namespace)} without a UUID`);
    if (findElement(buffer, operation.o.start, 'timeseries') !== null && !namespace.name.startsWith(BUCKETS))
      throw new ReplayMismatch(
        `the creation of ${formatNamespace(namespace)}, a time series without a view (MongoDB 9.0), which this version cannot replay`,
      );
    const entry = createdEntry(namespace.db, namespace.name, operation.uuid, buffer, operation.o);
    state.collections.set(operation.uuid, entry);
  }
}

function drop(state: ReplayState, buffer: Buffer, operation: Operation): void {
  const entry = known(state, buffer, operation);
  if (entry === null) {
    const namespace = named(buffer, operation);
    state.held.delete(formatNamespace(namespace));
    if (isHeldInPart(namespace, state.source)) state.chunks.clear();
  } else state.collections.delete(must(entry.uuid, 'a collection has a UUID'));
}

function dropDatabase(state: ReplayState, db: string): void {
  for (const [uuid, entry] of state.collections) if (entry.db === db) state.collections.delete(uuid);
  for (const namespace of state.held.keys()) if (namespace.startsWith(`${db}.`)) state.held.delete(namespace);
}

function rename(state: ReplayState, buffer: Buffer, { o, uuid, command }: Operation): void {
  const field = (name: string) => findElement(buffer, o.start, name);
  const from = parseNamespace(stringAt(buffer, must(field(command), command)));
  const to = parseNamespace(stringAt(buffer, must(field('to'), 'the new name of a collection')));
  const entry = state.collections.get(uuid ?? '');
  if (entry === undefined) {
    const [hadFrom, hasTo] = [isReplayed(from, state.source), isReplayed(to, state.source)];
    if (!hadFrom && !hasTo) return;
    throw unknownCollection(command, hadFrom ? from : to, uuid);
  }
  const target = field('dropTarget');
  if (target?.type === 0x05) state.collections.delete(uuidAt(buffer, target));
  for (const [other, { db, name }] of state.collections) {
    if (other !== uuid && db === to.db && name === to.name) state.collections.delete(other);
  }
  const own = must(entry.uuid, 'a collection has a UUID');
  assert(own === uuid, 'a collection is found by its UUID');
  if (isReplayed(to, state.source))
    state.collections.set(own, renamedEntry(entry, to, isTrue(buffer, field('stayTemp'))));
  else state.collections.delete(own);
}

/**
 * Only the part that concerns an index, and what the collection is created with: options are changed by the target
 * itself, when replay comes by.
 */
function modify(state: ReplayState, buffer: Buffer, operation: Operation): void {
  const change = findElement(buffer, operation.o.start, 'index');
  const entry = known(state, buffer, operation);
  const changes = optionChanges(buffer, operation);
  if (entry?.uuid != null) state.unknown.noteOptions(entry.uuid, changes.unknown);
  const expiry = findElement(buffer, operation.o.start, 'expireAfterSeconds');
  if (entry !== null && expiry !== null) {
    const { type, start, end } = expiry;
    // A number of seconds, or the text "off".
    const value = { name: 'expireAfterSeconds', type, value: Buffer.from(buffer.subarray(start, end)) };
    const uuid = must(entry.uuid, 'a collection has a UUID');
    state.collections.set(uuid, expiringEntry(entry, type === 0x02 ? null : value));
  }
  const series = changes.known.find(({ name }) => name === 'timeseries')?.value ?? null;
  const before = entry === null || series === null ? null : (state.series.get(entry.uuid ?? '') ?? seriesOf(entry));
  if (entry?.uuid != null && series !== null && before !== null)
    state.series.set(entry.uuid, changedSeries(before, Buffer.from(series)));
  if (change !== null)
    changeIndexes(state, buffer, operation, (indexes) => {
      const changed = changedIndexOf(indexes, buffer, change);
      if (changed === null) return null;
      state.unknown.noteIndex(indexes[changed.at] as Buffer, changed.index, changed.unknown);
      return indexes.with(changed.at, changed.index);
    });
}

function changeIndexes(
  state: ReplayState,
  buffer: Buffer,
  operation: Operation,
  change: (indexes: readonly Buffer[]) => Buffer[] | null,
): void {
  const entry = known(state, buffer, operation);
  if (entry === null) return;
  const indexes = change(entry.indexes);
  if (indexes === null)
    throw new ReplayMismatch(`\`${operation.command}\` of an index that ${formatNamespace(entry)} does not have`);
  state.collections.set(must(entry.uuid, 'a collection has a UUID'), { ...entry, indexes });
}

/** Carries out a write to a held collection. */
export function changeHeld(state: ReplayState, buffer: Buffer, operation: Operation): void {
  const { op, namespace, o, o2, upsert } = operation;
  assert(op === 'i' || op === 'u' || op === 'd', 'held collections are written to');
  const name = formatNamespace(namespace);
  if (isHeldInPart(namespace, state.source)) {
    if (state.chunks.write(buffer, operation)) return;
    throw new ReplayMismatch(`an update of a document that ${name} does not hold`);
  }
  const id = findId(buffer, op === 'u' && o2 !== null ? o2.start : o.start);
  if (id === null) throw new MalformedBson(`a write to ${name} without an _id`);
  const documents = state.held.get(name);
  const previous = documents?.get(idBytes(buffer, id).toString('hex'));
  if (op === 'd') documents?.delete(idBytes(buffer, id).toString('hex'));
  else if (op === 'i') hold(state, name, Buffer.from(buffer.subarray(o.start, o.end)));
  else if (previous === undefined && upsert && !isModification(buffer, o))
    hold(state, name, Buffer.from(buffer.subarray(o.start, o.end)));
  else if (previous === undefined) throw new ReplayMismatch(`an update of a document that ${name} does not hold`);
  else hold(state, name, changedDocument(previous, buffer, o));
}
