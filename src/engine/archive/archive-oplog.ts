import { formatNamespace } from '../../bson/namespace.ts';
import { documentOf, stringValue } from '../../bson/raw-bson.ts';
import { formatTimestamp, type Timestamp64 } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { OplogEntry } from '../../oplog/entry.ts';
import { forEachOperation } from '../../oplog/operations.ts';
import { type Destination, destinationsOf, ownNames, removesFromCapped } from '../replay/destinations.ts';
import type { ReplayPlan } from '../replay/plan-replay.ts';
import { type PlannedChange, type PlannedWrite, plannedChange, plannedEntries } from '../replay/planned-changes.ts';
import type { OplogSource } from '../replay/replay-interval.ts';
import { DOCUMENT_BYTES_MAX } from './archive-format.ts';
import type { Routed } from './archive-point.ts';
import { OrphansAtPoint } from './orphans-at-point.ts';

export interface ArchiveOplogOptions {
  plan: ReplayPlan;
  source: OplogSource;
  /** See `zeroTimestampUpdate`. */
  diffs: boolean;
  /** Of the source: what one before 6.0 logs of evictions is left to the reader's server, which may take none of it. */
  mongodVersion: string;
  /** See `ArchivePoint.routed`. */
  routed?: Routed | undefined;
  /** Has seen the snapshot's documents. Left out: none of them is an orphan at the point. */
  orphans?: OrphansAtPoint | undefined;
  signal: AbortSignal;
}

const RUN_BYTES = 1024 * 1024;

/**
 * The oplog of an archive of a point in time, in runs of whole entries: what brings the snapshot's documents to the
 * point, in collections that have their names, options and indexes of the point already. So it holds writes of
 * documents and changes of options, one to an entry, by the names of the point and without UUIDs: no transaction, no
 * DDL, no index build is left for the reader to get wrong (`docs/archive-format.md`). Of a shard it ends with deletions
 * of what the shard does not own at the point. The first entry is a no-op that
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
  for (const { namespace, id } of options.orphans?.found() ?? []) {
    const entry = entryOf({ ts: options.plan.lastTs, term: -1n }, 'd', namespace, id, null);
    run.push(entry);
    bytes += entry.length;
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
  mongodVersion,
  routed,
  orphans = new OrphansAtPoint(),
  signal,
}: ArchiveOplogOptions): AsyncGenerator<Buffer[], void, undefined> {
  // `config` stays the target's, as in an archive of a snapshot.
  const destinations = destinationsOf(
    plan,
    ownNames(plan, (entry) => entry.db === 'config' || routed?.none.has(formatNamespace(entry)) === true),
  );
  const form = { diffs, evictions: removesFromCapped(mongodVersion) };
  const written = (write: PlannedWrite, { namespace }: Destination): void => {
    const owned = routed?.some.get(namespace);
    if (owned !== undefined) orphans.write(write, owned);
  };
  for await (const { found } of plannedEntries(plan, source, signal)) {
    for (const { buffer, entry } of found) yield convert(buffer, entry, destinations, { ...form, written });
  }
}

function convert(
  buffer: Buffer,
  entry: OplogEntry,
  destinations: ReadonlyMap<string, Destination>,
  form: { diffs: boolean; evictions: boolean; written(write: PlannedWrite, destination: Destination): void },
): Buffer[] {
  const converted: Buffer[] = [];
  forEachOperation(buffer, entry, (operation) => {
    const destination = destinations.get(operation.uuid ?? '');
    const change = destination === undefined ? null : plannedChange(buffer, operation, form);
    if (destination === undefined || change === null) return;
    if (change.kind === 'write' && change.op === 'd' && destination.capped && !form.evictions) return;
    if (change.kind === 'write') form.written(change, destination);
    if (change.kind === 'write') converted.push(...writesOf(entry, change, destination));
    else converted.push(...commandsOf(entry, operation.command, change, destination));
  });
  return converted;
}

type Moment = Pick<OplogEntry, 'ts' | 'term'>;

/** The write, and behind one that would put the time into a Timestamp(0, 0) the one that puts zeros back. */
function writesOf(at: Moment, { op, o, o2, mending }: PlannedWrite, { namespace }: Destination): Buffer[] {
  const write = entryOf(at, op, namespace, o, o2);
  return mending === null ? [write] : [write, entryOf(at, 'u', namespace, mending.o, mending.o2)];
}

/** Options with which collections are listed as they were at the point. */
const LISTED_AT_POINT = new Set(['timeseries', 'expireAfterSeconds']);

/** Everything else that changed the catalog was carried out before the archive was begun. */
function commandsOf(
  at: Moment,
  command: string,
  change: Exclude<PlannedChange, PlannedWrite>,
  { db, name }: Destination,
): Buffer[] {
  const given = change.kind === 'options' ? change.options : [];
  const options = given.filter((option) => !LISTED_AT_POINT.has(option.name));
  if (change.kind === 'options' && options.length === 0) return [];
  const target = { name: command, type: 0x02, value: stringValue(name) };
  return [entryOf(at, 'c', `${db}.$cmd`, documentOf([target, ...options]), null)];
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
  assert(from <= end.ts, 'a point is not before its snapshot');
  const text = `from the snapshot at ${formatTimestamp(from)} ${end.inclusive ? 'up to and including' : 'up to, not including,'} ${formatTimestamp(end.ts)}`;
  const o = documentOf([{ name: 'msg', type: 0x02, value: stringValue(text) }]);
  return entryOf({ ts: from, term: -1n }, 'n', '', o, null);
}

function int64(value: Timestamp64): Buffer {
  const encoded = Buffer.alloc(8);
  encoded.writeBigUInt64LE(value);
  return encoded;
}
