import { formatTimestamp, type Timestamp64 } from '../../bson/timestamp.ts';
import type { DomainContext } from '../context.ts';
import { awaitCaptured } from '../continuous-backup/await-captured.ts';
import type { CaptureEngine } from '../continuous-backup/capture-engine.ts';
import {
  capturedReplicaSets,
  knownSnapshots,
  readCoverages,
  runsFor,
} from '../continuous-backup/captured-replica-sets.ts';
import { baseFor, type KnownSnapshot, type Point, restorableRanges } from '../continuous-backup/point-in-time.ts';
import { requireCluster } from '../find-resource.ts';
import type { ClusterName } from '../names.ts';
import { refuse } from '../refusals/refusals.ts';

/** The snapshot that a point is reached from, of all or the one named; or the refusal, before anything is touched. */
export async function baseSnapshot(
  context: Pick<DomainContext, 'catalog' | 'clock'>,
  capture: Pick<CaptureEngine, 'coverage'>,
  name: ClusterName,
  { point, snapshotId }: { point: Point; snapshotId: string | null },
): Promise<string> {
  const { catalog } = context;
  const cluster = await requireCluster(catalog.reader, name);
  const known = await knownSnapshots(catalog.reader, cluster.id);
  const usable = snapshotId === null ? known : known.filter(({ id }) => id === snapshotId);
  if (snapshotId !== null && usable.length === 0)
    throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, cluster.name, cluster.projectId]);
  const sets = await capturedReplicaSets(catalog.reader, cluster, known);
  const look = async () => runsFor(await readCoverages(capture, cluster.id, sets));
  let runs = await look();
  let base = baseFor(point, runs, usable);
  if (base !== null) return base.id;
  const at = formatTimestamp(point.ts);
  if (!usable.some(({ ts }) => ts <= point.ts))
    throw refuse('UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME', [cluster.name, at]);
  // The last seconds are read already, as a rule, and wait for their slice to be full or old enough.
  const behind = await awaitCaptured(context, cluster, neededUpTo(point, usable));
  runs = await look();
  base = baseFor(point, runs, usable);
  if (base !== null) return base.id;
  const ranges = restorableRanges(runs, known).map(
    ({ from, to }) => `${formatTimestamp(from)} to ${formatTimestamp(to)}`,
  );
  const where = ranges.length === 0 ? 'nothing of the cluster is' : `restorable is ${ranges.join(', ')}`;
  const why = behind === null ? '' : `; ${behind}`;
  throw refuse('INVALID_PIT_RESTORE_TIME', [`the captured oplog does not lead to ${at}; ${where}${why}`]);
}

/** How far the oplog has to be captured: to the point, and so far that the newest snapshot before it is usable. */
function neededUpTo(point: Point, snapshots: readonly KnownSnapshot[]): Timestamp64 {
  const before = snapshots.filter(({ ts }) => ts <= point.ts).toSorted((a, b) => (a.ts < b.ts ? -1 : 1));
  const decidedBy = before.at(-1)?.decidedBy ?? 0n;
  return decidedBy > point.ts ? decidedBy : point.ts;
}
