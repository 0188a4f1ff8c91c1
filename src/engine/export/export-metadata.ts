import { bsonType, documentOf, type Field, fieldsOf, findElement, stringText } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import type { LeftOut, LeftOutSummary } from '../left-out.ts';
import { canonicalJson } from './extended-json.ts';
import { findMisread } from './misread.ts';
import { readExtendedJson, UnreadableJson } from './read-extended-json.ts';
import { seriesIndexes } from './series-indexes.ts';
import { seriesFieldsOf } from './unpack-bucket.ts';

export interface CollectionJson {
  /** Null where it would not make what the source had: a view whose pipeline is left out. */
  json: Buffer | null;
  leftOut: LeftOut[];
}

/** Without these there is nothing to make. */
const ESSENTIAL = new Set(['pipeline', 'viewOn', 'timeseries', 'clusteredIndex', 'capped', 'size', 'max']);

/**
 * The bytes of a collection's `metadata.json`: what `mongodump` writes as `<collection>.metadata.json`, so that
 * `mongorestore` makes the collection and its indexes from it. Options and indexes are those of the snapshot, as the
 * server had them; `data` is the entry that holds the documents. An index or an option that would be read back as
 * something else is left out and told.
 */
export function metadataJson(entry: CollectionEntry, data: CollectionEntry): CollectionJson {
  const namespace = `${entry.db}.${entry.name}`;
  const leftOut: LeftOut[] = [];
  const indexes = indexesOf(entry, data).flatMap((index) => {
    const { text, problem } = readBack(index);
    if (problem !== null) leftOut.push({ namespace, kind: 'index', name: nameOf(index), problem });
    return problem === null ? [text] : [];
  });
  const options = optionsText(entry, leftOut);
  if (leftOut.some(({ kind, name }) => kind === 'option' && ESSENTIAL.has(name))) {
    const problem = leftOut.map((one) => `${one.name}: ${one.problem}`).join('; ');
    return { json: null, leftOut: [{ namespace, kind: entry.type, name: entry.name, problem }] };
  }
  const members = [
    `"indexes":[${indexes.join(',')}]`,
    ...(entry.uuid === null ? [] : [`"uuid":${JSON.stringify(entry.uuid)}`]),
    `"collectionName":${JSON.stringify(entry.name)}`,
    ...(entry.type === 'timeseries' ? ['"type":"timeseries"'] : []),
    `"options":${options}`,
  ];
  return { json: Buffer.from(`{${members.join(',')}}`), leftOut };
}

/** Of all options; of those that are read back where not all are, the others being added to what is left out. */
function optionsText(entry: CollectionEntry, leftOut: LeftOut[]): string {
  const options = optionsOf(entry.info);
  const whole = readBack(documentOf(options));
  if (whole.problem === null) return whole.text;
  const namespace = `${entry.db}.${entry.name}`;
  const kept = options.filter((option) => {
    const { problem } = readBack(documentOf([option]));
    if (problem !== null) leftOut.push({ namespace, kind: 'option', name: option.name, problem });
    return problem === null;
  });
  return canonicalJson(documentOf(kept));
}

/** The document's text, and why a reader would not make the very same bytes of it; null where it would. */
function readBack(document: Buffer): { text: string; problem: string | null } {
  const text = canonicalJson(document);
  const at = findMisread(document);
  if (at !== null) return { text, problem: `${at} holds a document that Extended JSON takes for a value` };
  try {
    const problem = readExtendedJson(text).equals(document) ? null : 'Extended JSON has no text for a value in it';
    return { text, problem };
  } catch (error) {
    if (error instanceof UnreadableJson) return { text, problem: error.message };
    throw error;
  }
}

function nameOf(index: Buffer): string {
  const name = fieldsOf(index, 0).find((field) => field.name === 'name');
  return name?.type === bsonType.string ? stringText(name.value) : '';
}

function indexesOf(entry: CollectionEntry, data: CollectionEntry): Buffer[] {
  if (entry.type !== 'timeseries') return entry.indexes;
  const { meta } = seriesFieldsOf(entry.info);
  return seriesIndexes(data.indexes, meta === null ? null : meta.toString('utf8', 0, meta.length - 1));
}

function optionsOf(info: Buffer): Field[] {
  const options = findElement(info, 0, 'options');
  return options === null || options.type !== bsonType.document ? [] : fieldsOf(info, options.start);
}

/** What `.complete` says of the whole export. Names and fields are Atlas's. */
export interface CompletedExport {
  orgId: string;
  orgName: string;
  groupId: string;
  groupName: string;
  clusterUniqueId: string;
  clusterName: string;
  snapshotMs: number;
  /** Data files and metadata files. */
  totalFiles: number;
  labels: readonly Label[];
  customData: readonly Label[];
}

export interface Label {
  key: string;
  value: string;
}

/** `leftOut` is no field of Atlas's: it is there only where the export does not hold everything. */
export function completeJson(completed: CompletedExport, leftOut: LeftOutSummary): Buffer {
  const { snapshotMs, totalFiles, labels, customData, ...names } = completed;
  assert(Number.isSafeInteger(totalFiles) && totalFiles >= 0, 'files are counted');
  assert(leftOut.named.length <= leftOut.count, 'no more is named than was left out');
  const snapshotInitiationDate = new Date(snapshotMs).toISOString();
  const whole = { ...names, snapshotInitiationDate, totalFiles, labels, customData };
  return Buffer.from(JSON.stringify(leftOut.count === 0 ? whole : { ...whole, leftOut }));
}
