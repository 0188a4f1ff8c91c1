import { BSON, type Document } from 'mongodb';
import { documentOf } from '../../src/bson/raw-bson.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { WireConnection, WireError } from '../support/wire.ts';
import { raw } from './raw-values.ts';

/** Errors of a primary that went away: the writer waits for the next one. */
const LOST = new Set([10107, 13435, 11600, 11602, 189, 91, 13436]);

/**
 * One client of the workload: a connection, a session, and chance of its own. Operations may fail in any way that the
 * server answers: names come and go, ids collide, transactions conflict. What counts is what the server did.
 */
export class Writer {
  readonly random: SeededRandom;
  readonly #port: () => Promise<number>;
  readonly #lsid = { id: new BSON.UUID() };
  #connection: WireConnection | null = null;
  #transactionNumber = 0;
  /** How often each kind of operation was done and refused. */
  readonly done = new Map<string, number>();
  readonly refused = new Map<string, number>();

  constructor(random: SeededRandom, port: () => Promise<number>) {
    this.random = random;
    this.#port = port;
  }

  async wire(): Promise<WireConnection> {
    this.#connection ??= await WireConnection.open(await this.#port());
    return this.#connection;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }

  /** Runs an operation to its end, whatever that is; only what is no answer of a server is thrown. */
  async attempt(kind: string, operation: (writer: Writer) => Promise<unknown>): Promise<void> {
    try {
      await operation(this);
      this.done.set(kind, (this.done.get(kind) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof WireError) && this.#connection !== null && !isLost(error)) throw error;
      if (!(error instanceof WireError) || LOST.has(error.code)) this.close();
      this.refused.set(kind, (this.refused.get(kind) ?? 0) + 1);
    }
  }

  /** Fields of a write that is retryable: the server then keeps images for it. */
  retryable(): Document {
    return { lsid: this.#lsid, txnNumber: BSON.Long.fromNumber(++this.#transactionNumber) };
  }

  /** Fields of the first operation of a new transaction, and those of all that follow. */
  transaction(): { first: Document; later: Document } {
    const later = { ...this.retryable(), autocommit: false };
    return { first: { ...later, startTransaction: true }, later };
  }

  async run(db: string, command: Document): Promise<Document> {
    return await (await this.wire()).command({ ...command, $db: db });
  }

  async insert(at: Place, documents: readonly Buffer[], more: Document = {}): Promise<void> {
    const command = { insert: at.name, ordered: false, ...more, $db: at.db };
    await (await this.wire()).command(command, [{ field: 'documents', documents }]);
  }

  async update(at: Place, updates: readonly Update[], more: Document = {}): Promise<void> {
    const command = { update: at.name, ordered: false, ...more, $db: at.db };
    await (await this.wire()).command(command, [{ field: 'updates', documents: updates.map(encodeUpdate) }]);
  }

  async remove(at: Place, deletes: readonly { q: Buffer; limit: 0 | 1 }[], more: Document = {}): Promise<void> {
    const command = { delete: at.name, ordered: false, ...more, $db: at.db };
    const documents = deletes.map(({ q, limit }) =>
      documentOf([
        { name: 'q', type: 0x03, value: q },
        { name: 'limit', ...int32(limit) },
      ]),
    );
    await (await this.wire()).command(command, [{ field: 'deletes', documents }]);
  }

  async findAndModify(at: Place, query: Buffer, more: Document): Promise<void> {
    const head = raw({ findAndModify: at.name });
    const middle = documentOf([{ name: 'query', type: 0x03, value: query }]);
    const whole = joined(head, middle, raw({ ...more, $db: at.db }));
    await (await this.wire()).command(whole);
  }
}

export interface Place {
  db: string;
  name: string;
}

export interface Update {
  q: Buffer;
  /** A document (operators or a replacement), or an array: a pipeline. */
  u: { type: 0x03 | 0x04; value: Buffer };
  multi?: boolean;
  upsert?: boolean;
  more?: Document;
}

function encodeUpdate(update: Update): Buffer {
  const head = documentOf([
    { name: 'q', type: 0x03, value: update.q },
    { name: 'u', ...update.u },
  ]);
  return joined(head, raw({ multi: update.multi ?? false, upsert: update.upsert ?? false, ...update.more }));
}

/** One document of the elements of all of them. */
function joined(...documents: readonly Buffer[]): Buffer {
  const elements = documents.map((document) => document.subarray(4, document.length - 1));
  const whole = Buffer.concat([Buffer.alloc(4), ...elements, Buffer.alloc(1)]);
  whole.writeInt32LE(whole.length);
  return whole;
}

function int32(value: number): { type: number; value: Buffer } {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return { type: 0x10, value: buffer };
}

function isLost(error: unknown): boolean {
  return (
    error instanceof Error &&
    /ECONN|EPIPE|closed the connection/.test(`${error.message} ${(error as { code?: string }).code}`)
  );
}
