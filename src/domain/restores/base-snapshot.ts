import { formatTimestamp } from '../../bson/timestamp.ts';
import type { DomainContext } from '../context.ts';
import type { CaptureEngine } from '../continuous-backup/capture-engine.ts';
import {
  capturedReplicaSets,
  knownSnapshots,
  readCoverages,
  runsFor,
} from '../continuous-backup/captured-replica-sets.ts';
import { baseFor, type Point, restorableRanges } from '../continuous-backup/point-in-time.ts';
import { requireCluster } from '../find-resource.ts';
import type { ClusterName } from '../names.ts';
import { refuse } from '../refusals/refusals.ts';

/** The snapshot that a point is reached from, of all or the one named; or the refusal, before anything is touched. */
export async function baseSnapshot(
  { catalog }: Pick<DomainContext, 'catalog'>,
  capture: Pick<CaptureEngine, 'coverage'>,
  name: ClusterName,
  { point, snapshotId }: { point: Point; snapshotId: string | null },
): Promise<string> {
  const cluster = await requireCluster(catalog.reader, name);
  const known = await knownSnapshots(catalog.reader, cluster.id);
  const usable = snapshotId === null ? known : known.filter(({ id }) => id === snapshotId);
  if (snapshotId !== null && usable.length === 0)
    throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, cluster.name, cluster.projectId]);
  const sets = await capturedReplicaSets(catalog.reader, cluster, known);
  const runs = runsFor(await readCoverages(capture, cluster.id, sets));
  const base = baseFor(point, runs, usable);
  if (base !== null) return base.id;
  const at = formatTimestamp(point.ts);
  if (!usable.some(({ ts }) => ts <= point.ts))
    throw refuse('UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME', [cluster.name, at]);
  const ranges = restorableRanges(runs, known).map(
    ({ from, to }) => `${formatTimestamp(from)} to ${formatTimestamp(to)}`,
  );
  const where = ranges.length === 0 ? 'nothing of the cluster is' : `restorable is ${ranges.join(', ')}`;
  throw refuse('INVALID_PIT_RESTORE_TIME', [`the captured oplog does not lead to ${at}; ${where}`]);
}
