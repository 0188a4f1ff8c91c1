import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { replacePolicyItems, updateSchedule } from '../../catalog/schedules.ts';
import type { DomainContext } from '../context.ts';
import { type ConnectedCluster, requireConnectedCluster } from '../find-resource.ts';
import type { ClusterName } from '../names.ts';
import { requireScheduleKept } from '../policies/enforcement.ts';
import type { SchedulePatch } from '../policies/schedule.ts';
import { findStoredSchedule, type StoredSchedule, scheduleOf, scheduleView } from '../policies/stored-schedule.ts';
import { refuse } from '../refusals/refusals.ts';
import { changeSchedule } from './change-schedule.ts';
import type { Schedules } from './schedules.ts';
import { serveDue } from './serve-due.ts';

/** `regions` are the names of the copy stores that copy settings can name. */
export function createSchedules(context: DomainContext, regions: readonly string[]): Schedules {
  const { catalog, clock } = context;
  return {
    get: async (name) => {
      const cluster = await requireBackedUp(catalog.reader, name);
      const stored =
        (await findStoredSchedule(catalog.reader, cluster.id)) ??
        (await catalog.transact(async (writer) => await scheduleOf(writer, context, cluster)));
      return scheduleView(cluster, stored, clock.nowMs());
    },

    update: async ({ patch, ...name }) => {
      return await catalog.transact(async (writer) => {
        const cluster = await requireBackedUp(writer, name);
        const changed = await patchSchedule(writer, context, { cluster, patch, regions });
        return scheduleView(cluster, changed, clock.nowMs());
      });
    },

    delete: async (name) => {
      return await catalog.transact(async (writer) => {
        const cluster = await requireBackedUp(writer, name);
        await serveDue(writer, context, cluster, await scheduleOf(writer, context, cluster));
        const stored = await scheduleOf(writer, context, cluster);
        if (stored.items.length > 0) await requireScheduleKept(writer, cluster.projectId);
        await replacePolicyItems(writer, cluster.id, []);
        // A schedule that is gone exports nothing, and keeps no bucket from being deleted.
        const exporting = { autoExportEnabled: 0, exportBucketId: null, exportFrequencyType: null } as const;
        await updateSchedule(writer, cluster.id, { ...exporting, updatedAtMs: clock.nowMs() });
        return scheduleView(cluster, { ...(await scheduleOf(writer, context, cluster)), items: [] }, clock.nowMs());
      });
    },
  };
}

/** A change in somebody's transaction, with what comes with every change. */
export async function patchSchedule(
  writer: CatalogWriter,
  context: DomainContext,
  { cluster, patch, regions }: { cluster: ConnectedCluster; patch: SchedulePatch; regions: readonly string[] },
): Promise<StoredSchedule> {
  // What was due by now stays due, whatever the schedule says from here on.
  await serveDue(writer, context, cluster, await scheduleOf(writer, context, cluster));
  const stored = await scheduleOf(writer, context, cluster);
  const changed = await changeSchedule(writer, context, { cluster, stored, patch, regions });
  return changed;
}

export async function requireBackedUp(reader: CatalogReader, name: ClusterName): Promise<ConnectedCluster> {
  const cluster = await requireConnectedCluster(reader, name);
  if (cluster.backupEnabled === 0) throw refuse('BACKUP_CONFIG_NOT_FOUND', [name.clusterName, name.projectId]);
  return cluster;
}
