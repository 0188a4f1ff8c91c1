import { documentOf, findElement, findId, forEachDocument, idBytes, MalformedBson } from '../../bson/raw-bson.ts';
import { assert, must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import { changedDocument, diffTouches } from '../../oplog/diffs.ts';
import type { PlannedWrite } from '../replay/planned-changes.ts';
import type { KeyPath, Ownership } from '../sharding/shard-routing.ts';

/** Of all collections of an archive. An orphan goes a quarter of an hour after its chunk, unless told otherwise. */
const ID_BYTES_MAX = 64 * 1024 * 1024;
const ID_OVERHEAD = 64;

/** What of a shard's collection is no orphan at the point, and what tells so. */
export interface OwnedAtPoint {
  namespace: string;
  owns: Exclude<Ownership, string>;
  key: readonly KeyPath[];
}

/**
 * Finds the documents that a shard holds at a point and does not own, while its snapshot's documents and the writes up
 * to the point go by, in this order. A document's key says whose it is: what changes that is noted, all else leaves it
 * as it was. Held are the ids of orphans alone.
 */
export class OrphansAtPoint {
  readonly #ids = new Map<string, Map<string, Buffer>>();
  #bytes = 0;

  /** Documents as the snapshot has them, one after another. */
  documents(buffer: Buffer, of: OwnedAtPoint): void {
    forEachDocument(buffer, (offset) => {
      const id = findId(buffer, offset);
      if (id !== null) this.#note(of, idBytes(buffer, id), of.owns(buffer, offset));
    });
  }

  /** A write that takes effect up to the point. Throws a Fault where it changes the key and does not tell to what. */
  write({ op, o, o2 }: Pick<PlannedWrite, 'op' | 'o' | 'o2'>, of: OwnedAtPoint): void {
    if (op !== 'u') {
      this.#note(of, idIn(o), op === 'd' || of.owns(o, 0));
      return;
    }
    const query = must(o2, 'an update says of which document it is');
    const all = { type: 0x03, start: 0, end: o.length };
    const touches = diffTouches(o, all, of.key);
    if (touches === 'nothing') return;
    const before = touches === 'everything' ? query : keyDocument(query, of);
    this.#note(of, idIn(query), of.owns(changedDocument(before, o, all), 0));
  }

  /** For each collection the documents' ids, as documents, in an order that is always the same. */
  *found(): Generator<{ namespace: string; id: Buffer }, void, undefined> {
    for (const [namespace, ids] of this.#ids) for (const id of ids.values()) yield { namespace, id };
  }

  #note({ namespace }: OwnedAtPoint, id: Buffer, owned: boolean): void {
    const ids = this.#ids.get(namespace) ?? new Map<string, Buffer>();
    this.#ids.set(namespace, ids);
    const key = id.toString('latin1');
    if (owned) {
      if (ids.delete(key)) this.#bytes -= 2 * id.length + ID_OVERHEAD;
      return;
    }
    if (ids.has(key)) return;
    const type = must(id[0], 'an id has a type');
    ids.set(key, documentOf([{ name: '_id', type, value: Buffer.from(id.subarray(1)) }]));
    this.#bytes += 2 * id.length + ID_OVERHEAD;
    if (this.#bytes > ID_BYTES_MAX) throw tooMany(namespace);
  }
}

/** The part of a document that its key is made of, nested as the document has it. */
function keyDocument(query: Buffer, { namespace, key }: OwnedAtPoint): Buffer {
  const told = key.map((path) => ({ path, at: findElement(query, 0, path.join('.')) }));
  const missing = told.find(({ at }) => at === null);
  // What is set as a whole needs no former value.
  if (missing !== undefined) {
    if (key.length === 1 && key[0]?.length === 1) return documentOf([]);
    throw untold(namespace, missing.path);
  }
  return nested(
    told.map(({ path, at }) => {
      const { type, start, end } = must(at, 'each is told');
      return { path, type, value: query.subarray(start, end) };
    }),
  );
}

interface Leaf {
  path: readonly string[];
  type: number;
  value: Uint8Array;
}

function nested(leaves: readonly Leaf[]): Buffer {
  const byName = Map.groupBy(leaves, ({ path }) => must(path[0], 'a path has a name'));
  return documentOf(
    [...byName].map(([name, of]) => {
      const [first] = of;
      assert(first !== undefined, 'a group has somebody');
      if (first.path.length === 1) return { name, type: first.type, value: first.value };
      const value = nested(of.map(({ path, type, value }) => ({ path: path.slice(1), type, value })));
      return { name, type: 0x03, value };
    }),
  );
}

function idIn(document: Buffer): Buffer {
  const id = findId(document, 0);
  if (id === null) throw new MalformedBson('a write without an _id');
  return idBytes(document, id);
}

function untold(namespace: string, path: readonly string[]): Fault {
  return new Fault({
    op: 'download',
    subject: namespace,
    message: `an update of ${namespace} changes its shard key, and the oplog does not tell what ${path.join('.')} was before: whose the document is at the point cannot be said`,
    hint: 'Restore the point in time into a cluster, or download a snapshot taken after it',
  });
}

function tooMany(namespace: string): Fault {
  return new Fault({
    op: 'download',
    subject: namespace,
    message: `more orphans of ${namespace} lie on the shard at the point than can be kept in mind`,
    hint: 'Restore the point in time into a cluster, or download a snapshot taken after the orphans were deleted',
  });
}
