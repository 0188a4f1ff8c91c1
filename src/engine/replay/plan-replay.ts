import { formatNamespace, type Namespace } from '../../bson/namespace.ts';
import { documentLength, findElement, forEachDocument, MalformedBson } from '../../bson/raw-bson.ts';
import { formatTimestamp, type Timestamp64 } from '../../bson/timestamp.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { Fault, messageOf } from '../../lib/errors.ts';
import {
  commandName,
  commitTimestampOf,
  isUnfinishedTransactionEntry,
  mayCloseChain,
  type OplogEntry,
  readOplogEntry,
  transactionOf,
} from '../../oplog/entry.ts';
import { forEachOperation, handlingOf, type Operation } from '../../oplog/operations.ts';
import { OpenTransactions } from '../../oplog/transactions.ts';
import { changeCatalog, changeHeld, ReplayMismatch } from './change-state.ts';
import { type OplogSource, type ReplayEnd, reaches } from './replay-interval.ts';
import { copyOf, isHeld, isReplayed, type ReplayedSource, type ReplayState } from './replay-state.ts';

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
}

export interface UndecidedTransaction {
  /** As `transactionOf` has it: the same on every shard that takes part. */
  transaction: string;
  preparedAt: Timestamp64;
}

/** What became of a transaction: when its writes became visible, null where never. */
export type Decisions = ReadonlyMap<string, Timestamp64 | null>;

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
      const back = planning.take(buffer, offset);
      if (back !== null) await planning.followBack(back);
      planning.finishChain();
    }
    options.progress?.(planning.entries, planning.readTs);
    if (planning.isSettled) break;
  }
  for (const preparedAt of planning.decidedElsewhere()) {
    const back = planning.takeEffect(preparedAt);
    if (back !== null) await planning.followBack(back);
    planning.finishChain();
  }
  return planning.plan();
}

/** What a waiting entry will do to the state once its transaction takes effect. */
interface Deferred {
  buffer: Buffer;
  changes: Operation[];
  /** Collections written to, by UUID. */
  written: Map<string, Namespace>;
}

class Planning {
  readonly #options: PlanReplayOptions;
  readonly #state: ReplayState;
  readonly #open = new OpenTransactions<Deferred>();
  readonly #skipped = new Set<Timestamp64>();
  readonly #before: Timestamp64[] = [];
  /** The chain that is taking effect, oldest first; carried out by `finishChain`. */
  #chain: Deferred[] = [];
  #entries = 0;
  #lastTs: Timestamp64;
  #readTs: Timestamp64;

  constructor(options: PlanReplayOptions) {
    this.#options = options;
    this.#state = copyOf(options.state);
    this.#lastTs = options.from;
    this.#readTs = options.from;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Of the entry looked at last. */
  get readTs(): Timestamp64 {
    return this.#readTs;
  }

  /** Nothing that is still to come can matter. */
  get isSettled(): boolean {
    const { searchTo, end } = this.#options;
    if (searchTo === undefined || this.#readTs < searchTo || reaches(end, this.#readTs)) return false;
    return !this.#open.hasPrepared;
  }

  /** The last entries of transactions that took effect as another shard tells, oldest first. */
  decidedElsewhere(): Timestamp64[] {
    const { decisions = new Map(), from, end } = this.#options;
    const visible = this.#open.remaining().filter(({ prepared, transaction }) => {
      const at = prepared ? decisions.get(transaction) : undefined;
      return at !== undefined && at !== null && at > from && reaches(end, at);
    });
    return visible.map(({ ts }) => ts);
  }

  /** Looks at one entry. Returns where its transaction has to be followed back to before T, or null. */
  take(buffer: Buffer, offset: number): Timestamp64 | null {
    const entry = readOplogEntry(buffer, offset);
    if (entry.ts <= this.#options.from) return null;
    if (entry.ts <= this.#readTs) throw refused(entry.ts, new ReplayMismatch('the entries are not in order'));
    this.#readTs = entry.ts;
    try {
      return reaches(this.#options.end, entry.ts)
        ? this.#takeInside(buffer, offset, entry)
        : this.#takeLateDecision(buffer, entry);
    } catch (error) {
      throw refused(entry.ts, error);
    }
  }

  #takeInside(buffer: Buffer, offset: number, entry: OplogEntry): Timestamp64 | null {
    this.#entries++;
    this.#lastTs = entry.ts;
    if (isUnfinishedTransactionEntry(buffer, entry)) {
      const prepared = findElement(buffer, entry.o?.start ?? 0, 'prepare') !== null;
      const deferred = readWaiting(buffer, offset, entry, this.#state.source);
      const transaction = prepared ? transactionOf(buffer, offset) : '';
      this.#open.add({ ts: entry.ts, previousTs: entry.previousTs, prepared, transaction, deferred });
      return null;
    }
    if (isDecision(buffer, entry)) return this.#decide(buffer, entry);
    const back = mayCloseChain(buffer, entry) ? this.takeEffect(entry.previousTs) : null;
    this.#chain.push(readDeferred(buffer, entry, this.#state.source));
    return back;
  }

  /** Past the end only the commits of prepared transactions count, which may have been visible before it. */
  #takeLateDecision(buffer: Buffer, entry: OplogEntry): Timestamp64 | null {
    return isDecision(buffer, entry) ? this.#decide(buffer, entry) : null;
  }

  #decide(buffer: Buffer, entry: OplogEntry): Timestamp64 | null {
    const visibleFrom = commitTimestampOf(buffer, entry);
    const { from, end } = this.#options;
    // What was visible at T is in the snapshot already.
    if (visibleFrom !== null && visibleFrom > from && reaches(end, visibleFrom))
      return this.takeEffect(entry.previousTs);
    for (const { ts } of this.#open.take(entry.previousTs).entries) this.#skipped.add(ts);
    return null;
  }

  /** The chain that ends with the entry at `ts`. Returns where it goes on before T, or null. */
  takeEffect(ts: Timestamp64): Timestamp64 | null {
    const { entries, before } = this.#open.take(ts);
    this.#chain.push(...entries.map((entry) => entry.deferred));
    return before !== 0n && before <= this.#options.from ? before : null;
  }

  /** Adds the part of the chain that lies at or before T. */
  async followBack(from: Timestamp64): Promise<void> {
    const found: Timestamp64[] = [];
    for (let at = from; at !== 0n; ) {
      const buffer = await this.#options.source.earlier(at);
      if (buffer === null)
        throw refused(at, new ReplayMismatch('the beginning of a transaction is not there any more'));
      const entry = readOplogEntry(buffer, 0);
      // Chains of retryable writes look alike, but each of their entries took effect by itself.
      if (!isUnfinishedTransactionEntry(buffer, entry)) break;
      found.unshift(at);
      this.#chain.unshift(readDeferred(buffer, entry, this.#state.source));
      at = entry.previousTs;
    }
    this.#before.push(...found);
  }

  /** Carries out the catalog's part of what takes effect with the entry just taken. */
  finishChain(): void {
    const chain = this.#chain;
    this.#chain = [];
    try {
      for (const { buffer, changes, written } of chain) {
        for (const operation of changes) this.#change(buffer, operation);
        for (const [uuid, namespace] of written) this.#expectKnown(uuid, namespace);
      }
    } catch (error) {
      throw refused(this.#readTs, error);
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

  plan(): ReplayPlan {
    const remaining = this.#open.remaining();
    const { decisions } = this.#options;
    const undecided = remaining.filter(({ prepared, transaction }) => prepared && decisions?.has(transaction) !== true);
    for (const { ts } of remaining) this.#skipped.add(ts);
    return {
      from: this.#options.from,
      end: this.#options.end,
      state: this.#state,
      skipped: this.#skipped,
      before: this.#before,
      entries: this.#entries,
      lastTs: this.#lastTs,
      undecided: undecided.map(({ transaction, ts }) => ({ transaction, preparedAt: ts })),
    };
  }
}

function isDecision(buffer: Buffer, entry: OplogEntry): boolean {
  if (entry.op !== 'c') return false;
  const name = commandName(buffer, entry);
  return name === 'commitTransaction' || name === 'abortTransaction';
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
