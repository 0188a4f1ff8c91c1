import { formatTimestamp, type Timestamp64, timestampOf, timestampParts } from '../../bson/timestamp.ts';
import { findCapture, wantCaptured } from '../../catalog/captures.ts';
import type { CaptureRow, ClusterRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import { isCaptured } from './capture-task.ts';

/**
 * A server looks every ten seconds (`periodicNoopIntervalSecs`) whether something was written since it looked last, and
 * writes a no-op where nothing was: up to twenty seconds after the last write. A little more than that, for the tailer
 * to see it and for the store to take it.
 */
export const CAPTURE_WAIT_MS = 25_000;
const LOOK_EVERY_MS = 200;
/** A tailer at work says so at least every ten seconds. */
const SILENT_MS = 45_000;
/** How far the cluster's clock may be ahead of ours for its present not to be taken for the future. */
const CLOCK_AHEAD_MS = 2_000;

/**
 * Has what is being captured of the cluster put into the repository up to a time of the last seconds, instead of when
 * the slice is due anyway. Resolves once it is there, at once where nobody can bring it, or when it was waited for long
 * enough; whether the time is reached is then read from the repository. Returns why it was not, in words; null where
 * there is nothing to say.
 */
export async function awaitCaptured(
  { catalog, clock }: Pick<DomainContext, 'catalog' | 'clock'>,
  cluster: ClusterRow,
  upTo: Timestamp64,
): Promise<string | null> {
  const { t, i } = timestampParts(upTo);
  if (!isCaptured(cluster)) return 'continuous backup of the cluster is off';
  if (t * 1000 > clock.nowMs() + CLOCK_AHEAD_MS) return null;
  const first = await findCapture(catalog.reader, cluster.id);
  const away = whyAway(first, clock.nowMs());
  if (away !== null) return away;
  if (reaches(first, upTo)) return null;
  await catalog.transact(async (writer) => await wantCaptured(writer, cluster.id, { t, i }));
  const endMs = clock.monotonicMs() + CAPTURE_WAIT_MS;
  for (;;) {
    const row = await findCapture(catalog.reader, cluster.id);
    if (reaches(row, upTo)) return null;
    const gone = whyAway(row, clock.nowMs());
    if (gone !== null) return gone;
    if (clock.monotonicMs() >= endMs) return nothingWritten(row);
    await clock.sleep(LOOK_EVERY_MS);
  }
}

function capturedOf(row: CaptureRow | undefined): Timestamp64 | null {
  const { capturedT: t, capturedI: i } = row ?? { capturedT: null, capturedI: null };
  return t === null || i === null ? null : timestampOf({ t, i });
}

function reaches(row: CaptureRow | undefined, upTo: Timestamp64): boolean {
  const captured = capturedOf(row);
  return captured !== null && captured >= upTo;
}

function whyAway(row: CaptureRow | undefined, nowMs: number): string | null {
  if (row === undefined) return 'nothing has been captured yet';
  if (row.failure !== null) return `its oplog is not being captured now: ${row.failure}`;
  return nowMs - row.updatedAtMs > SILENT_MS ? 'its oplog is not being captured now' : null;
}

function nothingWritten(row: CaptureRow | undefined): string {
  const captured = capturedOf(row);
  const since = captured === null ? '' : ` since ${formatTimestamp(captured)}`;
  return `the cluster has written nothing${since}, and only its next entry proves that nothing came before it; it can be restored from then on`;
}
