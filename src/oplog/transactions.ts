import { findElement } from '../bson/raw-bson.ts';
import type { Timestamp64 } from '../bson/timestamp.ts';
import { assert } from '../lib/assert.ts';
import { isTrue, type OplogEntry, type PositionedEntry, readOplogEntry, timestampAt, transactionOf } from './entry.ts';
import { effectOf } from './operations.ts';

/**
 * True for the entries of a transaction that more entries follow or that wait for a decision: `partialTxn`, `prepare`.
 */
export function isUnfinishedTransactionEntry(buffer: Buffer, { op, o }: OplogEntry): boolean {
  if (op !== 'c' || o === null) return false;
  return ['partialTxn', 'prepare'].some((name) => isTrue(buffer, findElement(buffer, o.start, name)));
}

/** Whether the entry is the last part of a transaction that was prepared. */
export function isPrepared(buffer: Buffer, entry: OplogEntry): boolean {
  if (!isUnfinishedTransactionEntry(buffer, entry) || entry.o === null) return false;
  return findElement(buffer, entry.o.start, 'prepare') !== null;
}

/**
 * True where the operations of a chain take effect with this entry, so that entries before it count too. Followed
 * through `previousTs` for as long as `isUnfinishedTransactionEntry` holds there: chains of retryable writes look alike
 * but each of their entries took effect by itself.
 */
export function mayCloseChain(buffer: Buffer, entry: OplogEntry): boolean {
  if (entry.op !== 'c' || entry.previousTs === 0n || entry.appliedSeparately) return false;
  const effect = effectOf(buffer, entry);
  return effect === 'operations' || effect === 'transactionCommitted';
}

/**
 * What an entry decides about a prepared transaction: the time at which its writes become visible, at or before the
 * entry's own, or null where they never will. Null in its whole where the entry decides nothing.
 */
export function decisionOf(buffer: Buffer, entry: OplogEntry): { visibleAt: Timestamp64 | null } | null {
  const effect = effectOf(buffer, entry);
  if (effect === 'transactionAborted') return { visibleAt: null };
  if (effect !== 'transactionCommitted' || entry.o === null) return null;
  const at = findElement(buffer, entry.o.start, 'commitTimestamp');
  return { visibleAt: at === null ? entry.ts : timestampAt(buffer, at) };
}

/**
 * The entries of a transaction from the one at `ts` back, as long as they are parts that wait for a later entry to take
 * effect; oldest first. Where one is not there, `missing` is told: what it returns from ends the chain there.
 */
export async function unfinishedChain(
  ts: Timestamp64,
  entryAt: (ts: Timestamp64) => Promise<PositionedEntry | null>,
  missing: (ts: Timestamp64) => void,
): Promise<PositionedEntry[]> {
  const chain: PositionedEntry[] = [];
  for (let at = ts; at !== 0n; ) {
    const found = await entryAt(at);
    if (found === null) {
      missing(at);
      break;
    }
    if (!isUnfinishedTransactionEntry(found.buffer, found.entry)) break;
    assert(found.entry.previousTs < at, 'a transaction goes back in time');
    chain.push(found);
    at = found.entry.previousTs;
  }
  return chain.reverse();
}

/** What became of a transaction, by `transactionOf`: when its writes became visible, null where never. */
export type Decisions = ReadonlyMap<string, Timestamp64 | null>;

export interface VisibilityOptions<Effect> {
  /** What was visible at this time is known already: entries at or before it are passed over. */
  from: Timestamp64;
  /** Whether what becomes visible at the time counts. Entries at other times are looked at for decisions only. */
  reaches(ts: Timestamp64): boolean;
  /** What the entry at the offset does once it takes effect. */
  read(buffer: Buffer, offset: number, entry: OplogEntry): Effect;
  /** The same of an entry that waits, and so outlives its buffer. */
  readWaiting(buffer: Buffer, offset: number, entry: OplogEntry): Effect;
  /** An entry at or before `from`; null where it is not there any more. */
  earlier(ts: Timestamp64): Promise<Buffer | null>;
  /** A part of a transaction that took effect is not there any more. May throw. */
  missing(ts: Timestamp64): void;
}

/** The operations of one entry, as they take effect. */
export interface VisibleEffect<Effect> {
  /** The entry that holds them, which may be older than what it takes effect with. */
  ts: Timestamp64;
  effect: Effect;
}

interface WaitingEntry<Effect> extends VisibleEffect<Effect> {
  previousTs: Timestamp64;
  prepared: boolean;
  /** Which one it is, on whatever shard. */
  transaction: string;
}

/**
 * The order in which the entries of an oplog become visible. Entries are given in the order of the oplog; each gives
 * the effects that become visible with it: its own, or where it ends a transaction, those of all its entries, oldest
 * first.
 */
export class VisibleOrder<Effect> {
  readonly #options: VisibilityOptions<Effect>;
  /** The parts of transactions that are not decided yet, as chains by `previousTs`. */
  readonly #waiting = new Map<Timestamp64, WaitingEntry<Effect>>();
  #readTs: Timestamp64;

  constructor(options: VisibilityOptions<Effect>) {
    this.#options = options;
    this.#readTs = options.from;
  }

  /** Of the entry given last. */
  get readTs(): Timestamp64 {
    return this.#readTs;
  }

  /** Whether a prepared transaction waits for its decision. */
  get hasPrepared(): boolean {
    for (const { prepared } of this.#waiting.values()) if (prepared) return true;
    return false;
  }

  /** The entries of transactions that were not decided, oldest first. */
  remaining(): { ts: Timestamp64; prepared: boolean; transaction: string }[] {
    return [...this.#waiting.values()];
  }

  /**
   * The effects that become visible with the entry; a promise only where its transaction began at or before `from`.
   * `leftOut` is told the parts of transactions that never become visible, or not within reach.
   */
  take(
    buffer: Buffer,
    offset: number,
    entry: OplogEntry,
    leftOut?: (ts: Timestamp64) => void,
  ): VisibleEffect<Effect>[] | Promise<VisibleEffect<Effect>[]> {
    const { from, reaches, read, readWaiting } = this.#options;
    if (entry.ts <= from) return [];
    assert(entry.ts > this.#readTs, 'entries are given in order');
    this.#readTs = entry.ts;
    const decision = decisionOf(buffer, entry);
    if (decision !== null) return this.#decide(entry.previousTs, decision.visibleAt, leftOut);
    if (!reaches(entry.ts)) return [];
    const { ts, previousTs } = entry;
    if (isUnfinishedTransactionEntry(buffer, entry)) {
      const prepared = isPrepared(buffer, entry);
      const transaction = prepared ? transactionOf(buffer, offset) : '';
      this.#waiting.set(ts, { ts, previousTs, prepared, transaction, effect: readWaiting(buffer, offset, entry) });
      return [];
    }
    const own = [{ ts, effect: read(buffer, offset, entry) }];
    return mayCloseChain(buffer, entry) ? this.#chain(previousTs, own) : own;
  }

  /**
   * The effects of prepared transactions of which it is known from elsewhere that they were committed, one transaction
   * after another.
   */
  async *decided(decisions: Decisions): AsyncGenerator<VisibleEffect<Effect>[], void, undefined> {
    const { from, reaches } = this.#options;
    for (const { ts, prepared, transaction } of this.remaining()) {
      const at = prepared ? decisions.get(transaction) : undefined;
      if (at !== undefined && at !== null && at > from && reaches(at)) yield await this.#chain(ts, []);
    }
  }

  #decide(
    ts: Timestamp64,
    visibleAt: Timestamp64 | null,
    leftOut: ((ts: Timestamp64) => void) | undefined,
  ): VisibleEffect<Effect>[] | Promise<VisibleEffect<Effect>[]> {
    const { from, reaches } = this.#options;
    if (visibleAt !== null && visibleAt > from && reaches(visibleAt)) return this.#chain(ts, []);
    for (const part of this.#removeChain(ts).parts) leftOut?.(part.ts);
    return [];
  }

  /** The effects of the chain that ends with the entry at `ts`, and behind it `last`. */
  #chain(ts: Timestamp64, last: VisibleEffect<Effect>[]): VisibleEffect<Effect>[] | Promise<VisibleEffect<Effect>[]> {
    const { parts, before } = this.#removeChain(ts);
    const found = parts.length === 0 ? last : [...parts.map((part) => ({ ts: part.ts, effect: part.effect })), ...last];
    // What lies between was given, and is none of a transaction.
    if (before === 0n || before > this.#options.from) return found;
    return this.#earlierParts(before).then((earlier) => [...earlier, ...found]);
  }

  async #earlierParts(ts: Timestamp64): Promise<VisibleEffect<Effect>[]> {
    const { earlier, missing, read } = this.#options;
    const entryAt = async (at: Timestamp64) => {
      const buffer = await earlier(at);
      return buffer === null ? null : { buffer, entry: readOplogEntry(buffer, 0) };
    };
    const chain = await unfinishedChain(ts, entryAt, missing);
    return chain.map(({ buffer, entry }) => ({ ts: entry.ts, effect: read(buffer, 0, entry) }));
  }

  /** `before` is where the chain goes on towards entries that were never given, 0 where it began with one that was. */
  #removeChain(ts: Timestamp64): { parts: WaitingEntry<Effect>[]; before: Timestamp64 } {
    const parts: WaitingEntry<Effect>[] = [];
    let at = ts;
    for (let found = this.#waiting.get(at); found !== undefined; found = this.#waiting.get(at)) {
      this.#waiting.delete(at);
      parts.unshift(found);
      at = found.previousTs;
    }
    return { parts, before: at };
  }
}
