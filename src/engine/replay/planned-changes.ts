import { type ElementAt, type Field, findId, forEachDocument } from '../../bson/raw-bson.ts';
import { formatTimestamp, type Timestamp64 } from '../../bson/timestamp.ts';
import { idDocument, zeroTimestampUpdate } from '../../bson/zero-timestamps.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { isModification } from '../../oplog/diffs.ts';
import { type PositionedEntry, readOplogEntry } from '../../oplog/entry.ts';
import { handlingOf, meaningOf, type Operation } from '../../oplog/operations.ts';
import { optionChanges } from '../../oplog/option-changes.ts';
import type { ReplayPlan } from './plan-replay.ts';
import { changedOplog, type OplogSource, reaches } from './replay-interval.ts';

/** A stretch of a plan's entries, and how far the plan has been gone through with them. */
export interface PlannedEntries {
  found: readonly PositionedEntry[];
  /** Entries of the interval so far, also those that the plan skips. */
  entries: number;
  lastTs: Timestamp64;
}

/**
 * The entries that a plan carries out, in order: those that lie before its interval, then those of the interval itself.
 * Throws a Fault where the source gives others than those that were planned.
 */
export async function* plannedEntries(
  plan: ReplayPlan,
  source: OplogSource,
  signal: AbortSignal,
): AsyncGenerator<PlannedEntries, void, undefined> {
  for (const ts of plan.before) {
    assert(ts <= plan.from, 'what lies before the interval is not in it');
    const buffer = await source.earlier(ts);
    if (buffer === null) throw changedOplog(`the entry at ${formatTimestamp(ts)} is not there any more`);
    const entry = readOplogEntry(buffer, 0);
    assert(entry.ts === ts, 'the entry that was asked for is given');
    yield { found: [{ buffer, entry }], entries: 0, lastTs: plan.from };
  }
  let [entries, lastTs] = [0, plan.from];
  for await (const buffer of source.entries()) {
    throwIfAborted(signal);
    const found: PositionedEntry[] = [];
    let isPast = false;
    forEachDocument(buffer, (offset) => {
      if (isPast) return;
      const entry = readOplogEntry(buffer, offset);
      isPast = !reaches(plan.end, entry.ts);
      if (isPast || entry.ts <= plan.from) return;
      entries++;
      lastTs = entry.ts;
      if (!plan.skipped.has(entry.ts)) found.push({ buffer, entry });
    });
    yield { found, entries, lastTs };
    if (isPast) break;
  }
  if (entries !== plan.entries || lastTs !== plan.lastTs)
    throw changedOplog(`${entries} entries up to ${formatTimestamp(lastTs)} were read, ${plan.entries} were planned`);
}

/** A write as a copy of the source takes it. Parts are views. */
export interface PlannedWrite {
  kind: 'write';
  op: 'i' | 'u' | 'd';
  o: Buffer;
  /** Which document an update is for. */
  o2: Buffer | null;
  upsert: boolean;
  /** Of the document, where it lies in the entry's buffer. */
  id: ElementAt | null;
  /**
   * The update that has to follow, because the write would put the time into a Timestamp(0, 0): see
   * `zeroTimestampUpdate`.
   */
  mending: { o: Buffer; o2: Buffer } | null;
}

/** What is left to do of an operation where the catalog has been brought to the plan's end already. */
export type PlannedChange = PlannedWrite | { kind: 'options'; options: Field[] } | { kind: 'empty' };

/** Null where nothing is left. */
export function plannedChange(buffer: Buffer, operation: Operation, form: { diffs: boolean }): PlannedChange | null {
  const handling = handlingOf(operation);
  if (handling === 'write') return plannedWrite(buffer, operation, form);
  if (handling !== 'catalog') return null;
  const { replay } = meaningOf(operation.command);
  if (replay === 'collectionEmptied') return { kind: 'empty' };
  if (replay !== 'optionsChanged') return null;
  // An index's part is in the plan's catalog already, and what is unknown is left out of the plan by name.
  const options = optionChanges(buffer, operation).known.filter(({ name }) => name !== 'index');
  return options.length === 0 ? null : { kind: 'options', options };
}

function plannedWrite(buffer: Buffer, { op, o, o2, upsert }: Operation, form: { diffs: boolean }): PlannedWrite {
  assert(op === 'i' || op === 'u' || op === 'd', 'a write is an insert, an update or a deletion');
  // An insert's `o2` repeats its id and, on newer servers, says where it is stored: neither is for the target.
  const query = op === 'u' ? o2 : null;
  const id = findId(buffer, (query ?? o).start);
  const mend = op === 'd' || (op === 'u' && isModification(buffer, o)) ? null : zeroTimestampUpdate(buffer, o, form);
  return {
    kind: 'write',
    op,
    o: buffer.subarray(o.start, o.end),
    o2: query === null ? null : buffer.subarray(query.start, query.end),
    upsert: op === 'u' && upsert,
    id,
    mending: mend === null || id === null ? null : { o: mend, o2: idDocument(buffer, id) },
  };
}
