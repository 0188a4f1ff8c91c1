import { type Timestamp64, timestampOf, timestampParts } from '../../bson/timestamp.ts';
import { findCapture } from '../../catalog/captures.ts';
import type { CatalogReader } from '../../catalog/catalog.ts';
import type { CaptureRow, ClusterRow, SnapshotRow } from '../../catalog/schema.ts';
import { decodeSnapshotReplicaSets, snapshotsOfCluster } from '../../catalog/snapshots.ts';
import type { CapturedReplicaSet } from '../../engine/tail/tail-cluster.ts';
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

/** As the catalog keeps it, in the column `members`: JSON has no 64-bit times. */
type StoredReplicaSet = Omit<CapturedReplicaSet, 'captured'> & CapturedUpTo;

interface CapturedUpTo {
  capturedT: number | null;
  capturedI: number | null;
}

export function encodeCapturedReplicaSets(replicaSets: readonly CapturedReplicaSet[]): string {
  const stored: StoredReplicaSet[] = replicaSets.map(({ captured, ...replicaSet }) => {
    const { t, i } = captured === null ? { t: null, i: null } : timestampParts(captured);
    return { ...replicaSet, capturedT: t, capturedI: i };
  });
  return JSON.stringify(stored);
}

/** Shards by name, the config servers last; none of a replica set. */
export function decodeCapturedReplicaSets(capture: CaptureRow | undefined): CapturedReplicaSet[] {
  const stored = JSON.parse(capture?.members ?? '[]') as StoredReplicaSet[];
  return stored.map(({ capturedT, capturedI, ...replicaSet }) => {
    return { ...replicaSet, captured: capturedUpTo({ capturedT, capturedI }) };
  });
}

export function capturedUpTo({ capturedT: t, capturedI: i }: CapturedUpTo): Timestamp64 | null {
  return t === null || i === null ? null : timestampOf({ t, i });
}

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
  if (members !== null) return decodeSnapshotReplicaSets(members).map((one) => one.replicaSetName);
  return replicaSetName === null ? [] : [replicaSetName];
}

/** The replica sets of a cluster of which there may be slices: those that are followed, and those of its snapshots. */
export async function capturedReplicaSets(
  reader: CatalogReader,
  cluster: ClusterRow,
  snapshots: readonly KnownSnapshot[],
): Promise<string[]> {
  const capture = await findCapture(reader, cluster.id);
  const followed = decodeCapturedReplicaSets(capture).map((one) => one.replicaSetName);
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
