import { type Db, type Document, MongoServerError } from 'mongodb';
import { DocumentSequence } from 'mongodb/lib/cmap/commands.js';
import { documentLength } from '../bson/raw-bson.ts';
import { assert } from '../lib/assert.ts';
import { Cancelled, Fault } from '../lib/errors.ts';
import { asFault, MIXED_SCHEMA } from './errors.ts';

/**
 * Well below the server's 48,000,000 bytes a message and 100,000 documents a batch; small enough that several are under
 * way at once.
 */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
const BATCH_DOCUMENTS_MAX = 50_000;

export interface InsertBatch {
  documents: Buffer;
  count: number;
}

/**
 * Cuts documents that lie one after another into batches for `insertRaw`. Views, no copies. A single document may be
 * larger than a batch.
 */
export function* cutBatches(documents: Buffer): Generator<InsertBatch, void, undefined> {
  let start = 0;
  let count = 0;
  for (let at = 0; at < documents.length; ) {
    const length = documentLength(documents, at);
    if (count > 0 && (at + length - start > BATCH_BYTES_MAX || count === BATCH_DOCUMENTS_MAX)) {
      yield { documents: documents.subarray(start, at), count };
      start = at;
      count = 0;
    }
    count++;
    at += length;
  }
  if (count > 0) yield { documents: documents.subarray(start), count };
}

const DUPLICATE_KEY = 11000;

/** A document's id was there already. */
export class ForeignWrites extends Fault {}

/**
 * What was inserted into a collection that was made empty, and has no unique index but the one on `_id`, met a document
 * with its id, although the source had one of each: nobody but somebody else can have put it there. `detail`: the
 * server's words.
 */
export function foreignWrites(subject: string, detail: string): Fault {
  return new ForeignWrites({
    op: 'insert',
    subject,
    message: `something else writes to ${subject} on the target while it is being restored: it holds what this restore did not put there (${detail})`,
    hint: 'Stop applications, agents and other restores that write to the target, and restore again',
  });
}

/**
 * Inserts raw documents as they are: one insert command whose documents are an OP_MSG document sequence of
 * pre-serialized BSON, so nothing is decoded, encoded or copied on our side. Validation is bypassed: what the source
 * held is what the target gets. Into a collection that nobody else writes to. Rejects with a Fault that names the first
 * document refused.
 */
export async function insertRaw(db: Db, collection: string, batch: InsertBatch, options: InsertOptions): Promise<void> {
  await insertBatch(db, collection, batch, options, false);
}

export interface InsertOptions {
  ordered: boolean;
  signal: AbortSignal;
}

/**
 * Buckets of a time series in which a field has values of several types come from releases that let them be. Servers
 * from 6.0.17 on take them only into a collection that is said to have such.
 */
export async function allowMixedSchema(db: Db, collection: string, signal: AbortSignal): Promise<void> {
  const command = { collMod: collection, timeseriesBucketsMayHaveMixedSchemaData: true, writeConcern: { w: 1 } };
  try {
    await db.command(command, { signal });
  } catch (error) {
    throw signal.aborted ? new Cancelled() : asFault(error, 'collMod', `${db.databaseName}.${collection}`);
  }
}

/** The documents that were not inserted; with `ordered` all from the first one on that was refused. */
function refusedOf({ documents, count }: InsertBatch, errors: readonly Document[], ordered: boolean): InsertBatch {
  const places = new Set(errors.map(({ index }) => Number(index)));
  const first = Math.min(...places);
  const left: Buffer[] = [];
  for (let [at, place] = [0, 0]; place < count; place++) {
    const length = documentLength(documents, at);
    if (ordered ? place >= first : places.has(place)) left.push(documents.subarray(at, at + length));
    at += length;
  }
  return { documents: Buffer.concat(left), count: left.length };
}

/** `allowed`: mixed schemas were made to be taken. */
async function insertBatch(
  db: Db,
  collection: string,
  batch: InsertBatch,
  options: InsertOptions,
  allowed: boolean,
): Promise<void> {
  const sequence = new DocumentSequence('documents');
  // The driver concatenates what it is given; that it is many documents at once makes no difference to it or to the
  // server.
  sequence.push({}, batch.documents);
  const command: Document = {
    insert: collection,
    ordered: options.ordered,
    bypassDocumentValidation: true,
    writeConcern: { w: 1 },
    documents: sequence,
  };
  let reply: Document;
  try {
    reply = await db.command(command, { signal: options.signal });
  } catch (error) {
    throw options.signal.aborted ? new Cancelled() : asFault(error, 'insert', `${db.databaseName}.${collection}`);
  }
  const errors = (reply.writeErrors ?? []) as Document[];
  const refused = errors[0];
  if (refused?.code === MIXED_SCHEMA && !allowed) {
    const left = refusedOf(batch, errors, options.ordered);
    assert(reply.n === batch.count - left.count, 'what was not inserted was refused');
    await allowMixedSchema(db, collection, options.signal);
    return await insertBatch(db, collection, left, options, true);
  }
  if (refused?.code === DUPLICATE_KEY) throw foreignWrites(`${db.databaseName}.${collection}`, String(refused.errmsg));
  if (refused !== undefined) {
    throw new Fault({
      op: 'insert',
      subject: `${db.databaseName}.${collection}`,
      message: `the target refused a document of ${db.databaseName}.${collection}: ${String(refused.errmsg)}`,
      cause: new MongoServerError({ message: String(refused.errmsg), code: refused.code }),
    });
  }
  assert(reply.n === batch.count, `the target inserted ${String(reply.n)} of ${batch.count} documents`);
}
