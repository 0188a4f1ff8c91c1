import { parseNamespace } from '../../src/bson/namespace.ts';
import type { CollectionSelection } from '../../src/engine/collections/backup/select-collections.ts';
import {
  type RestoreCollectionsOptions,
  type RestoredCollections,
  restoreCollections,
} from '../../src/engine/collections/restore-collections.ts';
import type { TakenSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Manifest } from '../../src/repository/format/manifest.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import { MemoryJournal } from './memory-journal.ts';
import type { SnapshotRig } from './snapshot-rig.ts';
import type { Truth } from './truth.ts';

/** What is asked for, from names to names. */
export interface Wanted {
  databases?: Record<string, string>;
  collections?: Record<string, string>;
  collectionSuffix?: string;
}

export interface CollectionRun extends Partial<Omit<RestoreCollectionsOptions, 'journal' | 'selection'>> {
  journal?: MemoryJournal;
  /** The snapshot as another server might have held it. */
  alter?: (manifest: Manifest) => Manifest;
}

export async function restoreChosen(
  rig: Pick<SnapshotRig, 'repository' | 'clusterId'>,
  taken: TakenSnapshot,
  wanted: Wanted,
  run: CollectionRun & { uri: string },
): Promise<{ journal: MemoryJournal; result: RestoredCollections }> {
  const journal = run.journal ?? new MemoryJournal();
  const { alter = (manifest: Manifest) => manifest, ...options } = run;
  const result = await restoreCollections(
    {
      repository: rig.repository,
      clusterId: rig.clusterId,
      snapshotId: taken.header.snapshotId,
      selection: selectionOf(wanted),
      writeStrategy: 'createNew',
      indexStrategy: 'all',
      restoreId: 'aaaaaaaaaaaaaaaaaaaaaaaa',
      attempt: 1,
      goesOn: async () => false,
      clock: systemClock,
      log: silentLogger,
      signal: new AbortController().signal,
      report: () => undefined,
      ...options,
      journal,
    },
    alter(await readManifest(run.repository ?? rig.repository, taken.header)),
  );
  return { journal, result };
}

function selectionOf({ databases = {}, collections = {}, collectionSuffix = '' }: Wanted): CollectionSelection {
  const named = Object.entries(collections);
  return {
    databases: Object.entries(databases).map(([source, target]) => ({ source, target })),
    collectionSuffix,
    collections: named.map(([source, target]) => ({ source: parseNamespace(source), target: parseNamespace(target) })),
  };
}

/** The truth with only these namespaces, under new names: `from` to `to`. */
export function renamed(truth: Truth, names: Readonly<Record<string, string>>): Truth {
  const picked: Truth = { collections: new Map(), unreadable: new Map() };
  for (const [from, to] of Object.entries(names)) {
    const collection = must(truth.collections.get(from), `${from} is there`);
    picked.collections.set(to, { ...collection, ...parseNamespace(to) });
  }
  return picked;
}

/** The one with what only the other has. */
export function besides(other: Truth, truth: Truth): Truth {
  return { collections: new Map([...other.collections, ...truth.collections]), unreadable: new Map() };
}
