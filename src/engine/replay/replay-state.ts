import type { Namespace } from '../../bson/namespace.ts';
import { formatNamespace, isTaken } from '../../bson/namespace.ts';
import {
  documentOf,
  type ElementAt,
  type Field,
  fieldsOf,
  findElement,
  findId,
  idBytes,
  stringValue,
} from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { argumentsOf } from '../../oplog/operations.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import { isLedger } from '../sharding/sharding-ledgers.ts';
import { LedgerChanges } from './ledger-changes.ts';
import { UnknownChanges } from './unknown-changes.ts';

const BUCKETS = 'system.buckets.';
const VIEWS = 'system.views';

/**
 * The catalog of the source while its oplog is replayed. Collections are told apart by their UUID there, because names
 * pass from one to another. Some are held as documents, by namespace and then by the hex digits of the id element:
 * users, roles and their version are merged into the target's at the end, and a view is nothing but a document of
 * `system.views`.
 */
export interface ReplayState {
  /**
   * Whose it is: replica sets of a sharded cluster keep ledgers in `config`, which are held too, and the rest of their
   * `config` is none of a restore's.
   */
  readonly source: ReplayedSource;
  collections: Map<string, CollectionEntry>;
  held: Map<string, Map<string, Buffer>>;
  /**
   * Of the ledgers one may be too large to be held: what of `config.chunks` was touched since T, of a sharded cluster.
   */
  chunks: LedgerChanges;
  /**
   * The `timeseries` option of time series for which it was changed since T, by the UUID of their buckets. Restores
   * carry the change out where the oplog has it; archives begin with its outcome.
   */
  series: Map<string, Buffer>;
  unknown: UnknownChanges;
}

export type ReplayedSource = 'replicaSet' | 'ofShardedCluster';

/** Whether a collection is held as documents, not restored as a collection. */
export function isHeld(namespace: Namespace, source: ReplayedSource): boolean {
  const { db, name } = namespace;
  if (name === VIEWS || (db === 'admin' && /^system\.(users|roles|version)$/.test(name))) return true;
  return source === 'ofShardedCluster' && isLedger(namespace);
}

/** Of what is held as documents, what is held only as far as it was touched: `ReplayState.chunks`. */
export function isHeldInPart({ db, name }: Namespace, source: ReplayedSource): boolean {
  return source === 'ofShardedCluster' && db === 'config' && name === 'chunks';
}

/** Whether a collection is restored at all. */
export function isReplayed(namespace: Namespace, source: ReplayedSource): boolean {
  if (source === 'replicaSet') return isTaken(namespace);
  return namespace.db !== 'config' && (isTaken(namespace) || isResharding(namespace));
}

/**
 * What a shard copies a collection's documents into while it is resharded, and gives the collection's name in the end.
 * No snapshot has such, and no point lies where one is under way.
 */
function isResharding({ name }: Namespace): boolean {
  return name.startsWith('system.resharding.');
}

/** Of the state at a point: what a resharding that came to nothing left, which no server would take. */
export function dropResharding({ collections }: ReplayState): void {
  for (const [uuid, entry] of collections) if (isResharding(entry)) collections.delete(uuid);
}

/** The state at a snapshot's T. `held` gives the documents of the collections for which `isHeld` is true. */
export function createReplayState(
  collections: readonly CollectionEntry[],
  held: ReadonlyMap<string, readonly Buffer[]>,
  source: ReplayedSource = 'replicaSet',
): ReplayState {
  const state: ReplayState = {
    source,
    collections: new Map(),
    held: new Map(),
    chunks: new LedgerChanges(),
    series: new Map(),
    unknown: new UnknownChanges(),
  };
  for (const [namespace, documents] of held) for (const document of documents) hold(state, namespace, document);
  for (const entry of collections) {
    assert(entry.type !== 'collection' || entry.uuid !== null, 'a collection has a UUID');
    if (entry.uuid === null) hold(state, `${entry.db}.${VIEWS}`, definitionOf(entry));
    else if (!isHeld(entry, source) && isReplayed(entry, source)) state.collections.set(entry.uuid, entry);
  }
  return state;
}

export function copyOf(state: ReplayState): ReplayState {
  const held = [...state.held].map(([namespace, documents]) => [namespace, new Map(documents)] as const);
  const { source, collections, chunks, series, unknown } = state;
  const own = { collections: new Map(collections), held: new Map(held), series: new Map(series) };
  return { source, ...own, chunks: chunks.copy(), unknown: unknown.copy() };
}

export function hold(state: ReplayState, namespace: string, document: Buffer): void {
  const documents = state.held.get(namespace) ?? new Map<string, Buffer>();
  documents.set(idOf(document), document);
  state.held.set(namespace, documents);
}

/** Hex digits of a document's id element. */
export function idOf(document: Buffer): string {
  const id = findId(document, 0);
  return id === null ? '' : idBytes(document, id).toString('hex');
}

/** The collections, views and time series of a state, as a manifest would list them. Users and roles are in `held`. */
export function listState(state: ReplayState): CollectionEntry[] {
  const listed = [...state.collections.values()];
  const buckets = new Map(listed.filter(isBuckets).map((entry) => [formatNamespace(entry), entry]));
  for (const [namespace, documents] of state.held) {
    if (!namespace.endsWith(`.${VIEWS}`)) continue;
    const db = namespace.slice(0, -VIEWS.length - 1);
    for (const definition of documents.values()) listed.push(listDefinition(db, definition, buckets));
  }
  return listed;
}

function isBuckets({ name }: CollectionEntry): boolean {
  return name.startsWith(BUCKETS);
}

function definitionOf(entry: CollectionEntry): Buffer {
  const options = optionsOf(entry.info);
  const viewOn = { name: 'viewOn', type: 0x02, value: stringValue(BUCKETS + entry.name) };
  const body = entry.type === 'timeseries' ? [viewOn] : options;
  return documentOf([{ name: '_id', type: 0x02, value: stringValue(`${entry.db}.${entry.name}`) }, ...body]);
}

const EXPIRY = 'expireAfterSeconds';

/**
 * Options of a time series that are those of its bucket collection; the rest of a bucket collection's options follows
 * from them.
 */
const SERIES_OPTIONS = new Set(['timeseries', EXPIRY, 'collation', 'storageEngine', 'indexOptionDefaults']);

function listDefinition(
  db: string,
  definition: Buffer,
  buckets: ReadonlyMap<string, CollectionEntry>,
): CollectionEntry {
  const name = textOf(definition, findElement(definition, 0, '_id')).slice(db.length + 1);
  const viewOn = textOf(definition, findElement(definition, 0, 'viewOn'));
  const bucket = viewOn === BUCKETS + name ? buckets.get(`${db}.${viewOn}`) : undefined;
  const options =
    bucket === undefined
      ? fieldsOf(definition, 0).filter((field) => field.name !== '_id')
      : optionsOf(bucket.info).filter((field) => SERIES_OPTIONS.has(field.name));
  const type = bucket === undefined ? 'view' : 'timeseries';
  return { ...emptyEntry(db, name), type, info: infoOf(name, type, options) };
}

/** The listing entry of a time series from the one of its buckets. */
export function seriesInfoOf(name: string, buckets: Buffer): Buffer {
  const options = optionsOf(buckets).filter((field) => SERIES_OPTIONS.has(field.name));
  return infoOf(name, 'timeseries', options);
}

/** With a time series for buckets that have none: of a sharded one only its database's primary shard lists it. */
export function withSeriesOfBuckets(collections: readonly CollectionEntry[]): CollectionEntry[] {
  const names = new Set(collections.map(formatNamespace));
  const missing = collections.filter(
    (entry) => isBuckets(entry) && !names.has(`${entry.db}.${entry.name.slice(BUCKETS.length)}`),
  );
  const series = missing.map(({ db, name, info }): CollectionEntry => {
    const own = name.slice(BUCKETS.length);
    return { ...emptyEntry(db, own), type: 'timeseries', info: seriesInfoOf(own, info) };
  });
  return [...collections, ...series];
}

const OLD_ID_INDEX: Field = {
  name: 'idIndex',
  type: 0x03,
  value: documentOf([
    { name: 'v', type: 0x10, value: Buffer.from([1, 0, 0, 0]) },
    { name: 'key', type: 0x03, value: documentOf([{ name: '_id', type: 0x10, value: Buffer.from([1, 0, 0, 0]) }]) },
    { name: 'name', type: 0x02, value: stringValue('_id_') },
  ]),
};

/** A collection that an entry creates: `o` is the entry's. */
export function createdEntry(db: string, name: string, uuid: string, buffer: Buffer, o: ElementAt): CollectionEntry {
  // The index on _id comes with the collection; its collation is the collection's.
  const options = argumentsOf(buffer, o).filter(({ name }) => name !== 'idIndex');
  const clustered = options.some((field) => field.name === 'clusteredIndex');
  const told = idIndexOf(buffer, o.start);
  assert(/^[0-9a-f]{32}$/.test(uuid), 'a UUID has 32 hex digits');
  // An oplog that does not say which index on _id a collection has, makes one of version 1.
  const idIndex = clustered || told.length > 0 ? told : [OLD_ID_INDEX];
  const indexes = idIndex.map(({ value }) => Buffer.from(value));
  return { ...emptyEntry(db, name), uuid, info: infoOf(name, 'collection', options, idIndex), indexes };
}

/** What a rename makes of it: without `stayTemp` a temporary collection becomes a lasting one. */
export function renamedEntry(entry: CollectionEntry, to: Namespace, stayTemp: boolean): CollectionEntry {
  const options = optionsOf(entry.info).filter((field) => stayTemp || field.name !== 'temp');
  assert(entry.uuid !== null && entry.type === 'collection', 'only a collection is renamed');
  const info = infoOf(to.name, 'collection', options, idIndexOf(entry.info, 0));
  return { ...entry, db: to.db, name: to.name, info };
}

/**
 * With another time after which its documents expire (the option of clustered collections and time series), or with
 * none.
 */
export function expiringEntry(entry: CollectionEntry, expiry: Field | null): CollectionEntry {
  const others = optionsOf(entry.info).filter((field) => field.name !== EXPIRY);
  const options = expiry === null ? others : [...others, expiry];
  return { ...entry, info: infoOf(entry.name, 'collection', options, idIndexOf(entry.info, 0)) };
}

const SPANS: Readonly<Record<string, number>> = { seconds: 3_600, minutes: 86_400, hours: 2_592_000 };
/** Of newer servers, in the place of a granularity. */
const OWN_SPANS = ['bucketMaxSpanSeconds', 'bucketRoundingSeconds'];

/**
 * What a `collMod` of the option `timeseries` makes of it: how long a bucket lasts follows from the granularity, as the
 * server has it, or is said.
 */
export function changedSeries(before: Buffer, change: Buffer): Buffer {
  const changed = fieldsOf(change, 0);
  const granularity = changed.find(({ name }) => name === 'granularity');
  const seconds = granularity === undefined ? undefined : SPANS[textOf(change, findElement(change, 0, 'granularity'))];
  const span = { name: 'bucketMaxSpanSeconds', type: 0x10, value: int32(seconds ?? 0) };
  const own = changed.filter(({ name }) => OWN_SPANS.includes(name));
  const dropped = new Set(['granularity', ...OWN_SPANS]);
  const kept = fieldsOf(before, 0).filter(({ name }) => !dropped.has(name));
  const others = changed.filter(({ name }) => !dropped.has(name));
  const spans = granularity === undefined ? own : [granularity, ...(seconds === undefined ? [] : [span])];
  return documentOf([...kept, ...others, ...spans]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** With the `timeseries` option that it had in the end. */
export function withSeries(entry: CollectionEntry, series: Buffer): CollectionEntry {
  const options = optionsOf(entry.info).map((field) =>
    field.name === 'timeseries' ? { ...field, value: series } : field,
  );
  return { ...entry, info: infoOf(entry.name, entry.type, options, idIndexOf(entry.info, 0)) };
}

/** The `timeseries` option of an entry of buckets; null of any other. */
export function seriesOf({ info }: CollectionEntry): Buffer | null {
  const value = optionsOf(info).find(({ name }) => name === 'timeseries')?.value;
  return value === undefined ? null : Buffer.from(value);
}

function emptyEntry(db: string, name: string): CollectionEntry {
  const info = Buffer.alloc(0);
  return { db, name, type: 'collection', uuid: null, info, indexes: [], documents: 0, bytes: 0, layers: [] };
}

/** A server that is told the UUID of a collection makes an old version of the index unless it is told that too. */
function idIndexOf(buffer: Buffer, offset: number): Field[] {
  return buffer.length === 0 ? [] : fieldsOf(buffer, offset).filter(({ name }) => name === 'idIndex');
}

function infoOf(
  name: string,
  type: CollectionEntry['type'],
  options: readonly Field[],
  idIndex: readonly Field[] = [],
): Buffer {
  return documentOf([
    { name: 'name', type: 0x02, value: stringValue(name) },
    { name: 'type', type: 0x02, value: stringValue(type) },
    { name: 'options', type: 0x03, value: documentOf(options) },
    ...idIndex,
  ]);
}

/**
 * True where the source keeps an order among documents other than that of each document's own changes: by insertion, or
 * by a collation's notion of equal ids.
 */
export function isApplyingInOrder(entry: CollectionEntry): boolean {
  return isCapped(entry) || optionsOf(entry.info).some(({ name }) => name === 'collation');
}

export function isCapped({ info }: CollectionEntry): boolean {
  return optionsOf(info).some(({ name, value }) => name === 'capped' && value[0] === 1);
}

function optionsOf(info: Buffer): Field[] {
  const options = findElement(info, 0, 'options');
  return options === null ? [] : fieldsOf(info, options.start);
}

function textOf(buffer: Buffer, element: ElementAt | null): string {
  return element === null || element.type !== 0x02 ? '' : buffer.toString('utf8', element.start + 4, element.end - 1);
}
