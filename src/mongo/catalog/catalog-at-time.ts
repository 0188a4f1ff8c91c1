import { formatNamespace, isTaken } from '../../bson/namespace.ts';
import {
  documentOf,
  type Field,
  fieldsOf,
  forEachDocument,
  forEachElement,
  MalformedBson,
  stringText,
  stringValue,
} from '../../bson/raw-bson.ts';
import type { Timestamp64 } from '../../bson/timestamp.ts';
import { messageOf } from '../../lib/errors.ts';
import { codeOf, isMemberLost, isTimeUnreadable } from '../errors.ts';
import { bsonTimestamp, type SourceMember } from '../source-member.ts';
import { type ListedCollection, readListed, viewlessSeries } from './catalog-listing.ts';
import { listedIndex } from './listed-index.ts';

/** The member cannot say what its catalog was at a time; the message, for the log, says why. */
export class NoCatalogAtTime extends Error {
  override readonly name = 'NoCatalogAtTime';
}

/** More than any catalog holds entries: only the size of a reply ends a batch. */
const ENTRIES_MAX = 1_000_000;
const BUCKETS = 'system.buckets.';
/** Of a time series' bucket collection, those that are options of the series. */
const SERIES_OPTIONS = new Set([
  'timeseries',
  'expireAfterSeconds',
  'collation',
  'storageEngine',
  'indexOptionDefaults',
]);
const VIEW_OPTIONS = new Set(['viewOn', 'pipeline', 'collation']);

/**
 * Everything that a snapshot takes as it was at the time: names, options and finished indexes, of all databases or of
 * some. By a collectionless `$listCatalog`, which servers have from 6.0 on (under that feature compatibility version)
 * and which needs `listDatabases` on the cluster, `listCollections` and `listIndexes` everywhere (the role `backup` has
 * them); without either it rejects with NoCatalogAtTime. A time that is not in the member's history rejects as any read
 * does.
 *
 * Entries and indexes are given the form in which `listCollections` and `listIndexes` say them, so that a manifest does
 * not tell by which of the two a catalog was read; but for the fractions of `expireAfterSeconds`, which those cut off.
 */
export async function readCatalogAt(
  { catalog: member }: SourceMember,
  ts: Timestamp64,
  databases: ReadonlySet<string> | null,
  signal: AbortSignal,
): Promise<ListedCollection[]> {
  const some = databases === null ? [] : [{ $match: { db: { $in: [...databases] } } }];
  const command = {
    aggregate: 1,
    pipeline: [{ $listCatalog: {} }, ...some],
    cursor: { batchSize: ENTRIES_MAX },
    readConcern: { level: 'snapshot', atClusterTime: bsonTimestamp(ts) },
  };
  const documents: Buffer[] = [];
  try {
    for await (const batch of member.rawBatches('admin', command, signal, { batchSize: ENTRIES_MAX })) {
      forEachDocument(batch.documents, (offset, length) => {
        documents.push(Buffer.from(batch.documents.subarray(offset, offset + length)));
      });
    }
  } catch (error) {
    // Unknown to 5.0 (40324), not enabled under its feature compatibility version (224), not allowed to the user (13).
    if (codeOf(error) === null || isMemberLost(error) || isTimeUnreadable(error)) throw error;
    throw new NoCatalogAtTime(`${member.host} does not answer $listCatalog: ${messageOf(error)}`);
  }
  return listedOf(documents);
}

/** What one entry of `$listCatalog` says. */
interface CatalogEntry {
  db: string;
  name: string;
  type: string;
  /** All of it, for views. */
  fields: Field[];
  /** `md.options`, the UUID left out; empty for views. */
  options: Field[];
  uuid: Buffer | null;
  /** The specifications of finished indexes. */
  indexes: Buffer[];
}

/** Pure. Throws NoCatalogAtTime where an entry has a form that is not known here. */
export function listedOf(documents: readonly Buffer[]): ListedCollection[] {
  const entries = documents.map(readEntry).filter(isTaken);
  const buckets = new Map(
    entries.filter(({ name }) => name.startsWith(BUCKETS)).map((one) => [formatNamespace(one), one]),
  );
  return entries.map((entry) => {
    const listed = readListed(entry.db, infoOf(entry, buckets));
    return { ...listed, indexes: indexesOf(entry) };
  });
}

function readEntry(document: Buffer): CatalogEntry {
  const fields = fieldsOf(document, 0);
  const metadata = bytesOf(fields, 'md');
  const md = metadata === null ? [] : fieldsOf(metadata, 0);
  const options = fieldsIn(md, 'options');
  return {
    db: textOf(fields, 'db'),
    name: textOf(fields, 'name'),
    type: textOf(fields, 'type'),
    fields,
    options: options.filter(({ name }) => name !== 'uuid'),
    uuid: bytesOf(options, 'uuid'),
    indexes: finishedIn(bytesOf(md, 'indexes')),
  };
}

function finishedIn(array: Buffer | null): Buffer[] {
  const found: Buffer[] = [];
  if (array === null) return found;
  forEachElement(array, 0, (_, { start }) => {
    const index = fieldsOf(array, start);
    const spec = bytesOf(index, 'spec');
    if (spec === null) throw new NoCatalogAtTime('the catalog has an index without a specification');
    if (bytesOf(index, 'ready')?.[0] === 1) found.push(spec);
    return true;
  });
  return found;
}

/** The entry as `listCollections` says it. */
function infoOf(entry: CatalogEntry, buckets: ReadonlyMap<string, CatalogEntry>): Buffer {
  const { db, name, type, uuid } = entry;
  if (type === 'collection' && uuid !== null) {
    const idIndex = entry.indexes.find(isIdIndex);
    const binary = { name: 'uuid', type: 0x05, value: uuid };
    return listing(entry, entry.options, [readOnly(false), binary], idIndex ?? null);
  }
  if (type === 'view') {
    const options = entry.fields.filter((field) => VIEW_OPTIONS.has(field.name));
    return listing(entry, options, [readOnly(true)], null);
  }
  if (type === 'timeseries' && uuid !== null) throw viewlessSeries(`${db}.${name}`);
  const bucket = type === 'timeseries' ? buckets.get(`${db}.${BUCKETS}${name}`) : undefined;
  if (bucket === undefined)
    throw new NoCatalogAtTime(`the catalog has ${db}.${name} in a form that is not known (${type})`);
  const options = bucket.options.filter((option) => SERIES_OPTIONS.has(option.name));
  return listing(entry, options, [readOnly(false)], null);
}

function listing(
  { name, type }: CatalogEntry,
  options: readonly Field[],
  info: readonly Field[],
  idIndex: Buffer | null,
): Buffer {
  return documentOf([
    { name: 'name', type: 0x02, value: stringValue(name) },
    { name: 'type', type: 0x02, value: stringValue(type) },
    { name: 'options', type: 0x03, value: documentOf(options) },
    { name: 'info', type: 0x03, value: documentOf(info) },
    ...(idIndex === null ? [] : [{ name: 'idIndex', type: 0x03, value: idIndex }]),
  ]);
}

function readOnly(value: boolean): Field {
  return { name: 'readOnly', type: 0x08, value: Buffer.from([value ? 1 : 0]) };
}

function isIdIndex(spec: Buffer): boolean {
  return textOf(fieldsOf(spec, 0), 'name') === '_id_';
}

/** With the one that `listIndexes` makes up for a clustered collection; buckets have none. */
function indexesOf({ options, indexes }: CatalogEntry): Buffer[] {
  const listed = indexes.map(listedIndex);
  const clustered = options.find((option) => option.name === 'clusteredIndex');
  if (clustered?.type !== 0x03) return listed;
  const collation = options.filter((option) => option.name === 'collation');
  const flag = { name: 'clustered', type: 0x08, value: Buffer.from([1]) };
  return [documentOf([...fieldsOf(clustered.value, 0), ...collation, flag]), ...listed];
}

function fieldsIn(fields: readonly Field[], name: string): Field[] {
  const value = bytesOf(fields, name);
  return value === null ? [] : fieldsOf(value, 0);
}

function bytesOf(fields: readonly Field[], name: string): Buffer | null {
  return fields.find((field) => field.name === name)?.value ?? null;
}

function textOf(fields: readonly Field[], name: string): string {
  const field = fields.find((one) => one.name === name);
  if (field?.type !== 0x02) throw new MalformedBson(`an entry of the catalog without a ${name}`);
  return stringText(field.value);
}
