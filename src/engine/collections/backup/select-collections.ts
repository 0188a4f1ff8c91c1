import { formatNamespace, type Namespace } from '../../../bson/namespace.ts';
import { findElement } from '../../../bson/raw-bson.ts';
import { assert } from '../../../lib/assert.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';
import type { LeftOut } from '../../left-out.ts';
import { planRestore } from '../../restore-plan.ts';
import type { DocumentsPart, OfferedCollections } from './cluster-collections.ts';

/** Which collections of a backup are asked for, and under which names. */
export interface CollectionSelection {
  /** Whole databases; `target` is the database's name on the target. */
  databases: readonly { source: string; target: string }[];
  /** Put behind the name of every collection of `databases`. */
  collectionSuffix: string;
  collections: readonly { source: Namespace; target: Namespace }[];
}

/** One collection, view or time series that is to be restored. */
export interface ChosenCollection {
  source: Namespace;
  /** As asked for. */
  target: Namespace;
  /** It comes with its whole database. */
  ofDatabase: boolean;
  kind: CollectionEntry['type'];
  entry: CollectionEntry;
  /** Where its documents are in the backup: the entry itself, or of a time series its buckets. Null of a view. */
  documents: CollectionEntry | null;
  /** Where they are read from: of a sharded cluster's backup one part for each shard that owns some of them. */
  parts: readonly DocumentsPart[];
}

export interface Selected {
  chosen: ChosenCollection[];
  /** Named, and not in the backup. Sources as they were named: a namespace, or a database. */
  /** With the names that there are beside it. */
  missing: { source: string; target: string; beside: string[] }[];
  /** In the backup, and not to be restored by themselves. */
  unsupported: { source: Namespace; target: Namespace; named: boolean }[];
}

/** Those of what is left out that concern the chosen ones; of several shards the one that gives options says it. */
export function leftOutOf(
  chosen: readonly Pick<ChosenCollection, 'source' | 'parts'>[],
  replays: readonly { shardName: string; plan: { leftOut: readonly LeftOut[] } }[],
): LeftOut[] {
  const shards = new Map(chosen.map(({ source, parts }) => [formatNamespace(source), parts[0]?.shardName]));
  return replays.flatMap(({ shardName, plan }) =>
    plan.leftOut.filter(({ namespace }) => shards.get(namespace) === shardName),
  );
}

const BUCKETS = 'system.buckets.';

/** The part of a backup's collections that is asked for. Pure. */
export function selectCollections(from: OfferedCollections, selection: CollectionSelection): Selected {
  const offered = offeredBy(from.collections);
  const selected: Selected = { chosen: [], missing: [], unsupported: [] };
  const databases = [...new Set([...offered.values()].map(({ db }) => db))];
  const beside = ({ db }: Namespace): string[] => {
    const own = [...offered].filter(([, entry]) => entry.db === db).map(([name]) => name);
    return own.length === 0 ? databases : own;
  };
  for (const { source, target } of selection.databases) {
    const entries = [...offered.values()].filter(({ db }) => db === source);
    if (entries.length === 0) selected.missing.push({ source, target, beside: databases });
    for (const entry of entries) {
      const name = { db: target, name: entry.name + selection.collectionSuffix };
      add(selected, { entry, target: name, ofDatabase: true }, from);
    }
  }
  for (const { source, target } of selection.collections) {
    const entry = offered.get(formatNamespace(source));
    if (entry === undefined)
      selected.missing.push({
        source: formatNamespace(source),
        target: formatNamespace(target),
        beside: beside(source),
      });
    else add(selected, { entry, target, ofDatabase: false }, from);
  }
  return selected;
}

/** What a name can mean: views and time series by their own names, not what the server keeps behind them. */
function offeredBy(collections: readonly CollectionEntry[]): Map<string, CollectionEntry> {
  const own = collections.filter(({ name }) => !name.startsWith('system.') || name === 'system.js');
  return new Map(own.map((entry) => [formatNamespace(entry), entry]));
}

function add(
  selected: Selected,
  { entry, target, ofDatabase }: Pick<ChosenCollection, 'entry' | 'target' | 'ofDatabase'>,
  { collections, partsOf }: OfferedCollections,
): void {
  const source = { db: entry.db, name: entry.name };
  if (!isSupported(entry, collections)) {
    selected.unsupported.push({ source, target, named: !ofDatabase });
    return;
  }
  const documents = documentsOf(entry, collections);
  assert((documents === null) === (entry.type === 'view'), 'all but views have documents');
  const parts = documents === null ? [] : partsOf(documents);
  selected.chosen.push({ source, target, ofDatabase, kind: entry.type, entry, documents, parts });
}

function documentsOf(entry: CollectionEntry, collections: readonly CollectionEntry[]): CollectionEntry | null {
  if (entry.type === 'view') return null;
  if (entry.type === 'collection') return entry;
  return collections.find(({ db, name }) => db === entry.db && name === BUCKETS + entry.name) ?? null;
}

/**
 * Collections with Queryable Encryption name their companions in their own options, and these cannot come under other
 * names; Atlas leaves them out as well. Half-made results of `$out` can be created by nobody, and a time series without
 * its buckets is none.
 */
function isSupported(entry: CollectionEntry, collections: readonly CollectionEntry[]): boolean {
  if (entry.name.startsWith('enxcol_.')) return false;
  if (planRestore([entry]).leftOut.length > 0) return false;
  const options = findElement(entry.info, 0, 'options');
  if (options !== null && findElement(entry.info, options.start, 'encryptedFields') !== null) return false;
  return entry.type !== 'timeseries' || documentsOf(entry, collections) !== null;
}
