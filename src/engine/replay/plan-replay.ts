import { formatNamespace, type Namespace } from '../../bson/namespace.ts';
import { documentLength, forEachDocument, MalformedBson } from '../../bson/raw-bson.ts';
import { formatTimestamp, type Timestamp64 } from '../../bson/timestamp.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { Fault, messageOf } from '../../lib/errors.ts';
import { type OplogEntry, readOplogEntry } from '../../oplog/entry.ts';
import { forEachOperation, handlingOf, type Operation } from '../../oplog/operations.ts';
import { type Decisions, type VisibleEffect, VisibleOrder } from '../../oplog/transactions.ts';
import type { LeftOut } from '../left-out.ts';
import { changeCatalog, changeHeld, ReplayMismatch } from './change-state.ts';
import { type OplogSource, type ReplayEnd, reaches } from './replay-interval.ts';
import { copyOf, dropResharding, isHeld, isReplayed, type ReplayedSource, type ReplayState } from './replay-state.ts';

/**
 * What replay will do, decided before the target is touched. Because the end is known, the catalog is brought there
 * first: collections are created with the names they have at the end, those that are gone by then are never loaded or
 * written, and only documents (and changes of options that matter to them) are left to replay.
 */
export interface ReplayPlan {
  /** The snapshot's T. */
  from: Timestamp64;
  end: ReplayEnd;
  /** At the end. */
  state: ReplayState;
  /** Entries between T and the end that wait for a decision which is not part of the interval, or is an abort. */
  skipped: ReadonlySet<Timestamp64>;
  /** Entries at or before T whose transactions take effect in the interval, in order. */
  before: readonly Timestamp64[];
  entries: number;
  /** Of the last entry at or before the end; T where there is none. */
  lastTs: Timestamp64;
  /** Prepared transactions that were neither committed nor aborted as far as the entries went: left out. */
  undecided: readonly UndecidedTransaction[];
  /** What the collections of the state lack, because its change is not known here. */
  leftOut: readonly LeftOut[];
}

export interface UndecidedTransaction {
  /** As `transactionOf` has it: the same on every shard that takes part. */
  transaction: string;
  preparedAt: Timestamp64;
}

export interface PlanReplayOptions {
  /** At T. Not changed. */
  state: ReplayState;
  from: Timestamp64;
  end: ReplayEnd;
  source: OplogSource;
  /**
   * Beyond the end, reading stops behind this time once no prepared transaction waits. Left out: all that the source
   * gives is read.
   */
  searchTo?: Timestamp64;
  /** Of transactions whose decision is not among the entries but known from another shard. */
  decisions?: Decisions;
  signal: AbortSignal;
  /** Called after every buffer of entries. */
  progress?: (entries: number, lastTs: Timestamp64) => void;
}

/**
 * Reads the interval once. Throws a Fault that names the entry for anything that replay could not carry out, or for an
 * end before T. That the entries reach as far as the end is the caller's to know: a quiet source has none for a while.
 */
export async function planReplay(options: PlanReplayOptions): Promise<ReplayPlan> {
  const { from, end } = options;
  if (!reaches(end, from)) {
    throw new Fault({
      op: 'replay',
      subject: formatTimestamp(end.ts),
      message: `the snapshot is of ${formatTimestamp(from)}, which is later than the point to restore`,
      hint: 'Restore from an earlier snapshot',
    });
  }
  const planning = new Planning(options);
  for await (const buffer of options.source.entries()) {
    throwIfAborted(options.signal);
    const offsets: number[] = [];
    forEachDocument(buffer, (offset) => {
      offsets.push(offset);
    });
    for (const offset of offsets) {
      const working = planning.take(buffer, offset);
      if (working !== undefined) await working;
    }
    options.progress?.(planning.entries, planning.readTs);
    if (planning.isSettled) break;
  }
  return await planning.finish();
}

/** What an entry will do to the state once it takes effect. */
interface Deferred {
  buffer: Buffer;
  changes: Operation[];
  /** Collections written to, by UUID. */
  written: Map<string, Namespace>;
}

class Planning {
  readonly #options: PlanReplayOptions;
  readonly #state: ReplayState;
  readonly #order: VisibleOrder<Deferred>;
  readonly #skipped = new Set<Timestamp64>();
  readonly #skip = (ts: Timestamp64): void => {
    this.#skipped.add(ts);
  };
  readonly #before: Timestamp64[] = [];
  #entries = 0;
  #lastTs: Timestamp64;

  constructor(options: PlanReplayOptions) {
    const { from, end, source } = options;
    this.#options = options;
    this.#state = copyOf(options.state);
    this.#lastTs = from;
    this.#order = new VisibleOrder<Deferred>({
      from,
      reaches: (ts) => reaches(end, ts),
      read: (buffer, _, entry) => readDeferred(buffer, entry, this.#state.source),
      readWaiting: (buffer, offset, entry) => readWaiting(buffer, offset, entry, this.#state.source),
      earlier: async (ts) => await source.earlier(ts),
      missing: (ts) => {
        throw refused(ts, new ReplayMismatch('the beginning of a transaction is not there any more'));
      },
    });
  }

  get entries(): number {
    return this.#entries;
  }

  /** Of the entry looked at last. */
  get readTs(): Timestamp64 {
    return this.#order.readTs;
  }

  /** Nothing that is still to come can matter. */
  get isSettled(): boolean {
    const { searchTo, end } = this.#options;
    if (searchTo === undefined || this.readTs < searchTo || reaches(end, this.readTs)) return false;
    return !this.#order.hasPrepared;
  }

  /** Looks at one entry. A promise is to be waited for before the next. */
  take(buffer: Buffer, offset: number): Promise<void> | undefined {
    const entry = readOplogEntry(buffer, offset);
    const { from, end } = this.#options;
    if (entry.ts <= from) return undefined;
    if (entry.ts <= this.readTs) throw refused(entry.ts, new ReplayMismatch('the entries are not in order'));
    if (reaches(end, entry.ts)) {
      this.#entries++;
      this.#lastTs = entry.ts;
    }
    try {
      const effects = this.#order.take(buffer, offset, entry, this.#skip);
      if (effects instanceof Promise) return this.#carryOutLate(effects);
      this.#carryOut(effects);
      return undefined;
    } catch (error) {
      throw refused(entry.ts, error);
    }
  }

  async #carryOutLate(effects: Promise<VisibleEffect<Deferred>[]>): Promise<void> {
    try {
      this.#carryOut(await effects);
    } catch (error) {
      throw refused(this.readTs, error);
    }
  }

  /** Carries out the catalog's part of what takes effect. */
  #carryOut(effects: readonly VisibleEffect<Deferred>[]): void {
    for (const { ts, effect } of effects) {
      if (ts <= this.#options.from) this.#before.push(ts);
      for (const operation of effect.changes) this.#change(effect.buffer, operation);
      for (const [uuid, namespace] of effect.written) this.#expectKnown(uuid, namespace);
    }
  }

  #change(buffer: Buffer, operation: Operation): void {
    if (operation.op === 'c') changeCatalog(this.#state, buffer, operation);
    else changeHeld(this.#state, buffer, operation);
  }

  #expectKnown(uuid: string, namespace: Namespace): void {
    if (this.#state.collections.has(uuid) || !isReplayed(namespace, this.#state.source)) return;
    throw new ReplayMismatch(
      `a write to ${formatNamespace(namespace)} (${uuid === '' ? 'no UUID' : uuid}), which was neither in the snapshot nor created since`,
    );
  }

  /** The plan, once all entries were looked at. */
  async finish(): Promise<ReplayPlan> {
    const { decisions = new Map() } = this.#options;
    try {
      for await (const effects of this.#order.decided(decisions)) this.#carryOut(effects);
    } catch (error) {
      throw refused(this.readTs, error);
    }
    const { from, end } = this.#options;
    assert((this.#entries === 0) === (this.#lastTs === from), 'the last time is that of an entry');
    assert(this.#lastTs === from || reaches(end, this.#lastTs), 'nothing beyond the end is replayed');
    const remaining = this.#order.remaining();
    assert(
      remaining.every(({ ts }) => ts <= this.readTs),
      'what still waits was read',
    );
    const undecided = remaining.filter(({ prepared, transaction }) => prepared && !decisions.has(transaction));
    for (const { ts } of remaining) this.#skipped.add(ts);
    dropResharding(this.#state);
    return {
      from,
      end,
      state: this.#state,
      skipped: this.#skipped,
      before: this.#before,
      entries: this.#entries,
      lastTs: this.#lastTs,
      leftOut: this.#state.unknown.leaveOut(this.#state.collections),
      undecided: undecided.map(({ transaction, ts }) => ({ transaction, preparedAt: ts })),
    };
  }
}

/** A waiting entry outlives the buffer it came in, so it keeps no more of it than it needs. */
function readWaiting(buffer: Buffer, offset: number, entry: OplogEntry, source: ReplayedSource): Deferred {
  const deferred = readDeferred(buffer, entry, source);
  if (deferred.changes.length === 0) return { ...deferred, buffer: NOTHING };
  const copy = Buffer.from(buffer.subarray(offset, offset + documentLength(buffer, offset)));
  return readDeferred(copy, readOplogEntry(copy, 0), source);
}

const NOTHING = Buffer.alloc(0);

function readDeferred(buffer: Buffer, entry: OplogEntry, source: ReplayedSource): Deferred {
  const deferred: Deferred = { buffer, changes: [], written: new Map() };
  forEachOperation(buffer, entry, (operation) => {
    const handling = handlingOf(operation);
    if (handling === 'unknown') {
      const what = operation.op === 'c' ? `command \`${operation.command}\`` : `operation \`${operation.op}\``;
      throw new ReplayMismatch(
        `the ${what} on ${formatNamespace(operation.namespace)}, which this version cannot replay`,
      );
    }
    if (handling === 'catalog' || (handling === 'write' && isHeld(operation.namespace, source)))
      deferred.changes.push(operation);
    else if (handling === 'write') deferred.written.set(operation.uuid ?? '', operation.namespace);
  });
  return deferred;
}

function refused(ts: Timestamp64, error: unknown): unknown {
  if (!(error instanceof ReplayMismatch || error instanceof MalformedBson)) return error;
  return new Fault({
    op: 'replay',
    subject: formatTimestamp(ts),
    message: `the oplog cannot be replayed beyond ${formatTimestamp(ts)}: ${messageOf(error)}`,
    hint: 'Restore to a point before it, or from a snapshot that was taken after it',
    cause: error,
  });
}
