import type { Document, MongoServerError } from 'mongodb';
import { formatNamespace, type Namespace, parseNamespace } from '../bson/namespace.ts';
import { findElement } from '../bson/raw-bson.ts';
import { RawValue } from '../bson/raw-value.ts';
import { assert } from '../lib/assert.ts';
import { Cancelled, Fault, messageOf } from '../lib/errors.ts';
import { allowMixedSchema } from './bulk-writer.ts';
import { asFault, isMixedSchema } from './errors.ts';
import type { RestoreTarget } from './target.ts';

/**
 * A batch is one command and, on servers before 6.2, one oplog entry of the target: both have to stay below 16 MiB. A
 * single operation may be larger than a batch.
 */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
const BATCH_OPERATIONS_MAX = 1000;
const FIRST_BYTES = 64 * 1024;
const MESSAGE_MAX = 300;

/** A write to replay: raw parts of an oplog entry. */
export interface RawWrite {
  op: 'i' | 'u' | 'd';
  /** Of the target. */
  namespace: string;
  o: Uint8Array;
  o2: Uint8Array | null;
  /** An update that may insert. */
  upsert?: boolean;
}

/** The operations of one command, as the bytes of a BSON array. */
class Batch {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 4;
  count = 0;

  get length(): number {
    return this.#length;
  }

  add({ op, namespace, o, o2, upsert = false }: RawWrite): void {
    const nameBytes = Buffer.byteLength(namespace);
    const size =
      4 + 10 + (4 + 4 + nameBytes + 1) + (3 + o.length) + (o2 === null ? 0 : 4 + o2.length) + (upsert ? 4 : 0) + 1;
    this.#reserve(size + 16);
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = 0x03;
    at += bytes.write(String(this.count), at, 'latin1');
    bytes[at++] = 0;
    const start = at;
    at = bytes.writeInt32LE(size, at);
    at += bytes.write('\x02op\0\x02\0\0\0', at, 'latin1');
    at += bytes.write(op, at, 'latin1');
    bytes[at++] = 0;
    at += bytes.write('\x02ns\0', at, 'latin1');
    at = bytes.writeInt32LE(nameBytes + 1, at);
    at += bytes.write(namespace, at, 'utf8');
    bytes[at++] = 0;
    at += bytes.write('\x03o\0', at, 'latin1');
    bytes.set(o, at);
    at += o.length;
    if (o2 !== null) {
      at += bytes.write('\x03o2\0', at, 'latin1');
      bytes.set(o2, at);
      at += o2.length;
    }
    if (upsert) at += bytes.write('\x08b\0\x01', at, 'latin1');
    bytes[at++] = 0;
    assert(at - start === size, 'the length of an operation is as reckoned');
    this.#length = at;
    this.count++;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  finish(): Buffer {
    this.#bytes[this.#length] = 0;
    this.#bytes.writeInt32LE(this.#length + 1, 0);
    return this.#bytes.subarray(0, this.#length + 1);
  }
}

/**
 * Replays writes on a target by `applyOps`, many to a command: lanes run side by side, each in order. Validation is
 * bypassed, and an update of a document that is not there is an error (the server would otherwise make one up). Memory
 * is bounded: of each lane at most two batches are held.
 */
export class OplogApplier {
  readonly #target: RestoreTarget;
  readonly #lanes: { batch: Batch; sending: Promise<void> | null }[];
  #failure: { error: unknown } | null = null;
  /** Operations that the target has confirmed. */
  applied = 0;

  constructor(target: RestoreTarget, lanes: number) {
    assert(lanes >= 1, 'an applier has a lane');
    this.#target = target;
    this.#lanes = Array.from({ length: lanes }, () => ({ batch: new Batch(), sending: null }));
  }

  /** Takes a write, copying it. A promise is returned where the lane has no room: wait for it before the next write. */
  write(lane: number, write: RawWrite): Promise<void> | undefined {
    const { batch } = this.#lane(lane);
    const size = write.o.length + (write.o2?.length ?? 0);
    if (batch.count > 0 && batch.length + size > BATCH_BYTES_MAX)
      return this.#send(lane).then(() => this.#add(lane, write));
    return this.#add(lane, write);
  }

  #add(lane: number, write: RawWrite): Promise<void> | undefined {
    const { batch } = this.#lane(lane);
    batch.add(write);
    return batch.count >= BATCH_OPERATIONS_MAX || batch.length >= BATCH_BYTES_MAX ? this.#send(lane) : undefined;
  }

  #lane(lane: number): { batch: Batch; sending: Promise<void> | null } {
    const found = this.#lanes[lane];
    assert(found !== undefined, `there is no lane ${lane}`);
    return found;
  }

  /** Sends what the lane holds as soon as what it sent before has been applied; returns when it is on its way. */
  async #send(number: number): Promise<void> {
    const lane = this.#lane(number);
    await lane.sending;
    this.#throwFailure();
    const { batch } = lane;
    if (batch.count === 0) return;
    lane.batch = new Batch();
    lane.sending = this.#apply(batch).catch((error: unknown) => {
      this.#failure ??= { error };
    });
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  /** Returns when everything written so far has been applied. */
  async flush(): Promise<void> {
    await Promise.all(this.#lanes.map((_, lane) => this.#send(lane)));
    await Promise.all(this.#lanes.map(({ sending }) => sending));
    this.#throwFailure();
  }

  /** Waits for what is under way, whatever comes of it: after a failure, before the connection is closed. */
  async settle(): Promise<void> {
    await Promise.all(this.#lanes.map(({ sending }) => sending));
  }

  async #apply(batch: Batch): Promise<void> {
    const operations = batch.finish();
    const command: Document = {
      applyOps: new RawValue('applyOps', 0x04, operations),
      alwaysUpsert: false,
      bypassDocumentValidation: true,
      writeConcern: { w: 1 },
    };
    const reply = await this.#command(command, operations);
    const refused = (reply.results as boolean[]).filter((result) => !result).length;
    assert(
      refused === 0 && reply.applied === batch.count,
      `the target applied ${String(reply.applied)} of ${batch.count}`,
    );
    this.applied += batch.count;
  }

  /** A series that the target takes no buckets of mixed types into is told to, once each. */
  async #command(command: Document, operations: Buffer): Promise<Document> {
    const told = new Set<string>();
    for (;;) {
      try {
        return await this.#target.command('admin', command);
      } catch (error) {
        if (error instanceof Cancelled) throw error;
        const buckets = mixedBuckets(error, operations);
        if (buckets === null || told.has(formatNamespace(buckets))) throw refusal(error);
        told.add(formatNamespace(buckets));
        await allowMixedSchema(this.#target.db(buckets.db), buckets.name, this.#target.signal);
      }
    }
  }

  /** Carries out a command entry that has no command of its own name. Everything before it must have been flushed. */
  async command(db: string, o: Document): Promise<void> {
    const operation = { op: 'c', ns: `${db}.$cmd`, o };
    try {
      await this.#target.command('admin', { applyOps: [operation], writeConcern: { w: 1 } });
    } catch (error) {
      throw asFault(error, `replay ${Object.keys(o)[0] ?? ''}`, db);
    }
  }
}

/**
 * Into which collection a bucket of mixed types was to be inserted. Null where that is not what was refused, or where
 * some of the operations took effect: writes alone are applied together or not at all (6.0).
 */
function mixedBuckets(error: unknown, operations: Buffer): Namespace | null {
  if (!isMixedSchema(error)) return null;
  const { applied, results } = (error as MongoServerError).errorResponse;
  if (!(results as boolean[]).every((result) => !result)) return null;
  const operation = findElement(operations, 0, String(Number(applied) - 1));
  const ns = operation === null ? null : findElement(operations, operation.start, 'ns');
  return ns === null ? null : parseNamespace(operations.toString('utf8', ns.start + 4, ns.end - 1));
}

function refusal(error: unknown): unknown {
  const fault = asFault(error, 'replay', 'the target');
  if (!(fault instanceof Fault)) return fault;
  // The server repeats the whole operation, document and all.
  const message = `the target refused to replay an operation: ${messageOf(error).slice(0, MESSAGE_MAX)}`;
  return new Fault({ op: 'replay', subject: 'the target', message, retryable: fault.retryable, cause: error });
}
