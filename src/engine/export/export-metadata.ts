import { documentLength, documentOf, findElement } from '../../bson/raw-bson.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import { canonicalJson } from './extended-json.ts';
import { seriesIndexes } from './series-indexes.ts';
import { seriesFieldsOf } from './unpack-bucket.ts';

/**
 * The bytes of a collection's `metadata.json`: what `mongodump` writes as `<collection>.metadata.json`, so that
 * `mongorestore` makes the collection and its indexes from it. Options and indexes are those of the snapshot, as the
 * server had them; `data` is the entry that holds the documents.
 */
export function metadataJson(entry: CollectionEntry, data: CollectionEntry): Buffer {
  const members = [
    `"indexes":[${indexesOf(entry, data).map(canonicalJson).join(',')}]`,
    ...(entry.uuid === null ? [] : [`"uuid":${JSON.stringify(entry.uuid)}`]),
    `"collectionName":${JSON.stringify(entry.name)}`,
    ...(entry.type === 'timeseries' ? ['"type":"timeseries"'] : []),
    `"options":${canonicalJson(optionsOf(entry.info))}`,
  ];
  return Buffer.from(`{${members.join(',')}}`);
}

function indexesOf(entry: CollectionEntry, data: CollectionEntry): Buffer[] {
  if (entry.type !== 'timeseries') return entry.indexes;
  const { meta } = seriesFieldsOf(entry.info);
  return seriesIndexes(data.indexes, meta === null ? null : meta.toString('utf8', 0, meta.length - 1));
}

function optionsOf(info: Buffer): Buffer {
  const options = findElement(info, 0, 'options');
  if (options === null || options.type !== 0x03) return documentOf([]);
  return info.subarray(options.start, options.start + documentLength(info, options.start));
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

export function completeJson({ snapshotMs, totalFiles, labels, customData, ...names }: CompletedExport): Buffer {
  const snapshotInitiationDate = new Date(snapshotMs).toISOString();
  return Buffer.from(JSON.stringify({ ...names, snapshotInitiationDate, totalFiles, labels, customData }));
}
