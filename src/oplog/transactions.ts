import type { Timestamp64 } from '../bson/timestamp.ts';

/** An entry of a transaction that takes effect, if at all, with a later entry. */
export interface WaitingEntry<Deferred> {
  ts: Timestamp64;
  previousTs: Timestamp64;
  prepared: boolean;
  /** Which one it is, on whatever shard. */
  transaction: string;
  /** What is to be done when the transaction takes effect. */
  deferred: Deferred;
}

/** The transactions that are not decided yet, as chains of entries by `prevOpTime`. */
export class OpenTransactions<Deferred> {
  readonly #waiting = new Map<Timestamp64, WaitingEntry<Deferred>>();

  add(entry: WaitingEntry<Deferred>): void {
    this.#waiting.set(entry.ts, entry);
  }

  /**
   * Takes the chain that ends at `ts` out. `entries` oldest first; `before` is where the chain goes on towards entries
   * that were never added, 0 where it began with one that was.
   */
  take(ts: Timestamp64): { entries: WaitingEntry<Deferred>[]; before: Timestamp64 } {
    const entries: WaitingEntry<Deferred>[] = [];
    let at = ts;
    for (let found = this.#waiting.get(at); found !== undefined; found = this.#waiting.get(at)) {
      this.#waiting.delete(at);
      entries.unshift(found);
      at = found.previousTs;
    }
    return { entries, before: at };
  }

  /** Whether a prepared one waits for its decision. */
  get hasPrepared(): boolean {
    for (const { prepared } of this.#waiting.values()) if (prepared) return true;
    return false;
  }

  /** The entries of transactions that were not decided. */
  remaining(): WaitingEntry<Deferred>[] {
    return [...this.#waiting.values()];
  }
}
