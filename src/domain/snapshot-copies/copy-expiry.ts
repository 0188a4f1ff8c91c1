import { expiredCopies, findSnapshotCopy, nextCopyExpiryMs } from '../../catalog/snapshot-copies.ts';
import type { Duty } from '../../tasks/timer.ts';
import { type ClockDoubt, isClockDoubtful } from '../clock-doubt.ts';
import type { DomainContext } from '../context.ts';
import { discardCopy } from './copies.ts';

/** Looked at in one round; more wait for the next. */
const EXPIRED_AT_ONCE = 1_000;

/** Deletes copies whose own time is over. */
export function copyExpiryDuty(context: DomainContext, doubt: ClockDoubt = async () => null): Duty {
  const { catalog, clock } = context;
  return {
    name: 'expire copies of snapshots',
    run: async (signal) => {
      const candidates = await expiredCopies(catalog.reader, clock.nowMs(), EXPIRED_AT_ONCE);
      if (candidates.length > 0 && (await isClockDoubtful(context, doubt, 'copies'))) return;
      for (const { id } of candidates) {
        if (signal.aborted) return;
        await catalog.transact(async (writer) => {
          // Again inside the transaction: its time may have been changed, or it may be gone.
          const copy = await findSnapshotCopy(writer, id);
          if (copy === undefined || copy.deletedAtMs !== null || copy.expiresAtMs > clock.nowMs()) return;
          await discardCopy(writer, context, copy);
        });
      }
    },
    nextDueMs: async (nowMs) => await nextCopyExpiryMs(catalog.reader, nowMs),
  };
}
