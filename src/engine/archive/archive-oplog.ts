import { documentOf, type ElementAt, findId, forEachDocument, stringValue } from '../../bson/raw-bson.ts';
import { formatTimestamp, type Timestamp64 } from '../../bson/timestamp.ts';
import { idDocument, zeroTimestampUpdate } from '../../bson/zero-timestamps.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { Fault } from '../../lib/errors.ts';
import { isModification } from '../../oplog/diffs.ts';
import { type OplogEntry, readOplogEntry } from '../../oplog/entry.ts';
import { forEachOperation, handlingOf, type Operation } from '../../oplog/operations.ts';
import { changedOptions, type Destination, destinationsOf, ownNames } from '../replay/destinations.ts';
import type { ReplayPlan } from '../replay/plan-replay.ts';
import { changedOplog, type OplogSource, reaches } from '../replay/replay-interval.ts';
import { DOCUMENT_BYTES_MAX } from './archive-format.ts';

export interface ArchiveOplogOptions {
  plan: ReplayPlan;
  source: OplogSource;
  /** See `zeroTimestampUpdate`. */
  diffs: boolean;
  signal: AbortSignal;
}

const RUN_BYTES = 1024 * 1024;

/**
 * The oplog of an archive of a point in time, in runs of whole entries: what brings the snapshot's documents to the
 * point, in collections that have their names, options and indexes of the point already. So it holds writes of
 * documents and changes of options, one to an entry, by the names of the point and without UUIDs: no transaction, no
 * DDL, no index build is left for the reader to get wrong (`docs/archive-format.md`). The first entry is a no-op that
 * says what the others are, because readers cannot take an oplog without entries.
 */
export async function* archiveOplog(options: ArchiveOplogOptions): AsyncGenerator<Buffer, void, undefined> {
  let run: Buffer[] = [noteOf(options.plan)];
  let bytes = 0;
  for await (const entries of entriesOf(options)) {
    for (const entry of entries) {
      run.push(entry);
      bytes += entry.length;
    }
    if (bytes < RUN_BYTES) continue;
    yield Buffer.concat(run);
    [run, bytes] = [[], 0];
  }
  if (run.length > 0) yield Buffer.concat(run);
}

/** What each of the plan's entries becomes. */
async function* entriesOf({
  plan,
  source,
  diffs,
  signal,
}: ArchiveOplogOptions): AsyncGenerator<Buffer[], void, undefined> {
  // `config` stays the target's, as in an archive of a snapshot.
  const destinations = destinationsOf(
    plan,
    ownNames(plan, ({ db }) => db === 'config'),
  );
  for (const ts of plan.before) {
    const buffer = await source.earlier(ts);
    if (buffer === null) throw changedOplog(`the entry at ${formatTimestamp(ts)} is not there any more`);
    yield convert(buffer, readOplogEntry(buffer, 0), destinations, { diffs });
  }
  let [read, lastTs] = [0, plan.from];
  for await (const buffer of source.entries()) {
    throwIfAborted(signal);
    const offsets: number[] = [];
    forEachDocument(buffer, (offset) => {
      offsets.push(offset);
    });
    for (const offset of offsets) {
      const entry = readOplogEntry(buffer, offset);
      if (entry.ts <= plan.from || !reaches(plan.end, entry.ts)) continue;
      read++;
      lastTs = entry.ts;
      if (!plan.skipped.has(entry.ts)) yield convert(buffer, entry, destinations, { diffs });
    }
  }
  if (read !== plan.entries || lastTs !== plan.lastTs)
    throw changedOplog(`${read} entries up to ${formatTimestamp(lastTs)} were read, ${plan.entries} were planned`);
}

function convert(
  buffer: Buffer,
  entry: OplogEntry,
  destinations: ReadonlyMap<string, Destination>,
  form: { diffs: boolean },
): Buffer[] {
  const converted: Buffer[] = [];
  forEachOperation(buffer, entry, (operation) => {
    const destination = destinations.get(operation.uuid ?? '');
    if (destination === undefined) return;
    const handling = handlingOf(operation);
    if (handling === 'write') converted.push(...writesOf(buffer, entry, operation, destination, form));
    else if (handling === 'catalog') converted.push(...optionsOf(buffer, entry, operation, destination));
  });
  return converted;
}

type Moment = Pick<OplogEntry, 'ts' | 'term'>;

/** The write, and behind one that would put the time into a Timestamp(0, 0) the one that puts zeros back. */
function writesOf(
  buffer: Buffer,
  at: Moment,
  { op, o, o2 }: Operation,
  { namespace }: Destination,
  form: { diffs: boolean },
): [Buffer] | [Buffer, Buffer] {
  const query = op === 'u' && o2 !== null ? o2 : null;
  const write = entryOf(
    at,
    op,
    namespace,
    buffer.subarray(o.start, o.end),
    query === null ? null : bytes(buffer, query),
  );
  if (op === 'd' || (op === 'u' && isModification(buffer, o))) return [write];
  const mend = zeroTimestampUpdate(buffer, o, form);
  const id = mend === null ? null : findId(buffer, query === null ? o.start : query.start);
  if (mend === null || id === null) return [write];
  return [write, entryOf(at, 'u', namespace, mend, idDocument(buffer, id))];
}

/** Options with which collections are listed as they were at the point. */
const LISTED_AT_POINT = new Set(['timeseries', 'expireAfterSeconds']);

/** Everything else that changed the catalog was carried out before the archive was begun. */
function optionsOf(buffer: Buffer, at: Moment, { o, command }: Operation, { db, name }: Destination): Buffer[] {
  const target = { type: 0x02, value: stringValue(name) };
  const ns = `${db}.$cmd`;
  if (command === 'emptycapped') return [entryOf(at, 'c', ns, documentOf([{ name: command, ...target }]), null)];
  const changed = command === 'collMod' ? changedOptions(buffer, o) : [];
  const options = changed.filter(({ name }) => !LISTED_AT_POINT.has(name));
  if (options.length === 0) return [];
  return [entryOf(at, 'c', ns, documentOf([{ name: command, ...target }, ...options]), null)];
}

/**
 * As the server writes them, without what names the session or the collection's UUID: readers drop a UUID, or insist on
 * it.
 */
function entryOf({ ts, term }: Moment, op: string, ns: string, o: Uint8Array, o2: Uint8Array | null): Buffer {
  const entry = documentOf([
    { name: 'ts', type: 0x11, value: int64(ts) },
    { name: 't', type: 0x12, value: int64(BigInt.asUintN(64, term)) },
    { name: 'v', type: 0x12, value: int64(2n) },
    { name: 'op', type: 0x02, value: stringValue(op) },
    { name: 'ns', type: 0x02, value: stringValue(ns) },
    { name: 'o', type: 0x03, value: o },
    ...(o2 === null ? [] : [{ name: 'o2', type: 0x03, value: o2 }]),
  ]);
  if (entry.length <= DOCUMENT_BYTES_MAX) return entry;
  throw new Fault({
    op: 'write archive',
    subject: ns,
    message: `a write to ${ns} at ${formatTimestamp(ts)} is larger than an archive can hold as an entry of an oplog`,
    hint: 'Restore the point in time into a cluster, or download a snapshot taken after it: neither has such a limit',
  });
}

function noteOf({ from, end }: ReplayPlan): Buffer {
  const text = `from the snapshot at ${formatTimestamp(from)} ${end.inclusive ? 'up to and including' : 'up to, not including,'} ${formatTimestamp(end.ts)}`;
  const o = documentOf([{ name: 'msg', type: 0x02, value: stringValue(text) }]);
  return entryOf({ ts: from, term: -1n }, 'n', '', o, null);
}

function bytes(buffer: Buffer, { start, end }: ElementAt): Buffer {
  return buffer.subarray(start, end);
}

function int64(value: Timestamp64): Buffer {
  const encoded = Buffer.alloc(8);
  encoded.writeBigUInt64LE(value);
  return encoded;
}
