import type { CatalogWriter } from '../../catalog/catalog.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { advanceServed, allPolicyItems, clustersWithoutSchedule, runningSchedules } from '../../catalog/schedules.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import type { Duty } from '../../tasks/timer.ts';
import type { DomainContext } from '../context.ts';
import { extraRetentionMs } from '../policies/compliance-rules.ts';
import { itemsDue, nextDueMs } from '../policies/due-times.ts';
import { keptUntilMs, longestKept } from '../policies/schedule-rules.ts';
import { findStoredSchedule, referenceOf, type StoredSchedule, scheduleOf } from '../policies/stored-schedule.ts';
import { queueScheduledSnapshot } from '../snapshots/scheduled-snapshot.ts';

/**
 * Queues snapshots whose time has come. What is due follows from the catalog alone (`servedUntilMs`, the items, the
 * reference time), so a restart forgets nothing, however many due times were missed make one snapshot, and of several
 * processes that try one succeeds.
 */
export function scheduleDuty(context: DomainContext): Duty {
  const { catalog, clock } = context;
  return {
    name: 'run schedules',
    run: async (signal) => {
      for (const clusterId of await clustersWithoutSchedule(catalog.reader)) {
        if (signal.aborted) return;
        await catalog.transact(async (writer) => {
          const cluster = await findCluster(writer, clusterId);
          if (cluster !== undefined) await scheduleOf(writer, context, cluster);
        });
      }
      for (const clusterId of await dueClusters(context)) {
        if (signal.aborted) return;
        await serveCluster(context, clusterId);
      }
    },
    nextDueMs: async () => {
      const schedules = await schedulesWithItems(context);
      const times = schedules.flatMap(({ row, items }) => nextDueMs(items, referenceOf(row), row.servedUntilMs) ?? []);
      return times.length === 0 ? null : Math.max(clock.nowMs(), Math.min(...times));
    },
  };
}

async function schedulesWithItems({ catalog }: DomainContext) {
  const rows = await runningSchedules(catalog.reader);
  const items = Map.groupBy(await allPolicyItems(catalog.reader), (item) => item.clusterId);
  return rows.map((row) => ({ row, items: items.get(row.clusterId) ?? [] }));
}

/** Looked for outside a transaction first: most rounds find nothing. */
async function dueClusters(context: DomainContext): Promise<string[]> {
  const untilMs = context.clock.nowMs();
  const schedules = await schedulesWithItems(context);
  return schedules
    .filter(({ row, items }) => itemsDue(items, referenceOf(row), { afterMs: row.servedUntilMs, untilMs }).length > 0)
    .map(({ row }) => row.clusterId);
}

async function serveCluster(context: DomainContext, clusterId: string): Promise<void> {
  await context.catalog.transact(async (writer) => {
    const cluster = await findCluster(writer, clusterId);
    const stored = await findStoredSchedule(writer, clusterId);
    if (cluster === undefined || stored === undefined) return;
    await serveDue(writer, context, cluster, stored);
  });
}

/**
 * In a transaction of whoever has to have it served now: the timer, and every change of the schedule, which would else
 * move what is already due.
 */
export async function serveDue(
  writer: CatalogWriter,
  context: Pick<DomainContext, 'ids' | 'clock' | 'log'>,
  cluster: ClusterRow,
  { row, items, extraRetention }: StoredSchedule,
): Promise<void> {
  if (cluster.deletedAtMs !== null || cluster.backupEnabled === 0 || cluster.paused === 1) return;
  const nowMs = context.clock.nowMs();
  const due = itemsDue(items, referenceOf(row), { afterMs: row.servedUntilMs, untilMs: nowMs });
  if (due.length === 0) return;
  const { clusterId } = row;
  if (!(await advanceServed(writer, clusterId, { fromMs: row.servedUntilMs, toMs: nowMs }))) return;
  const longest = longestKept(due, nowMs);
  const { frequencyType } = longest;
  const retentionMs = keptUntilMs(nowMs, longest) - nowMs + extraRetentionMs(extraRetention, frequencyType);
  const policyItemIds = due.map((item) => item.id);
  const snapshotId = await queueScheduledSnapshot(writer, context, {
    clusterId,
    type: cluster.type,
    policyItemIds,
    frequencyType,
    retentionMs,
  });
  context.log.info({ cluster: cluster.name, snapshot: snapshotId, frequencyType }, 'a scheduled snapshot was queued');
}
