import type { Namespace } from '../../bson/namespace.ts';
import { findId, forEachDocument } from '../../bson/raw-bson.ts';
import { RawValue } from '../../bson/raw-value.ts';
import { formatTimestamp, type Timestamp64 } from '../../bson/timestamp.ts';
import { idDocument, zeroTimestampUpdate } from '../../bson/zero-timestamps.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { asFault } from '../../mongo/errors.ts';
import { laneOfId } from '../../mongo/id-lanes.ts';
import { OplogApplier } from '../../mongo/oplog-applier.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import { isModification } from '../../oplog/diffs.ts';
import { type OplogEntry, readOplogEntry } from '../../oplog/entry.ts';
import { forEachOperation, handlingOf, type Operation } from '../../oplog/operations.ts';
import { changedOptions, type Destination, destinationsOf } from './destinations.ts';
import type { ReplayPlan } from './plan-replay.ts';
import { changedOplog, type OplogSource, reaches } from './replay-interval.ts';

const LANES = 4;

export interface ReplayOplogOptions {
  target: RestoreTarget;
  plan: ReplayPlan;
  source: OplogSource;
  /**
   * Where the writes to each collection go, by its UUID on the source; to those that are not in it nothing is replayed.
   * Left out: all collections of the plan, under their own names.
   */
  into?: ReadonlyMap<string, Namespace>;
  clock: Clock;
  signal: AbortSignal;
  /** Called after every buffer of entries. */
  progress(entries: number, lastTs: Timestamp64): void;
}

export interface ReplayedOplog {
  entries: number;
  /** Writes carried out; those for collections that are gone at the end are none. */
  operations: number;
  ms: number;
}

/**
 * Replays the documents' changes of a plan's interval on a target that holds the plan's collections, with the
 * snapshot's documents and without indexes. Nothing decides about transactions here: the documents that one wrote
 * cannot be written by others until it has taken effect, so its entries are as good where they stand as at its commit.
 */
export async function replayOplog(options: ReplayOplogOptions): Promise<ReplayedOplog> {
  const startedMs = options.clock.monotonicMs();
  const replay = new Replay(options);
  try {
    const entries = await replay.run();
    return { entries, operations: replay.applied, ms: options.clock.monotonicMs() - startedMs };
  } finally {
    await replay.settle();
  }
}

class Replay {
  readonly #options: ReplayOplogOptions;
  readonly #applier: OplogApplier;
  readonly #destinations: ReadonlyMap<string, Destination>;
  #entries = 0;
  #lastTs: Timestamp64;

  constructor(options: ReplayOplogOptions) {
    this.#options = options;
    this.#applier = new OplogApplier(options.target, LANES);
    this.#destinations = destinationsOf(options.plan, options.into);
    this.#lastTs = options.plan.from;
  }

  get applied(): number {
    return this.#applier.applied;
  }

  async settle(): Promise<void> {
    await this.#applier.settle();
  }

  async run(): Promise<number> {
    const { plan, source, signal } = this.#options;
    for (const ts of plan.before) {
      const buffer = await source.earlier(ts);
      if (buffer === null) throw changedOplog(`the entry at ${formatTimestamp(ts)} is not there any more`);
      await this.#replayEntry(buffer, readOplogEntry(buffer, 0));
    }
    for await (const buffer of source.entries()) {
      throwIfAborted(signal);
      if (!(await this.#replayBuffer(buffer))) break;
      this.#options.progress(this.#entries, this.#lastTs);
    }
    await this.#applier.flush();
    if (this.#entries !== plan.entries || this.#lastTs !== plan.lastTs)
      throw changedOplog(
        `${this.#entries} entries up to ${formatTimestamp(this.#lastTs)} were read, ${plan.entries} were planned`,
      );
    return this.#entries;
  }

  /** False once the end has been passed. */
  async #replayBuffer(buffer: Buffer): Promise<boolean> {
    const { plan } = this.#options;
    const offsets: number[] = [];
    forEachDocument(buffer, (offset) => {
      offsets.push(offset);
    });
    for (const offset of offsets) {
      const entry = readOplogEntry(buffer, offset);
      if (entry.ts <= plan.from) continue;
      if (!reaches(plan.end, entry.ts)) return false;
      this.#entries++;
      this.#lastTs = entry.ts;
      if (plan.skipped.has(entry.ts)) continue;
      const working = this.#replayEntry(buffer, entry);
      if (working !== undefined) await working;
    }
    return true;
  }

  #replayEntry(buffer: Buffer, entry: OplogEntry): Promise<void> | undefined {
    // Most entries are one write for which there is room: they cost no promise.
    let working: Promise<void> | undefined;
    forEachOperation(buffer, entry, (operation) => {
      if (working === undefined) working = this.#replayOperation(buffer, operation);
      else working = working.then(() => this.#replayOperation(buffer, operation));
    });
    return working;
  }

  #replayOperation(buffer: Buffer, operation: Operation): Promise<void> | undefined {
    const handling = handlingOf(operation);
    const destination = this.#destinations.get(operation.uuid ?? '');
    if (destination === undefined || (handling !== 'write' && handling !== 'catalog')) return undefined;
    if (handling === 'write') return this.#write(buffer, operation, destination);
    if (operation.command === 'collMod') return this.#changeOptions(buffer, operation, destination);
    return operation.command === 'emptycapped' ? this.#empty(destination) : undefined;
  }

  #write(buffer: Buffer, { op, o, o2, upsert }: Operation, destination: Destination): Promise<void> | undefined {
    assert(op === 'i' || op === 'u' || op === 'd', 'a write is an insert, an update or a deletion');
    // An insert's `o2` repeats its id and, on newer servers, says where it is stored: neither is for the target.
    const query = op === 'u' && o2 !== null ? o2 : null;
    const id = findId(buffer, query === null ? o.start : query.start);
    const { target } = this.#options;
    const { namespace, seed } = destination;
    const lane = destination.inOrder || id === null ? seed % LANES : laneOfId(buffer, id, seed, LANES);
    const working = this.#applier.write(lane, {
      op,
      namespace,
      o: buffer.subarray(o.start, o.end),
      o2: query === null ? null : buffer.subarray(query.start, query.end),
      upsert: op === 'u' && upsert,
    });
    const mend =
      op === 'd' || (op === 'u' && isModification(buffer, o)) ? null : zeroTimestampUpdate(buffer, o, target.form);
    if (mend === null || id === null) return working;
    const mending = { op: 'u', namespace, o: mend, o2: idDocument(buffer, id) } as const;
    return working === undefined
      ? this.#applier.write(lane, mending)
      : working.then(() => this.#applier.write(lane, mending));
  }

  /** In its place among the writes, because a capped collection's limits say what an insert evicts. */
  async #changeOptions(buffer: Buffer, { o }: Operation, destination: Destination): Promise<void> {
    const { db, commandName } = destination;
    // Nothing expires before all is in place: `RestoreTarget.letExpire`.
    const options = changedOptions(buffer, o).filter(({ name }) => name !== 'expireAfterSeconds');
    if (options.length === 0) return;
    const command: Record<string, unknown> = { collMod: commandName };
    for (const { name, type, value } of options) command[name] = new RawValue(name, type, Buffer.from(value));
    await this.#applier.flush();
    try {
      await this.#options.target.command(db, { ...command, writeConcern: { w: 1 } });
    } catch (error) {
      throw asFault(error, 'replay collMod', `${db}.${commandName}`);
    }
  }

  async #empty({ db, name }: Destination): Promise<void> {
    await this.#applier.flush();
    await this.#applier.command(db, { emptycapped: name });
  }
}
