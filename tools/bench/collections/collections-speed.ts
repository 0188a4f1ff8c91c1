import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../../src/lib/clock.ts';
import { createIdSource } from '../../../src/lib/ids.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import {
  decodeRepositoryJson,
  encodeRepositoryJson,
  REPOSITORY_JSON,
  REPOSITORY_JSON_COPY,
} from '../../../src/repository/format/repository-json.ts';
import { createRepository } from '../../../src/repository/repository.ts';
import { DirectoryStore } from '../../../src/storage/directory.ts';
import { type ReplicaSet, withReplicaSet } from '../../../test/support/replica-set.ts';
import { type Measured, measure } from '../measured-work.ts';
import { type Build, inTurn, thisBuild } from '../other-build.ts';
import { DOCUMENTS_OF_ONE, requireFileLimit } from './small-collections.ts';

/** The better of so many is kept, turn about, so that what else the machine does falls on all. */
const TRIES = 2;
const CACHE_GB = 1;

const ids = createIdSource(systemClock, systemRandom);

/** Of one build. Times in milliseconds, sizes in bytes. */
export interface CollectionsOfBuild {
  /** First snapshot of everything. */
  firstMs: number;
  /** Written by it, of every kind. */
  objects: number;
  /** The next one, with nothing changed. */
  idleMs: number;
  /** Written by that: the manifest and all. */
  idleBytes: number;
  /** Into an empty replica set, every blob verified before, as it is by default. */
  restoreMs: number;
}

export interface CollectionsFigures {
  collections: CollectionsOfBuild & {
    count: number;
    /** A bare client that makes the same collections, indexes and documents. */
    restoreFloorMs: number;
  };
  /** The same of the other build, where there is one. */
  against?: CollectionsOfBuild & { build: string };
}

export async function measureCollections(
  directory: string,
  { count, builds }: { count: number; builds: readonly Build[] },
  say: (text: string) => void,
): Promise<CollectionsFigures> {
  await requireFileLimit(count);
  const figures = new Map(builds.map((build) => [build, nothingYet()]));
  say(`making ${count} collections`);
  let kept: readonly Taken[] = [];
  await withReplicaSet({ name: 'source', cacheGb: CACHE_GB }, async (source) => {
    await measure({ kind: 'smallCollections', uri: source.uri, count });
    for (let round = 0; round < TRIES; round++) {
      const turn = inTurn(builds, round);
      for (const { repository } of kept) await rm(repository, { recursive: true });
      say(`snapshots, ${round + 1} of ${TRIES}`);
      kept = await takeInTurn(directory, source, turn, figures);
    }
  });
  let restoreFloorMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < TRIES; round++) {
    say(`bare client, ${round + 1} of ${TRIES}`);
    const floor = await onEmptySet((uri) => measure({ kind: 'smallCollections', uri, count }));
    restoreFloorMs = Math.min(restoreFloorMs, floor.ms);
    for (const { build, ...taken } of inTurn(kept, round)) {
      say(`restore, ${round + 1} of ${TRIES}: ${build.name}`);
      const restored = await onEmptySet((uri) => measure({ kind: 'restore', uri, ...taken, skipVerify: false }, build));
      if (restored.documents !== count * DOCUMENTS_OF_ONE)
        throw new Error(`${build.name} restored ${restored.documents} of ${count * DOCUMENTS_OF_ONE} documents`);
      better(figures.get(build), { restoreMs: restored.ms });
    }
  }
  const [own, other] = builds.map((build) => ({ build, figures: figures.get(build) ?? nothingYet() }));
  return {
    collections: { count, ...(own?.figures ?? nothingYet()), restoreFloorMs },
    ...(other === undefined ? {} : { against: { build: other.build.name, ...other.figures } }),
  };
}

/** A snapshot to be restored. */
interface Taken {
  build: Build;
  repository: string;
  clusterId: string;
  snapshotId: string;
}

async function takeInTurn(
  directory: string,
  source: ReplicaSet,
  turn: readonly Build[],
  figures: ReadonlyMap<Build, CollectionsOfBuild>,
): Promise<Taken[]> {
  const taken: Taken[] = [];
  for (const build of turn) {
    const repository = await mkdtemp(join(directory, 'repository-'));
    await newRepository(repository, build);
    const before = await sizeOf(repository);
    const first = { build, repository, clusterId: ids.next(), snapshotId: ids.next() };
    const { ms } = await snapshot(source, first, null);
    better(figures.get(build), { firstMs: ms, objects: (await sizeOf(repository)).objects - before.objects });
    taken.push(first);
  }
  for (const first of taken) {
    const before = await sizeOf(first.repository);
    const { ms } = await snapshot(source, { ...first, snapshotId: ids.next() }, first.snapshotId);
    better(figures.get(first.build), { idleMs: ms, idleBytes: (await sizeOf(first.repository)).bytes - before.bytes });
  }
  return taken;
}

async function newRepository(path: string, build: Build): Promise<void> {
  await mkdir(path, { recursive: true });
  const store = await DirectoryStore.open(path);
  const { description } = await createRepository({ store, clock: systemClock, random: systemRandom }, {});
  if (build.root === thisBuild.root) return;
  // An older build opens no repository of a newer version; a newer one makes its own of this.
  const first = encodeRepositoryJson({ ...decodeRepositoryJson(description, REPOSITORY_JSON), version: 1 });
  for (const objectKey of [REPOSITORY_JSON, REPOSITORY_JSON_COPY]) await store.put(objectKey, first);
}

async function snapshot(
  source: ReplicaSet,
  { build, repository, clusterId, snapshotId }: Taken,
  parentSnapshotId: string | null,
): Promise<Measured> {
  await source.client.db('admin').command({ fsync: 1 });
  const work = { kind: 'snapshot', uri: source.uri, repository, clusterId, snapshotId, parentSnapshotId } as const;
  return await measure(work, build);
}

async function onEmptySet<T>(work: (uri: string) => Promise<T>): Promise<T> {
  return await withReplicaSet({ name: 'target', cacheGb: CACHE_GB }, async ({ uri }) => await work(uri));
}

function nothingYet(): CollectionsOfBuild {
  const never = Number.POSITIVE_INFINITY;
  return { firstMs: never, objects: never, idleMs: never, idleBytes: never, restoreMs: never };
}

function better(figures: CollectionsOfBuild | undefined, found: Partial<CollectionsOfBuild>): void {
  if (figures === undefined) throw new Error('each build has figures');
  for (const [name, value] of Object.entries(found) as [keyof CollectionsOfBuild, number][])
    figures[name] = Math.min(figures[name], value);
}

/** Of the files below a directory. */
async function sizeOf(directory: string): Promise<{ objects: number; bytes: number }> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  let bytes = 0;
  for (const { parentPath, name } of files) bytes += (await stat(join(parentPath, name))).size;
  return { objects: files.length, bytes };
}
