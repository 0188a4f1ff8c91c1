import { Binary, type Document, Long, serialize, Timestamp } from 'bson';
import type { Timestamp64 } from '../../src/bson/timestamp.ts';
import type { SeededRandom } from './seeded-random.ts';

const IDS = 6;

interface Collection {
  uuid: string;
  /** The name that it was created with. */
  firstName: string;
  name: string;
  documents: Map<number, Document>;
  /** Ids that an open transaction has written: nobody else may until it is decided. */
  locked: Set<number>;
}

interface Write {
  collection: Collection;
  id: number;
  /** After the write; null where it deletes. */
  document: Document | null;
  operation: Document;
}

interface Transaction {
  writes: Write[];
  previous: number;
  /** Of the entry that prepared it; 0 before. */
  preparedAt: number;
}

/**
 * A random oplog as servers write it: writes, `applyOps`, transactions over several entries that end, are prepared,
 * committed, aborted or left open, and commands. Transactions respect each other's locks. An entry a second.
 */
export class RandomOplog {
  readonly entries: { seconds: number; raw: Buffer }[] = [];
  readonly collections: Collection[] = [];
  readonly #random: SeededRandom;
  readonly #open = new Set<Transaction>();
  #dropped = new Set<Collection>();
  #seconds = 1;
  #visibleFrom = 1;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#add({ op: 'n', ns: '', o: { msg: 'noop' } });
    this.#create();
    this.#create();
  }

  /** The time of the last entry. */
  get seconds(): number {
    return this.#seconds;
  }

  /** Begins transactions that become visible, if at all, behind what is there then. Returns its last second. */
  begin(count: number): number {
    for (let i = 0; i < count; i++) this.#begin();
    this.#visibleFrom = this.#seconds + 1;
    return this.#seconds;
  }

  grow(steps: number): void {
    for (let i = 0; i < steps; i++) this.#step();
  }

  command(o: Document, uuid: string): void {
    this.#add({ op: 'c', ns: 'app.$cmd', ui: binary(uuid), o });
  }

  #step(): void {
    this.#random.pickWeighted([
      { weight: 6, item: () => this.#carryOut(this.#writes(1)) },
      { weight: 2, item: () => this.#carryOut(this.#writes(3)) },
      { weight: 2, item: () => this.#begin() },
      { weight: 5, item: () => this.#goOn() },
      { weight: 3, item: () => this.#catalog() },
    ])();
  }

  #carryOut(writes: Write[]): void {
    if (writes.length === 0) return;
    const operations = writes.map(({ operation }) => operation);
    if (operations.length === 1 && this.#random.oneIn(2)) this.#add(operations[0] as Document);
    else this.#add({ op: 'c', ns: 'admin.$cmd', o: { applyOps: this.#nested(operations) } });
    apply(writes);
  }

  #nested(operations: Document[]): Document[] {
    if (!this.#random.oneIn(4)) return operations;
    return [{ op: 'c', ns: 'admin.$cmd', o: { applyOps: operations } }];
  }

  #begin(): void {
    const transaction: Transaction = { writes: [], previous: 0, preparedAt: 0 };
    this.#part(transaction, this.#random.oneIn(3) ? { prepare: true } : { partialTxn: true });
    this.#open.add(transaction);
  }

  #goOn(): void {
    if (this.#open.size === 0) this.#begin();
    const transaction = this.#random.pick([...this.#open]);
    const ways = transaction.preparedAt > 0 ? [() => this.#decide(transaction)] : this.#waysOn(transaction);
    this.#random.pick(ways)();
  }

  #waysOn(transaction: Transaction): (() => void)[] {
    return [
      () => this.#part(transaction, { partialTxn: true }),
      () => this.#part(transaction, { prepare: true }),
      () => {
        this.#part(transaction, { count: 3 });
        this.#end(transaction, true);
      },
    ];
  }

  #part(transaction: Transaction, flags: Document): void {
    const writes = this.#writes(2);
    for (const { collection, id } of writes) collection.locked.add(id);
    transaction.writes.push(...writes);
    const o = { applyOps: writes.map(({ operation }) => operation), ...flags };
    this.#add({ op: 'c', ns: 'admin.$cmd', o }, transaction.previous);
    transaction.previous = this.#seconds;
    if (flags.prepare === true) transaction.preparedAt = this.#seconds;
  }

  #decide(transaction: Transaction): void {
    const commits = !this.#random.oneIn(3);
    const commitTimestamp = at(
      this.#random.between(Math.max(transaction.preparedAt, this.#visibleFrom), this.#seconds + 1),
    );
    const o = commits ? { commitTransaction: 1, commitTimestamp } : { abortTransaction: 1 };
    this.#add({ op: 'c', ns: 'admin.$cmd', o }, transaction.previous);
    this.#end(transaction, commits);
  }

  #end(transaction: Transaction, isVisible: boolean): void {
    this.#open.delete(transaction);
    for (const { collection, id } of transaction.writes) collection.locked.delete(id);
    if (isVisible) apply(transaction.writes);
  }

  /** To different documents that nobody has locked; each gets another number, so that no two writes look alike. */
  #writes(count: number): Write[] {
    const taken = new Set<string>();
    return Array.from({ length: count }, () => this.#write(taken)).filter((write) => write !== null);
  }

  #write(taken: Set<string>): Write | null {
    const collection = this.#random.pick(this.collections);
    const id = this.#random.below(IDS);
    if (collection.locked.has(id) || taken.has(`${collection.uuid} ${id}`) || this.#dropped.has(collection))
      return null;
    taken.add(`${collection.uuid} ${id}`);
    const target = { ns: `app.${collection.name}`, ui: binary(collection.uuid) };
    const before = collection.documents.get(id);
    const n = this.#random.next();
    const document = { _id: id, n };
    const insert: Write = { collection, id, document, operation: { op: 'i', ...target, o: document, o2: { _id: id } } };
    if (before === undefined) return insert;
    return this.#random.pick<Write>([
      { collection, id, document, operation: { op: 'u', ...target, o: document, o2: { _id: id } } },
      {
        ...{ collection, id, document: { ...before, n } },
        operation: { op: 'u', ...target, o: { $v: 2, diff: { u: { n } } }, o2: { _id: id } },
      },
      { collection, id, document: null, operation: { op: 'd', ...target, o: { _id: id } } },
    ]);
  }

  #create(): void {
    const number = this.collections.length + 1;
    const uuid = Buffer.alloc(16, number).toString('hex');
    const name = `c${number}`;
    this.command({ create: name, idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } }, uuid);
    this.collections.push({ uuid, firstName: name, name, documents: new Map(), locked: new Set() });
  }

  #catalog(): void {
    const collection = this.#random.pick(this.collections);
    if (collection.locked.size > 0 || this.#dropped.has(collection)) return;
    const { name, uuid } = collection;
    const empty = (o: Document) => {
      this.command(o, uuid);
      collection.documents.clear();
    };
    this.#random.pickWeighted([
      { weight: 1, item: () => this.#create() },
      { weight: 2, item: () => this.command({ collMod: name, validator: {} }, uuid) },
      { weight: 2, item: () => this.command({ createIndexes: name, v: 2, key: { n: 1 }, name: 'n' }, uuid) },
      { weight: 1, item: () => this.command({ startIndexBuild: name, indexes: [] }, uuid) },
      { weight: 1, item: () => this.command({ dbCheck: name }, uuid) },
      { weight: 1, item: () => empty({ emptycapped: name }) },
      {
        weight: 1,
        item: () => {
          collection.name = `${name}x`;
          this.command({ renameCollection: `app.${name}`, to: `app.${collection.name}`, stayTemp: false }, uuid);
        },
      },
      {
        weight: this.collections.length - this.#dropped.size > 2 ? 1 : 0,
        item: () => {
          empty({ drop: name });
          this.#dropped.add(collection);
        },
      },
    ])();
  }

  #add(fields: Document, previous?: number): void {
    this.#seconds++;
    const term = Long.fromNumber(1);
    const prevOpTime = previous === undefined ? undefined : previousOf(previous, term);
    const entry = { ts: at(this.#seconds), t: term, prevOpTime, ...fields };
    this.entries.push({ seconds: this.#seconds, raw: Buffer.from(serialize(entry, { ignoreUndefined: true })) });
  }
}

function previousOf(seconds: number, t: Long): Document {
  return seconds === 0 ? { ts: new Timestamp({ t: 0, i: 0 }), t: Long.fromNumber(-1) } : { ts: at(seconds), t };
}

function apply(writes: readonly Write[]): void {
  for (const { collection, id, document } of writes) {
    if (document === null) collection.documents.delete(id);
    else collection.documents.set(id, document);
  }
}

function binary(uuid: string): Binary {
  return new Binary(Buffer.from(uuid, 'hex'), 4);
}

function at(seconds: number): Timestamp {
  return new Timestamp({ t: seconds, i: 1 });
}

/** The time of the entry of that second. */
export function tsOf(seconds: number): Timestamp64 {
  return (BigInt(seconds) << 32n) | 1n;
}
