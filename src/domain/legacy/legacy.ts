import type { CatalogReader } from '../../catalog/catalog.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { findLegacySchedule, writeLegacySchedule } from '../../catalog/legacy-schedules.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import type {
  Legacy,
  LegacyRestoreRequest,
  LegacySchedule,
  LegacyScheduleSettings,
  RestoreJobs,
  RestoreRequest,
} from '../domain.ts';
import { requireCluster } from '../find-resource.ts';
import { refuse } from '../refusals.ts';
import { queueCatalogCopy } from '../repositories/catalog-copy-task.ts';

/** What a cluster of old began with. */
const scheduleAtFirst: LegacyScheduleSettings = {
  snapshotIntervalHours: 6,
  snapshotRetentionDays: 2,
  dailySnapshotRetentionDays: 7,
  weeklySnapshotRetentionWeeks: 4,
  monthlySnapshotRetentionMonths: 12,
  pointInTimeWindowHours: 24,
};

export function createLegacy(context: DomainContext, restoreJobs: Pick<RestoreJobs, 'create'>): Legacy {
  const { catalog, clock } = context;
  return {
    schedule: async (name) => {
      const cluster = await requireCluster(catalog.reader, name);
      return scheduleOf(cluster, await settingsOf(catalog.reader, cluster.id));
    },

    updateSchedule: async ({ changes, clusterCheckpointIntervalMin, ...name }) => {
      const changed = await catalog.transact(async (writer) => {
        const cluster = await requireCluster(writer, name);
        if (clusterCheckpointIntervalMin !== undefined)
          throw refuse('CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET', [cluster.name]);
        const settings = { ...(await settingsOf(writer, cluster.id)), ...changes };
        await writeLegacySchedule(writer, { ...settings, clusterId: cluster.id, updatedAtMs: clock.nowMs() });
        await queueCatalogCopy(writer, context);
        return scheduleOf(cluster, settings);
      });
      context.wakeWorker();
      return changed;
    },

    restore: async (request) => {
      const { projectId, clusterName } = request;
      const cluster = await requireCluster(catalog.reader, { projectId, clusterName });
      const source = sourceOf(request, cluster);
      if (request.methodName === 'HTTP') {
        if (source.deliveryType !== 'automated') throw refuse('CANNOT_DOWNLOAD_POINT_IN_TIME');
        return await restoreJobs.create({ projectId, clusterName, ...source, deliveryType: 'download' });
      }
      if (request.methodName !== 'AUTOMATED_RESTORE') throw refuse('UNSUPPORTED_DELIVERY_METHOD', [request.methodName]);
      const target = await targetOf(catalog.reader, request);
      return await restoreJobs.create({ projectId, clusterName, ...source, ...target });
    },
  };
}

async function settingsOf(reader: CatalogReader, clusterId: string): Promise<LegacyScheduleSettings> {
  const row = await findLegacySchedule(reader, clusterId);
  if (row === undefined) return scheduleAtFirst;
  const { clusterId: _cluster, updatedAtMs: _updated, ...settings } = row;
  return settings;
}

function scheduleOf(cluster: ClusterRow, settings: LegacyScheduleSettings): LegacySchedule {
  return { ...settings, clusterId: cluster.id, projectId: cluster.projectId, clusterName: cluster.name };
}

type Source = Pick<RestoreRequest, 'deliveryType' | 'snapshotId' | 'pointInTimeUtcSeconds' | 'oplogTs' | 'oplogInc'>;

/** The one thing that the request names, as the restore jobs of today name it. */
function sourceOf(request: LegacyRestoreRequest, cluster: ClusterRow): Source {
  const { snapshotId, checkpointId, oplogTs, oplogInc, pointInTimeUtcMillis } = request;
  const oplog = oplogTs ?? oplogInc;
  const named = [snapshotId, checkpointId, oplog, pointInTimeUtcMillis].filter((part) => part !== undefined);
  if (named.length > 1)
    throw refuse('VALIDATION_ERROR', [
      'snapshotId, checkpointId, oplogTs with oplogInc and pointInTimeUTCMillis exclude each other',
    ]);
  if (checkpointId !== undefined) throw refuse('CHECKPOINT_RESTORE_UNSUPPORTED_FOR_REPLICA_SETS', [cluster.name]);
  if (snapshotId !== undefined) return { deliveryType: 'automated', snapshotId };
  if (pointInTimeUtcMillis !== undefined)
    return { deliveryType: 'pointInTime', pointInTimeUtcSeconds: wholeSeconds(pointInTimeUtcMillis) };
  if (oplog === undefined) throw refuse('MISSING_ATTRIBUTE', ['snapshotId']);
  if (oplogTs === undefined) throw refuse('MISSING_ATTRIBUTE', ['oplogTs']);
  if (oplogInc === undefined) throw refuse('MISSING_ATTRIBUTE', ['oplogInc']);
  return { deliveryType: 'pointInTime', oplogTs: wholeSeconds(Date.parse(oplogTs)), oplogInc };
}

/** An oplog has no finer time than a second. */
function wholeSeconds(ms: number): number {
  if (!Number.isInteger(ms / 1000)) throw refuse('FRACTIONAL_TIMESTAMP', [String(ms)]);
  return ms / 1000;
}

/** By name, or by the id of a cluster in the project that is named with it. */
async function targetOf(
  reader: CatalogReader,
  { targetProjectId, targetClusterName, targetClusterId }: LegacyRestoreRequest,
): Promise<{ targetProjectId?: string; targetClusterName?: string }> {
  const project = targetProjectId === undefined ? {} : { targetProjectId };
  if (targetClusterName !== undefined) return { ...project, targetClusterName };
  if (targetClusterId === undefined) return project;
  const cluster = await findCluster(reader, targetClusterId);
  if (cluster === undefined || cluster.projectId !== targetProjectId)
    throw refuse('CLUSTER_NOT_FOUND', [targetClusterId, targetProjectId ?? '']);
  return { ...project, targetClusterName: cluster.name };
}
