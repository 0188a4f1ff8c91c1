import { assert, must } from '../../lib/assert.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import { type CollectionJson, metadataJson } from '../export/export-metadata.ts';
import type { LeftOut } from '../left-out.ts';
import { orderViews, planRestore } from '../restore-plan.ts';
import type { CollectionMetadata } from './archive-format.ts';

/** What an archive of a snapshot holds and in which order, decided from the manifest alone. Pure. */

const BUCKETS = 'system.buckets.';
/** Read first: they are only remembered, and a reader wants to know them before it begins with the others. */
export const ACCESS_CONTROL = ['system.version', 'system.users', 'system.roles'];

/** A namespace of the archive's second part. */
export interface ArchiveContent {
  db: string;
  /** As the documents are named: `system.buckets.X` for a time series X. */
  name: string;
  /** Null: there are no documents, only the end that makes a reader create it. */
  entry: CollectionEntry | null;
}

export interface ArchivePlan {
  metadata: CollectionMetadata[];
  contents: ArchiveContent[];
  /** What no restore can make, although the source had it. */
  leftOut: CollectionEntry[];
  /** What Extended JSON, as which options and indexes stand in an archive, has no text for. */
  jsonLosses: LeftOut[];
}

export function planArchive(collections: readonly CollectionEntry[]): ArchivePlan {
  const taken = collections.filter(({ db }) => db !== 'config');
  const { leftOut } = planRestore(taken);
  const buckets = new Map(
    taken.filter(({ name }) => name.startsWith(BUCKETS)).map((entry) => [`${entry.db}.${entry.name}`, entry]),
  );
  const bucketsOf = ({ db, name }: CollectionEntry) => buckets.get(`${db}.${BUCKETS}${name}`) ?? null;
  const series = taken.filter(({ type }) => type === 'timeseries');
  const held = new Set<CollectionEntry | null>([...leftOut, ...series.map(bucketsOf)]);
  const listed = [
    ...taken.filter((entry) => entry.type !== 'view' && !held.has(entry)).toSorted((a, b) => rank(a) - rank(b)),
    ...orderViews(taken.filter((entry) => entry.type === 'view')),
  ].map((entry) => ({ entry, buckets: bucketsOf(entry), text: metadataJson(entry, bucketsOf(entry) ?? entry) }));
  const made = listed.filter(({ text }) => text.json !== null);
  const names = new Set(made.map(({ entry, buckets }) => `${entry.db}.${contentOf(entry, buckets).name}`));
  assert(names.size === made.length, 'a namespace stands in an archive once');
  return {
    leftOut,
    jsonLosses: listed.flatMap(({ text }) => text.leftOut),
    metadata: made.map(({ entry, buckets, text }) => metadataOf(entry, buckets, text)),
    contents: made.map(({ entry, buckets }) => contentOf(entry, buckets)),
  };
}

function rank({ db, name }: CollectionEntry): number {
  const place = db === 'admin' ? ACCESS_CONTROL.indexOf(name) : -1;
  return place < 0 ? ACCESS_CONTROL.length : place;
}

function contentOf(entry: CollectionEntry, buckets: CollectionEntry | null): ArchiveContent {
  const { db, name, type } = entry;
  if (type === 'timeseries') return { db, name: BUCKETS + name, entry: buckets };
  return { db, name, entry: type === 'view' ? null : entry };
}

function metadataOf(
  entry: CollectionEntry,
  buckets: CollectionEntry | null,
  { json }: CollectionJson,
): CollectionMetadata {
  const { db, name, type } = entry;
  const bytes = type === 'timeseries' ? (buckets?.bytes ?? 0) : entry.bytes;
  return { db, name, type, metadata: must(json, 'what is made has its text').toString('utf8'), bytes };
}
