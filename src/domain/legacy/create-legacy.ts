import { isDeepStrictEqual } from 'node:util';
import type { CatalogReader } from '../../catalog/catalog.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { findLegacySchedule, writeLegacySchedule } from '../../catalog/legacy-schedules.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { checkpointIntervalOf, setCheckpointInterval } from '../checkpoints/checkpoint-interval.ts';
import { pointOfCheckpoint } from '../checkpoints/restore-checkpoint.ts';
import type { DomainContext } from '../context.ts';
import { requireCluster } from '../find-resource.ts';
import type { PolicyItem } from '../policies/schedule-rules.ts';
import { findStoredSchedule, type StoredSchedule, scheduleOf } from '../policies/stored-schedule.ts';
import { refuse } from '../refusals/refusals.ts';
import type { RestoreJobs, RestoreRequest } from '../restores/restore-jobs.ts';
import { patchSchedule, requireBackedUp } from '../schedules/create-schedules.ts';
import type { Legacy, LegacyRestoreRequest, LegacySchedule, LegacyScheduleSettings } from './legacy.ts';
import {
  changedItems,
  itemsOfLegacy,
  legacyScheduleAtFirst,
  legacyView,
  NEW_ITEM,
  restoreWindowDaysOf,
} from './legacy-schedule.ts';

export function createLegacy(context: DomainContext, restoreJobs: Pick<RestoreJobs, 'create'>): Legacy {
  const { catalog, clock } = context;
  return {
    schedule: async (name) => {
      const cluster = await requireCluster(catalog.reader, name);
      if (cluster.backupEnabled === 0) throw refuse('BACKUP_CONFIG_NOT_FOUND', [name.clusterName, name.projectId]);
      const stored =
        (await findStoredSchedule(catalog.reader, cluster.id)) ??
        (await catalog.transact(async (writer) => await scheduleOf(writer, context, cluster)));
      const settings = await settingsOf(catalog.reader, cluster.id, termsOf(stored));
      if (settings === null) throw refuse('BACKUP_CONFIG_NOT_FOUND', [name.clusterName, name.projectId]);
      return await shown(catalog.reader, cluster, settings);
    },

    updateSchedule: async ({ changes, clusterCheckpointIntervalMin, ...name }) => {
      return await catalog.transact(async (writer) => {
        const cluster = await requireBackedUp(writer, name);
        if (clusterCheckpointIntervalMin !== undefined)
          await setCheckpointInterval(writer, context, cluster, clusterCheckpointIntervalMin);
        const { items, restoreWindowDays } = termsOf(await scheduleOf(writer, context, cluster));
        const before = await settingsOf(writer, cluster.id, { items, restoreWindowDays });
        const settings = { ...(before ?? legacyScheduleAtFirst), ...changes };
        const asked = before === null ? settings : differing(before, settings);
        // A client that sends back what it read changes nothing, and so does not lower what legacy words cannot say.
        if (Object.keys(asked).length === 0) return await shown(writer, cluster, settings);
        await patchSchedule(writer, context, {
          cluster,
          regions: [],
          patch: {
            policies: [{ policyItems: changedItems(items, { settings, asked }).map(requested) }],
            ...(asked.pointInTimeWindowHours === undefined ? {} : { restoreWindowDays: restoreWindowDaysOf(settings) }),
          },
        });
        await writeLegacySchedule(writer, { ...settings, clusterId: cluster.id, updatedAtMs: clock.nowMs() });
        return await shown(writer, cluster, settings);
      });
    },

    restore: async (request) => {
      const { projectId, clusterName } = request;
      const cluster = await requireCluster(catalog.reader, { projectId, clusterName });
      const source = await sourceOf(catalog.reader, request, cluster);
      if (request.methodName === 'HTTP') {
        return await restoreJobs.create({ projectId, clusterName, ...source, deliveryType: 'download' });
      }
      if (request.methodName !== 'AUTOMATED_RESTORE') throw refuse('UNSUPPORTED_DELIVERY_METHOD', [request.methodName]);
      const target = await targetOf(catalog.reader, request);
      return await restoreJobs.create({ projectId, clusterName, ...source, ...target });
    },
  };
}

interface Terms {
  items: readonly PolicyItem[];
  restoreWindowDays: number;
}

function termsOf({ row, items }: StoredSchedule): Terms {
  return { items, restoreWindowDays: row.restoreWindowDays };
}

/**
 * As they were set last, while the schedule still looks as they say; once it was changed since, as it looks now. Null
 * where it has no items.
 */
async function settingsOf(
  reader: CatalogReader,
  clusterId: string,
  terms: Terms,
): Promise<LegacyScheduleSettings | null> {
  const view = legacyView(terms);
  const row = await findLegacySchedule(reader, clusterId);
  if (view === null || row === undefined) return view;
  const { clusterId: _cluster, updatedAtMs: _updated, ...settings } = row;
  const meant = { items: itemsOfLegacy(settings), restoreWindowDays: restoreWindowDaysOf(settings) };
  return isDeepStrictEqual(legacyView(meant), view) ? settings : view;
}

function differing(before: LegacyScheduleSettings, after: LegacyScheduleSettings): Partial<LegacyScheduleSettings> {
  const names = Object.keys(after) as (keyof LegacyScheduleSettings)[];
  return Object.fromEntries(names.filter((name) => before[name] !== after[name]).map((name) => [name, after[name]]));
}

/** As a request names items: new ones get their id from the schedule. */
function requested({ id, ...item }: PolicyItem) {
  return id === NEW_ITEM ? item : { id, ...item };
}

async function shown(
  reader: CatalogReader,
  cluster: ClusterRow,
  settings: LegacyScheduleSettings,
): Promise<LegacySchedule> {
  return {
    ...settings,
    clusterCheckpointIntervalMin: await checkpointIntervalOf(reader, cluster.id),
    clusterId: cluster.id,
    projectId: cluster.projectId,
    clusterName: cluster.name,
  };
}

type Source = Pick<RestoreRequest, 'deliveryType' | 'snapshotId' | 'pointInTimeUtcSeconds' | 'oplogTs' | 'oplogInc'>;

/** The one thing that the request names, as the restore jobs of today name it. */
async function sourceOf(reader: CatalogReader, request: LegacyRestoreRequest, cluster: ClusterRow): Promise<Source> {
  const { snapshotId, checkpointId, oplogTs, oplogInc, pointInTimeUtcMillis } = request;
  const oplog = oplogTs ?? oplogInc;
  const named = [snapshotId, checkpointId, oplog, pointInTimeUtcMillis].filter((part) => part !== undefined);
  if (named.length > 1)
    throw refuse('VALIDATION_ERROR', [
      'snapshotId, checkpointId, oplogTs with oplogInc and pointInTimeUTCMillis exclude each other',
    ]);
  if (checkpointId !== undefined) return await pointOfCheckpoint(reader, cluster, checkpointId);
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
