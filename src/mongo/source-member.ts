import { type ClientSession, type Document, type MongoClient, Timestamp } from 'mongodb';
import { type Optime, type Timestamp64, timestampOf, timestampParts } from '../bson/timestamp.ts';
import { throwIfAborted } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import { Cancelled, Fault } from '../lib/errors.ts';
import { type RawBatch, readRawBatch } from './raw-reply.ts';
import type { SharedTime } from './shared-time.ts';

/** Of a read whose later batches are measured in bytes. */
export const FIRST_BATCH_DOCUMENTS = 1000;

/**
 * One member of the source, read directly: cursors, resume tokens and record ids are its own and mean nothing on
 * another.
 */
export class SourceMember {
  readonly client: MongoClient;
  readonly host: string;
  /**
   * Who is asked which collections, options and indexes there are: this member, or another where this one builds no
   * indexes (`buildIndexes: false`) and so has a catalog that is not the set's.
   */
  readonly catalog: SourceMember;

  constructor(client: MongoClient, host: string, catalog: SourceMember | null = null) {
    this.client = client;
    this.host = host;
    this.catalog = catalog ?? this;
  }

  /** Explicit and not causally consistent: the server refuses `atClusterTime` in a session that is. */
  startSession(): ClientSession {
    return this.client.startSession({ causalConsistency: false });
  }

  async command(db: string, command: Document, signal: AbortSignal): Promise<Document> {
    throwIfAborted(signal);
    try {
      return await this.client.db(db).command(command, { signal });
    } catch (error) {
      throw signal.aborted ? new Cancelled() : error;
    }
  }

  /** Runs a command that answers with a cursor and leaves its documents raw. */
  async rawCursor(db: string, command: Document, session: ClientSession, signal: AbortSignal): Promise<RawBatch> {
    throwIfAborted(signal);
    try {
      const reply = await this.client.db(db).command(command, { raw: true, session, signal });
      assert(Buffer.isBuffer(reply.cursor), 'a raw reply holds its cursor as bytes');
      return readRawBatch(reply.cursor);
    } catch (error) {
      throw signal.aborted ? new Cancelled() : error;
    }
  }

  /**
   * All documents of a cursor command, in batches; the cursor is closed when the reader stops early. Batches after the
   * first hold `batchSize` documents at most, or, with `batchBytes`, about so many bytes by what the one before held.
   */
  async *rawBatches(
    db: string,
    command: Document,
    signal: AbortSignal,
    options: { batchSize?: number; batchBytes?: number } = {},
  ): AsyncGenerator<RawBatch, void, undefined> {
    const session = this.startSession();
    let cursorId = 0n;
    let ns = '';
    try {
      let batch = await this.rawCursor(db, command, session, signal);
      for (;;) {
        cursorId = batch.cursorId;
        ns = batch.ns;
        // The next batch is on its way while the caller works on this one; at most these two are held.
        const size = options.batchBytes === undefined ? options.batchSize : sizeFor(options.batchBytes, batch);
        const next = cursorId === 0n ? null : this.#getMore(db, ns, cursorId, session, signal, size);
        next?.catch(() => undefined);
        yield batch;
        if (next === null) return;
        batch = await next;
      }
    } finally {
      if (cursorId !== 0n && !signal.aborted) await this.#killCursor(db, ns, cursorId);
      await session.endSession().catch(() => undefined);
    }
  }

  #getMore(
    db: string,
    ns: string,
    cursorId: bigint,
    session: ClientSession,
    signal: AbortSignal,
    batchSize: number | undefined,
  ): Promise<RawBatch> {
    const collection = ns.slice(ns.indexOf('.') + 1);
    const limit = batchSize === undefined ? {} : { batchSize };
    return this.rawCursor(db, { getMore: cursorId, collection, ...limit }, session, signal);
  }

  /**
   * Best effort: the server times an idle cursor out by itself, and the error that brought us here is the one to
   * report.
   */
  async #killCursor(db: string, ns: string, cursorId: bigint): Promise<void> {
    const collection = ns.slice(ns.indexOf('.') + 1);
    await this.client
      .db(db)
      .command({ killCursors: collection, cursors: [cursorId] }, { timeoutMS: 2_000 })
      .catch(() => undefined);
  }

  /**
   * Newest majority-committed entry, as this member knows it: every read at or before it is repeatable and can never be
   * rolled back.
   */
  async majorityOptime(signal: AbortSignal): Promise<Optime> {
    const hello = await this.command('admin', { hello: 1 }, signal);
    const optime = hello.lastWrite?.majorityOpTime as { ts: Timestamp; t: unknown } | undefined;
    if (optime === undefined) {
      throw new Fault({
        op: 'hello',
        subject: this.host,
        message: `${this.host} has no majority-committed write yet`,
        retryable: true,
      });
    }
    if (hello.isWritablePrimary !== true && hello.secondary !== true) {
      throw new Fault({
        op: 'hello',
        subject: this.host,
        message: `${this.host} is neither primary nor secondary`,
        retryable: true,
      });
    }
    return { ts: timestampOf(optime.ts), term: BigInt(String(optime.t)) };
  }

  /** Newest majority-committed time, with what makes the rest of a sharded cluster believe it. */
  async sharedTime(signal: AbortSignal): Promise<SharedTime> {
    const hello = await this.command('admin', { hello: 1 }, signal);
    const ts = hello.lastWrite?.majorityOpTime?.ts as Timestamp | undefined;
    return { ts: ts === undefined ? 0n : timestampOf(ts), gossip: hello.$clusterTime ?? null };
  }

  async isPrimary(signal: AbortSignal): Promise<boolean> {
    return (await this.command('admin', { hello: 1 }, signal)).isWritablePrimary === true;
  }

  /**
   * Whether its catalog is the set's: a member that builds no indexes lists none. Every member says so of itself, to
   * anybody (`hello`).
   */
  async buildsIndexes(signal: AbortSignal): Promise<boolean> {
    return (await this.command('admin', { hello: 1 }, signal)).buildIndexes !== false;
  }
}

export function bsonTimestamp(ts: Timestamp64): Timestamp {
  return new Timestamp(timestampParts(ts));
}

/** How many documents like those of the batch make so many bytes. */
function sizeFor(bytes: number, { count, documents }: RawBatch): number {
  return count === 0 ? FIRST_BATCH_DOCUMENTS : Math.max(1, Math.round((bytes * count) / documents.length));
}
