import { findId, idBytes } from '../../bson/raw-bson.ts';
import { RawValue, rawArray } from '../../bson/raw-value.ts';
import { assert, must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import { insertRaw } from '../../mongo/bulk-writer.ts';
import type { OplogApplier, RawWrite } from '../../mongo/oplog-applier.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import { type Destination, removesFromCapped } from './destinations.ts';

/** Of all collections together, as are ids of evicted documents, which are held until they are looked for. */
const BYTES_MAX = 4 * 1024 * 1024;
const EVICTED_MAX = 10_000;
/** Of one collection. */
const DOCUMENTS_MAX = 1_000;
const LOOKED_FOR_AT_ONCE = 1_000;

/** What waits for one collection. */
interface Waiting {
  destination: Destination;
  documents: Buffer[];
  bytes: number;
  /** Updates are on their way by the applier. */
  updated: boolean;
  /** By their bytes: the source evicted them. */
  evicted: Map<string, Buffer>;
}

/**
 * Writes to capped collections of a server of 5.0. What a capped collection evicts stands in the oplog as deletions
 * of their own, and a server before 6.0 refuses those that come by `applyOps`, with all that is in the same command
 * (5.0.4; `findings/mongod-5-capped-by-apply-ops.sh`). But it evicts by itself what the source evicted: the
 * collection has the same documents in the same order and the same limits. So inserts are sent as inserts there,
 * deletions are not sent but held, and it is looked whether the documents are gone.
 */
export class CappedReplay {
  readonly #target: RestoreTarget;
  readonly #applier: OplogApplier;
  readonly #waiting = new Map<string, Waiting>();
  #bytes = 0;
  #evicted = 0;

  /** Null where the target carries out the deletions of capped collections. */
  static async for(target: RestoreTarget, applier: OplogApplier): Promise<CappedReplay | null> {
    const { version } = await target.command('admin', { buildInfo: 1 });
    return removesFromCapped(String(version)) ? null : new CappedReplay(target, applier);
  }

  private constructor(target: RestoreTarget, applier: OplogApplier) {
    this.#target = target;
    this.#applier = applier;
  }

  async write(lane: number, write: RawWrite, destination: Destination): Promise<void> {
    assert(destination.capped && destination.inOrder, 'only capped collections are written to here, in order');
    const waiting = this.#of(destination);
    if (write.op === 'u') {
      await this.#insert(waiting);
      waiting.updated = true;
      return await this.#applier.write(lane, write);
    }
    const id = idOf(write.o);
    const key = id.toString('latin1');
    if (write.op === 'd') {
      if (!waiting.evicted.has(key)) this.#evicted++;
      waiting.evicted.set(key, id);
      return this.#evicted >= EVICTED_MAX ? await this.flush() : undefined;
    }
    // An id that comes back is there for good reason.
    if (waiting.evicted.delete(key)) this.#evicted--;
    waiting.documents.push(Buffer.from(write.o));
    waiting.bytes += write.o.length;
    this.#bytes += write.o.length;
    if (this.#bytes >= BYTES_MAX) for (const one of this.#waiting.values()) await this.#insert(one);
    else if (waiting.documents.length >= DOCUMENTS_MAX) await this.#insert(waiting);
  }

  /** Returns when everything written so far is there. A Fault where a document is there that is to be gone. */
  async flush(): Promise<void> {
    for (const waiting of this.#waiting.values()) await this.#settle(waiting);
  }

  #of(destination: Destination): Waiting {
    const { namespace } = destination;
    const known = this.#waiting.get(namespace);
    if (known !== undefined) return known;
    const waiting = { destination, documents: [], bytes: 0, updated: false, evicted: new Map<string, Buffer>() };
    this.#waiting.set(namespace, waiting);
    return waiting;
  }

  async #insert(waiting: Waiting): Promise<void> {
    if (waiting.documents.length === 0) return;
    if (waiting.updated) await this.#applier.flush();
    const batch = { documents: Buffer.concat(waiting.documents), count: waiting.documents.length };
    this.#bytes -= waiting.bytes;
    assert(this.#bytes >= 0, 'what is held is counted once');
    Object.assign(waiting, { documents: [], bytes: 0, updated: false });
    const { db, name } = waiting.destination;
    await insertRaw(this.#target.db(db), name, batch, { ordered: true, signal: this.#target.signal });
  }

  async #settle(waiting: Waiting): Promise<void> {
    await this.#insert(waiting);
    const ids = [...waiting.evicted.values()];
    this.#evicted -= ids.length;
    waiting.evicted.clear();
    for (let from = 0; from < ids.length; from += LOOKED_FOR_AT_ONCE)
      await this.#requireGone(waiting.destination, ids.slice(from, from + LOOKED_FOR_AT_ONCE));
  }

  async #requireGone({ db, name, namespace }: Destination, ids: readonly Buffer[]): Promise<void> {
    // Ids that are equal under the collection's collation are not the same.
    const query = { _id: { $in: new RawValue('$in', 0x04, rawArray(ids)) } };
    const { n } = await this.#target.command(db, { count: name, query, collation: { locale: 'simple' } });
    if (n === 0) return;
    throw new Fault({
      op: 'replay',
      subject: namespace,
      message: `the target still holds ${n} documents of the capped collection ${namespace} that the source had evicted, and its server removes none`,
      hint: 'Restore into a server of 6.0 or newer, which does',
    });
  }
}

function idOf(document: Uint8Array): Buffer {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.byteLength);
  return idBytes(bytes, must(findId(bytes, 0), 'a replayed document has an id'));
}
