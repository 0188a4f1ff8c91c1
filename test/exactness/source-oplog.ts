import type { MongoClient } from 'mongodb';
import { findElement, forEachDocument, forEachElement } from '../../src/bson/raw-bson.ts';
import { type Timestamp64, timestampOf } from '../../src/bson/timestamp.ts';
import type { OplogSource } from '../../src/engine/replay/replay-interval.ts';
import { readOplogRaw } from '../../src/mongo/oplog-reader.ts';
import { SourceMember } from '../../src/mongo/source-member.ts';
import { readOplogEntry } from '../../src/oplog/entry.ts';
import { forEachOperation } from '../../src/oplog/operations.ts';
import { decisionOf, isPrepared } from '../../src/oplog/transactions.ts';

/** One entry of the oplog as a test chooses points by it. */
export interface Moment {
  ts: Timestamp64;
  op: string;
  /** Whether some prepared transaction was undecided right after the entry. */
  undecided: boolean;
  /**
   * Whether the entry is a diff with a name twice, which the source wrote about a document with a name twice: no member
   * and no recovery applies it (seen on 6.0.5).
   */
  inapplicable: boolean;
}

/**
 * The oplog of a live source in place of stored slices: all of it is read once, so that every restore replays the same
 * bytes.
 */
export class SourceOplog implements OplogSource {
  readonly #buffers: Buffer[] = [];
  readonly #byTs = new Map<Timestamp64, Buffer>();
  readonly moments: Moment[] = [];

  static async read(client: MongoClient): Promise<SourceOplog> {
    const member = new SourceMember(client, 'the source');
    const signal = new AbortController().signal;
    const first = await client
      .db('local')
      .collection('oplog.rs')
      .findOne({}, { sort: { $natural: 1 } });
    const to = await member.majorityOptime(signal);
    const oplog = new SourceOplog();
    const from = { ts: timestampOf(first?.ts), term: BigInt(String(first?.t ?? -1)) };
    for await (const { documents } of readOplogRaw(member, from, to.ts, signal)) oplog.#add(Buffer.from(documents));
    oplog.#markUndecided();
    return oplog;
  }

  #add(buffer: Buffer): void {
    this.#buffers.push(buffer);
    forEachDocument(buffer, (offset, length) => {
      const entry = readOplogEntry(buffer, offset);
      this.#byTs.set(entry.ts, buffer.subarray(offset, offset + length));
      let inapplicable = false;
      forEachOperation(buffer, entry, ({ op, o }) => {
        const diff = op === 'u' ? findElement(buffer, o.start, 'diff') : null;
        if (diff !== null && findElement(buffer, o.start, '$v') !== null)
          inapplicable ||= repeatsInDiff(buffer, diff.start);
      });
      this.moments.push({ ts: entry.ts, op: entry.op, undecided: false, inapplicable });
    });
  }

  #markUndecided(): void {
    const open = new Set<Timestamp64>();
    for (const moment of this.moments) {
      const buffer = this.#byTs.get(moment.ts) as Buffer;
      const entry = readOplogEntry(buffer, 0);
      if (isPrepared(buffer, entry)) open.add(entry.ts);
      if (decisionOf(buffer, entry) !== null) open.delete(entry.previousTs);
      moment.undecided = open.size > 0;
    }
  }

  async *entries(): AsyncGenerator<Buffer, void, undefined> {
    yield* this.#buffers;
  }

  async earlier(ts: Timestamp64): Promise<Buffer | null> {
    return this.#byTs.get(ts) ?? null;
  }

  /** Where the entry at `ts` stands among `moments`. */
  indexOf(ts: Timestamp64): number {
    return this.moments.findIndex((moment) => moment.ts === ts);
  }
}

function repeatsInDiff(buffer: Buffer, offset: number): boolean {
  const names: string[] = [];
  let within = false;
  forEachElement(buffer, offset, (section, { type, start }) => {
    if (section.startsWith('s')) within ||= repeatsInDiff(buffer, start);
    if (!['d', 'u', 'i'].includes(section) || type !== 0x03) names.push(section.slice(1));
    else {
      forEachElement(buffer, start, (name) => {
        names.push(name);
        return true;
      });
    }
    return true;
  });
  return within || new Set(names).size < names.length;
}
