import { deleteAccessListEntriesDue } from '../../catalog/access-lists.ts';
import { deleteExpiredAccessTokens } from '../../catalog/access-tokens.ts';
import type { CatalogReader } from '../../catalog/catalog.ts';
import type { SnapshotRow } from '../../catalog/schema.ts';
import {
  expiredSnapshots,
  findSnapshot,
  newerSnapshotNotCompleted,
  newestCompletedSnapshot,
  nextExpiryMs,
} from '../../catalog/snapshots.ts';
import { deleteTasksFinishedBefore } from '../../catalog/tasks.ts';
import type { Duty } from '../../tasks/timer.ts';
import { type ClockDoubt, isClockDoubtful } from '../clock-doubt.ts';
import type { DomainContext } from '../context.ts';
import { mayExpire } from '../policies/retention.ts';
import { noteCopiesOnly } from '../snapshot-copies/copies.ts';
import { discardSnapshot } from './discard-snapshot.ts';

/** Looked at in one round; more wait for the next. */
const EXPIRED_AT_ONCE = 1_000;
const TASKS_KEPT_MS = 30 * 86_400_000;

/** Deletes snapshots whose time is over, but for the last good one of a cluster whose newer ones fail. */
export function expiryDuty(context: DomainContext, doubt: ClockDoubt = async () => null): Duty {
  const { catalog, clock } = context;
  return {
    name: 'expire snapshots',
    run: async (signal) => {
      const candidates = await expiredSnapshots(catalog.reader, clock.nowMs(), EXPIRED_AT_ONCE);
      if (candidates.length > 0 && (await isClockDoubtful(context, doubt, 'snapshots'))) return;
      let expired = 0;
      for (const candidate of candidates) {
        if (signal.aborted) return;
        if (await expire(context, candidate.id)) expired++;
      }
      if (expired === 0) return;
      context.log.info({ snapshots: expired }, 'expired snapshots were deleted');
    },
    nextDueMs: async (nowMs) => await nextExpiryMs(catalog.reader, nowMs),
  };
}

/** Looks again inside the transaction: its retention may have been changed, or it may be gone. */
async function expire(context: DomainContext, snapshotId: string): Promise<boolean> {
  return await context.catalog.transact(async (writer) => {
    const row = await findSnapshot(writer, snapshotId);
    if (row === undefined || row.deletedAtMs !== null) return false;
    if (!mayExpire(row, { nowMs: context.clock.nowMs(), ...(await standing(writer, row)) })) return false;
    await discardSnapshot(writer, context, row);
    await noteCopiesOnly(writer, context, row.id);
    return true;
  });
}

async function standing(
  reader: CatalogReader,
  row: SnapshotRow,
): Promise<{ newestCompletedId: string | null; newerNotCompleted: boolean }> {
  const newest = await newestCompletedSnapshot(reader, { clusterId: row.clusterId });
  const newerNotCompleted = await newerSnapshotNotCompleted(reader, row.clusterId, row.requestedAtMs);
  return { newestCompletedId: newest?.id ?? null, newerNotCompleted };
}

/** Forgets what nobody asks for any more: access tokens that ran out, tasks that ended long ago. */
export function housekeepingDuty({ catalog, clock }: DomainContext): Duty {
  const everyMs = 3_600_000;
  let doneAtMs = Number.NEGATIVE_INFINITY;
  return {
    name: 'keep house',
    run: async () => {
      const nowMs = clock.nowMs();
      if (nowMs - doneAtMs < everyMs) return;
      await catalog.transact(async (writer) => {
        await deleteExpiredAccessTokens(writer, nowMs);
        await deleteAccessListEntriesDue(writer, nowMs);
        await deleteTasksFinishedBefore(writer, nowMs - TASKS_KEPT_MS);
      });
      doneAtMs = nowMs;
    },
    nextDueMs: async () => doneAtMs + everyMs,
  };
}
