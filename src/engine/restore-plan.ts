import { isTaken } from '../bson/namespace.ts';
import { documentOf, fieldsOf, findElement } from '../bson/raw-bson.ts';
import { assert } from '../lib/assert.ts';
import { Fault } from '../lib/errors.ts';
import type { CollectionEntry } from '../repository/format/manifest.ts';

const BUCKETS = 'system.buckets.';
const RECORD_IDS = 'recordIdsReplicated';

/** The steps of a restore, in order. Pure: decided from the manifest alone. */
export interface RestorePlan {
  /** To be created with their options; a time series brings its bucket collection with it. */
  create: CollectionEntry[];
  /** To be filled. */
  load: CollectionEntry[];
  /** After the data: every view after the one it is on. */
  views: CollectionEntry[];
  users: CollectionEntry | null;
  roles: CollectionEntry | null;
  version: CollectionEntry | null;
  /** What no restore can make, although the source had it: see `isTemporary` and `shadowing`. */
  leftOut: CollectionEntry[];
}

export function planRestore(collections: readonly CollectionEntry[]): RestorePlan {
  const admin = (name: string) => collections.find((entry) => entry.db === 'admin' && entry.name === name) ?? null;
  const shadows = shadowing(collections);
  const leftOut = collections.filter((entry) => shadows.has(entry) || isTemporary(entry));
  // Snapshots of former versions hold some of what is not taken any more.
  const ordinary = collections
    .filter((entry) => entry.type !== 'view' && isTaken(entry) && !isOwnedByTarget(entry) && !leftOut.includes(entry))
    .map(withoutRecordIds);
  const series = new Set(
    ordinary.filter((entry) => entry.type === 'timeseries').map((entry) => `${entry.db}.${entry.name}`),
  );
  const isBucketOfSeries = (entry: CollectionEntry) =>
    entry.name.startsWith(BUCKETS) && series.has(`${entry.db}.${entry.name.slice(BUCKETS.length)}`);
  return {
    create: ordinary.filter((entry) => !isBucketOfSeries(entry)),
    load: ordinary.filter(
      (entry) => entry.type === 'collection' && (entry.layers.length > 0 || entry.indexes.length > 0),
    ),
    views: orderViews(collections.filter((entry) => entry.type === 'view')),
    leftOut,
    users: admin('system.users'),
    roles: admin('system.roles'),
    version: admin('system.version'),
  };
}

/**
 * Whether all members of a set number the records of a collection alike is the target's own matter: a restore gives
 * documents, not where they lie.
 */
function withoutRecordIds(entry: CollectionEntry): CollectionEntry {
  const options = findElement(entry.info, 0, 'options');
  if (options === null || findElement(entry.info, options.start, RECORD_IDS) === null) return entry;
  const kept = documentOf(fieldsOf(entry.info, options.start).filter(({ name }) => name !== RECORD_IDS));
  const fields = fieldsOf(entry.info, 0).map((field) => (field.name === 'options' ? { ...field, value: kept } : field));
  return { ...entry, info: documentOf(fields) };
}

/**
 * `admin.system.*` is merged document by document: the target keeps its own identity, FCV and the account we are using.
 * Stored functions are data.
 */
export function isOwnedByTarget(entry: CollectionEntry): boolean {
  return entry.db === 'admin' && entry.name.startsWith('system.') && entry.name !== 'system.js';
}

/**
 * Bucket collections of no time series beside an ordinary collection of the time series' name. A creation of a time
 * series that met another one leaves them behind (seen on 6.0.5); where there is one, the server sends every insert and
 * every index for the ordinary collection to it.
 */
function shadowing(collections: readonly CollectionEntry[]): Set<CollectionEntry> {
  const ordinary = new Set(
    collections.filter((entry) => entry.type === 'collection').map((entry) => `${entry.db}.${entry.name}`),
  );
  return new Set(
    collections.filter(
      ({ db, name }) => name.startsWith(BUCKETS) && ordinary.has(`${db}.${name.slice(BUCKETS.length)}`),
    ),
  );
}

/** Half-made results of `$out` and the like: a server drops them when it starts, and lets nobody create one. */
function isTemporary({ info }: CollectionEntry): boolean {
  const options = findElement(info, 0, 'options');
  const temp = options === null ? null : findElement(info, options.start, 'temp');
  return temp !== null && temp.type === 0x08 && info[temp.start] === 1;
}

/** Views on views need the lower one first: the server checks collations along the chain when a view is created. */
export function orderViews(views: readonly CollectionEntry[]): CollectionEntry[] {
  const byName = new Map(views.map((view) => [`${view.db}.${view.name}`, view]));
  const ordered = new Set<CollectionEntry>();
  const place = (view: CollectionEntry, below: readonly CollectionEntry[]) => {
    if (ordered.has(view) || below.includes(view)) return;
    const lower = byName.get(`${view.db}.${viewOn(view)}`);
    if (lower !== undefined) place(lower, [...below, view]);
    ordered.add(view);
  };
  for (const view of views) place(view, []);
  assert(ordered.size === views.length, 'every view has its place');
  return [...ordered];
}

function viewOn(view: CollectionEntry): string {
  const options = findElement(view.info, 0, 'options');
  const on = options === null ? null : findElement(view.info, options.start, 'viewOn');
  return on === null ? '' : view.info.toString('utf8', on.start + 4, on.end - 1);
}

/**
 * Which servers can take a snapshot: the version it was taken on or the next major one, with a feature compatibility
 * version not older than the snapshot's (Atlas's rule for restores, and the server's own for data files).
 */
export function refuseVersion(
  snapshot: { mongodVersion: string; featureCompatibilityVersion: string },
  target: { mongodVersion: string; featureCompatibilityVersion: string },
): void {
  const [from, to] = [majorOf(snapshot.mongodVersion), majorOf(target.mongodVersion)];
  const older = compareVersions(target.featureCompatibilityVersion, snapshot.featureCompatibilityVersion) < 0;
  if (to < from || to > from + 1 || older) {
    throw new Fault({
      op: 'restore',
      subject: `mongod ${target.mongodVersion}`,
      message: `a snapshot of mongod ${snapshot.mongodVersion} (feature compatibility ${snapshot.featureCompatibilityVersion}) cannot be restored to mongod ${target.mongodVersion} (feature compatibility ${target.featureCompatibilityVersion})`,
      hint: 'Restore to the same major version or the next one, with at least the same feature compatibility version',
    });
  }
}

/** Whether updates may be replayed as diffs (`$v: 2`): the server's own rule. */
export function takesDiffs(featureCompatibilityVersion: string): boolean {
  return compareVersions(featureCompatibilityVersion, '4.7') >= 0;
}

function majorOf(version: string): number {
  return Number(version.split('.')[0]);
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  return (left[0] ?? 0) - (right[0] ?? 0) || (left[1] ?? 0) - (right[1] ?? 0);
}
