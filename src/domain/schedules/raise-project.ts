import type { CatalogWriter } from '../../catalog/catalog.ts';
import { allClusters, updateCluster } from '../../catalog/clusters.ts';
import { replacePolicyItems, updateSchedule } from '../../catalog/schedules.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import { type Requirements, raisedSchedule, shortcomings } from '../policies/compliance-rules.ts';
import { requirementsOf } from '../policies/enforcement.ts';
import { defaultItems } from '../policies/schedule-rules.ts';
import { itemRows, scheduleOf } from '../policies/stored-schedule.ts';
import { refuse } from '../refusals/refusals.ts';
import { serveDue } from './serve-due.ts';

type Context = Pick<DomainContext, 'ids' | 'clock' | 'log'>;

/**
 * A cluster that is registered, for the first time or again, has a schedule from then on, and meets its project's
 * policy. Gives its row as it is then.
 */
export async function beginBackup(writer: CatalogWriter, context: Context, cluster: ClusterRow): Promise<ClusterRow> {
  await scheduleOf(writer, context, cluster);
  const required = await requirementsOf(writer, cluster.projectId);
  if (required === null || (await missingOf(writer, context, cluster, required)).length === 0) return cluster;
  return await raiseCluster(writer, context, cluster, required);
}

/**
 * Brings every cluster of the project up to the policy, or refuses to where it may not: backup is on, and its schedule
 * meets what is required.
 */
export async function raiseProject(
  writer: CatalogWriter,
  context: Context,
  { projectId, required, overwrite }: { projectId: string; required: Requirements; overwrite: boolean },
): Promise<void> {
  const clusters = (await allClusters(writer)).filter(
    (cluster) => cluster.projectId === projectId && cluster.deletedAtMs === null,
  );
  for (const cluster of clusters) {
    const missing = await missingOf(writer, context, cluster, required);
    if (missing.length === 0) continue;
    if (!overwrite)
      throw refuse('BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS', [
        `${cluster.name}: ${missing.join('; ')}`,
      ]);
    await raiseCluster(writer, context, cluster, required);
  }
}

async function missingOf(
  writer: CatalogWriter,
  context: Context,
  cluster: ClusterRow,
  required: Requirements,
): Promise<string[]> {
  const { items, row } = await scheduleOf(writer, context, cluster);
  return [
    ...(cluster.backupEnabled === 0 ? ['backup is disabled'] : []),
    ...(cluster.paused === 1 ? ['it is paused'] : []),
    ...(cluster.pitEnabled === 0 && required.pitEnabled ? ['continuous backup is off'] : []),
    ...(items.length === 0 ? ['it has no schedule'] : []),
    ...shortcomings({ items, restoreWindowDays: row.restoreWindowDays }, required),
  ];
}

async function raiseCluster(
  writer: CatalogWriter,
  context: Context,
  cluster: ClusterRow,
  required: Requirements,
): Promise<ClusterRow> {
  await serveDue(writer, context, cluster, await scheduleOf(writer, context, cluster));
  const { row, items } = await scheduleOf(writer, context, cluster);
  const nextId = () => context.ids.next();
  const start = items.length > 0 ? items : defaultItems.map((item) => ({ ...item, id: nextId() }));
  const raised = raisedSchedule({ items: start, restoreWindowDays: row.restoreWindowDays }, required, nextId);
  await replacePolicyItems(writer, cluster.id, itemRows(cluster.id, raised.items));
  const nowMs = context.clock.nowMs();
  await updateSchedule(writer, cluster.id, {
    restoreWindowDays: raised.restoreWindowDays,
    servedUntilMs: Math.max(nowMs, row.servedUntilMs),
    updatedAtMs: nowMs,
  });
  const on = {
    backupEnabled: 1,
    paused: 0,
    pitEnabled: required.pitEnabled ? 1 : cluster.pitEnabled,
  } as const;
  await updateCluster(writer, cluster.id, on);
  return { ...cluster, ...on };
}
