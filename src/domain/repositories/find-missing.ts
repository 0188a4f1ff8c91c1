import { formatTimestamp } from '../../bson/timestamp.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { Damage } from '../../lib/errors.ts';
import { listManifests } from '../../repository/manifests.ts';
import type { SnapshotPlace } from '../../repository/object-keys.ts';
import type { Repository } from '../../repository/repository.ts';
import { readCoverage, readSlice } from '../../repository/slices.ts';
import type { ExpectedContent } from './expected-content.ts';

/** Something that should be in the repository, or in a copy store, and is not. */
export interface Missing {
  kind: 'manifest' | 'copy' | 'oplog' | 'catalogCopy';
  message: string;
  snapshotIds: string[];
}

interface Places {
  repository: Repository;
  copyRepositories: ReadonlyMap<string, Repository>;
  /** Also read, decrypt and decompress every slice of the captured oplog. */
  readData?: boolean;
  signal?: AbortSignal | undefined;
}

/** More than a person reads; a lost disk would name thousands. */
const SPOILED_SLICES_MAX = 20;

/** What is missing, in words; and what could not be looked for. */
export async function findMissing(
  places: Places,
  expected: ExpectedContent,
): Promise<{ missing: Missing[]; notLookedFor: string[] }> {
  const { repository, copyRepositories, readData, signal } = places;
  const missing: Missing[] = [];
  const lost = await absent(repository, expected.snapshots, signal);
  if (lost.length > 0) {
    const message = `${counted(lost.length, 'snapshot')} that ${expected.toldBy} lists ${lost.length === 1 ? 'has' : 'have'} no manifest`;
    missing.push({ kind: 'manifest', message, snapshotIds: lost });
  }
  const notLookedFor: string[] = [];
  for (const regionName of new Set(expected.copies.map((copy) => copy.regionName))) {
    const copies = expected.copies.filter((copy) => copy.regionName === regionName);
    const copyRepository = copyRepositories.get(regionName);
    if (copyRepository === undefined) {
      notLookedFor.push(
        `${counted(copies.length, 'copy', 'copies')} in ${regionName}: name the copy store in TIDEMARK_COPY_STORES`,
      );
      continue;
    }
    const gone = await absent(copyRepository, copies, signal);
    if (gone.length === 0) continue;
    const message = `${counted(gone.length, 'copy', 'copies')} in ${regionName} that ${expected.toldBy} lists ${gone.length === 1 ? 'has' : 'have'} no manifest in ${copyRepository.store.description}`;
    missing.push({ kind: 'copy', message, snapshotIds: gone });
  }
  for (const captured of expected.captured) {
    throwIfAborted(signal);
    missing.push(...(await missingOplog(repository, captured, expected.toldBy, signal)));
    if (readData === true) missing.push(...(await spoiledSlices(repository, captured, signal)));
  }
  return { missing, notLookedFor };
}

async function absent(
  repository: Repository,
  places: readonly SnapshotPlace[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const there = new Set<string>();
  for await (const { snapshotId } of listManifests(repository, { signal })) there.add(snapshotId);
  return places.map(({ snapshotId }) => snapshotId).filter((snapshotId) => !there.has(snapshotId));
}

/** Holes between slices that no gap explains, and an end before that of which the catalog knows. */
async function missingOplog(
  repository: Repository,
  captured: ExpectedContent['captured'][number],
  toldBy: string,
  signal: AbortSignal | undefined,
): Promise<Missing[]> {
  const { clusterId, clusterName, replicaSetName, upTo } = captured;
  const { runs, gaps } = await readCoverage(repository, { clusterId, replicaSetName }, { signal });
  const of = `captured oplog of ${clusterName} (${replicaSetName})`;
  const found: string[] = [];
  for (const [index, run] of runs.entries()) {
    const next = runs[index + 1];
    if (next === undefined || gaps.some(({ from }) => from >= run.last && from <= next.first)) continue;
    found.push(`${of} is missing from ${formatTimestamp(run.last)} to ${formatTimestamp(next.first)}`);
  }
  const last = runs.at(-1)?.last;
  if (last === undefined)
    found.push(`${of} is not there at all; ${toldBy} says that it reaches ${formatTimestamp(upTo)}`);
  else if (last < upTo)
    found.push(`${of} ends at ${formatTimestamp(last)}; ${toldBy} says that it reaches ${formatTimestamp(upTo)}`);
  return found.map((message) => ({ kind: 'oplog', message, snapshotIds: [] }));
}

/** Slices that are there and are not what was written: a point behind such a one cannot be reached. */
async function spoiledSlices(
  repository: Repository,
  { clusterId, clusterName, replicaSetName }: ExpectedContent['captured'][number],
  signal: AbortSignal | undefined,
): Promise<Missing[]> {
  const source = { clusterId, replicaSetName };
  const found: Missing[] = [];
  for (const { slices } of (await readCoverage(repository, source, { signal })).runs) {
    for (const span of slices) {
      if (found.length >= SPOILED_SLICES_MAX) return found;
      try {
        await readSlice(repository, source, span, { signal });
      } catch (error) {
        if (!(error instanceof Damage)) throw error;
        const message = `captured oplog of ${clusterName} (${replicaSetName}) is spoiled: ${error.message}`;
        found.push({ kind: 'oplog', message, snapshotIds: [] });
      }
    }
  }
  return found;
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
