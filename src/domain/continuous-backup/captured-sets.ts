import { type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import { decodeCaptureMembers, findCapture } from '../../catalog/captures.ts';
import type { CatalogReader } from '../../catalog/catalog.ts';
import type { ClusterRow, SnapshotRow } from '../../catalog/schema.ts';
import { decodeSnapshotMembers, snapshotsOfCluster } from '../../catalog/snapshots.ts';
import { must } from '../../lib/assert.ts';
import type { CaptureCoverage, CaptureEngine } from './capture-engine.ts';
import {
  type CapturedRun,
  commonRuns,
  decidedBy,
  type KnownSnapshot,
  uselessUpTo,
  windowEndMs,
} from './point-in-time.ts';

/** The snapshots of a cluster that a restore can begin with. */
export async function knownSnapshots(reader: CatalogReader, clusterId: string): Promise<KnownSnapshot[]> {
  return (await snapshotsOfCluster(reader, clusterId)).filter(isUsable).map((row) => {
    const ts = timestampOf({
      t: must(row.clusterTimeT, 'a completed snapshot has its T'),
      i: must(row.clusterTimeI, 'a completed snapshot has its T'),
    });
    const finishedAtMs = must(row.finishedAtMs, 'a completed snapshot has its end');
    const took = { startedAtMs: row.startedAtMs ?? row.requestedAtMs, finishedAtMs };
    const decided = row.members === null ? ts : decidedBy(ts, took);
    return { id: row.id, ts, decidedBy: decided, replicaSetNames: replicaSetsOf(row) };
  });
}

function isUsable(row: SnapshotRow): boolean {
  return row.status === 'completed' && row.deletedAtMs === null && row.clusterTimeT !== null;
}

function replicaSetsOf({ members, replicaSetName }: SnapshotRow): string[] {
  if (members !== null) return decodeSnapshotMembers(members).map((member) => member.replicaSetName);
  return replicaSetName === null ? [] : [replicaSetName];
}

/** The replica sets of a cluster of which there may be slices: those that are followed, and those of its snapshots. */
export async function capturedSets(
  reader: CatalogReader,
  cluster: ClusterRow,
  snapshots: readonly KnownSnapshot[],
): Promise<string[]> {
  const capture = await findCapture(reader, cluster.id);
  const followed = decodeCaptureMembers(capture?.members ?? null).map((member) => member.replicaSetName);
  const own = cluster.replicaSetName === null ? [] : [cluster.replicaSetName];
  return [...new Set([...followed, ...own, ...snapshots.flatMap((one) => one.replicaSetNames)])];
}

/** Slices that end at or before it are of no use to anybody; null where nothing may go. */
export async function uselessSlices(
  reader: CatalogReader,
  clusterId: string,
  snapshots: readonly KnownSnapshot[],
  window: { nowMs: number; restoreWindowDays: number },
): Promise<Timestamp64 | null> {
  const capturedT = (await findCapture(reader, clusterId))?.capturedT ?? null;
  return uselessUpTo(snapshots, { ...window, nowMs: windowEndMs({ capturedT, snapshots }, window.nowMs) });
}

/** What the repository has of each of these replica sets, by name. */
export async function readCoverages(
  engine: Pick<CaptureEngine, 'coverage'>,
  clusterId: string,
  replicaSetNames: readonly string[],
): Promise<ReadonlyMap<string, CaptureCoverage>> {
  const found = new Map<string, CaptureCoverage>();
  for (const replicaSetName of replicaSetNames)
    found.set(replicaSetName, await engine.coverage({ clusterId, replicaSetName }));
  return found;
}

/** The runs that count for a snapshot: those that all of its replica sets have. */
export function runsFor(
  coverages: ReadonlyMap<string, CaptureCoverage>,
): (snapshot: KnownSnapshot) => readonly CapturedRun[] {
  return ({ replicaSetNames }) => commonRuns(replicaSetNames.map((name) => coverages.get(name)?.runs ?? []));
}
