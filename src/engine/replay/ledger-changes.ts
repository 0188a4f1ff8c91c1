import { findId, idBytes } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { changedDocument, isModification } from '../../oplog/diffs.ts';
import type { Operation } from '../../oplog/operations.ts';

/** What an interval made of one document. */
interface Change {
  /** The document as a whole; null where it is gone, or where only changes of it are known. */
  document: Buffer | null;
  /** Of the base's document, in order: entries' `o`, each by itself. */
  diffs: Buffer[];
  /** There has to be one in the base for it. */
  needsBase: boolean;
}

/**
 * What an interval did to a collection of which there may be too much to hold: only what it touched is held, and laid
 * over the snapshot's documents as they go by. Pure.
 */
export class LedgerChanges {
  /** By the hex of the id element. */
  readonly #changes = new Map<string, Change>();
  /** Dropped, or made anew: the snapshot's documents are none of it. */
  #withoutBase = false;

  /** Before anything was changed. */
  copy(): LedgerChanges {
    assert(this.#changes.size === 0 && !this.#withoutBase, 'what is copied is the state at the snapshot');
    return new LedgerChanges();
  }

  clear(): void {
    this.#changes.clear();
    this.#withoutBase = true;
  }

  /** False where the document to be changed is known not to be there. */
  write(buffer: Buffer, { op, o, o2, upsert }: Pick<Operation, 'op' | 'o' | 'o2' | 'upsert'>): boolean {
    const id = findId(buffer, op === 'u' && o2 !== null ? o2.start : o.start);
    if (id === null) return false;
    const key = idBytes(buffer, id).toString('hex');
    const before = this.#changes.get(key);
    if (op === 'd') {
      this.#changes.set(key, { document: null, diffs: [], needsBase: false });
      return true;
    }
    const own = Buffer.from(buffer.subarray(o.start, o.end));
    const isWhole = op === 'i' || !isModification(buffer, o);
    const isGone = before === undefined ? this.#withoutBase : before.document === null && before.diffs.length === 0;
    if (op === 'u' && isGone && !(upsert && isWhole)) return false;
    if (isWhole) {
      const needsBase = before?.needsBase === true || (op === 'u' && !upsert && before === undefined);
      // The server keeps `_id` first, as `changedDocument` does.
      const document = op === 'i' ? own : changedDocument(own, own, { type: 0x03, start: 0, end: own.length });
      this.#changes.set(key, { document, diffs: [], needsBase });
    } else if (before !== undefined && before.document !== null) {
      const document = changedDocument(before.document, own, { type: 0x03, start: 0, end: own.length });
      this.#changes.set(key, { ...before, document });
    } else this.#changes.set(key, { document: null, diffs: [...(before?.diffs ?? []), own], needsBase: true });
    return true;
  }

  /** Whether something can only be known to fit once the base was gone through. */
  get needsBase(): boolean {
    return [...this.#changes.values()].some((change) => change.needsBase);
  }

  /**
   * The documents at the end of the interval, in no order that means anything. `missing` is called for a change of a
   * document that the base does not have.
   */
  async *over(base: AsyncIterable<Buffer>, missing: (id: string) => never): AsyncGenerator<Buffer, void, undefined> {
    const met = new Set<string>();
    if (!this.#withoutBase) {
      for await (const document of base) {
        const id = findId(document, 0);
        const key = id === null ? '' : idBytes(document, id).toString('hex');
        const change = this.#changes.get(key);
        if (change === undefined) yield document;
        else {
          met.add(key);
          const now = change.diffs.reduce(changedBy, change.diffs.length > 0 ? document : change.document);
          if (now !== null) yield now;
        }
      }
    }
    for (const [key, { document, needsBase }] of this.#changes) {
      if (met.has(key)) continue;
      if (needsBase) missing(key);
      if (document !== null) yield document;
    }
  }
}

function changedBy(document: Buffer | null, diff: Buffer): Buffer | null {
  assert(document !== null, 'a diff is of a document');
  return changedDocument(document, diff, { type: 0x03, start: 0, end: diff.length });
}
