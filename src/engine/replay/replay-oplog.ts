import type { Namespace } from '../../bson/namespace.ts';
import type { Field } from '../../bson/raw-bson.ts';
import { RawValue } from '../../bson/raw-value.ts';
import type { Timestamp64 } from '../../bson/timestamp.ts';
import type { Clock } from '../../lib/clock.ts';
import { asFault, refusalOf } from '../../mongo/errors.ts';
import { laneOfId } from '../../mongo/id-lanes.ts';
import { OplogApplier, type RawWrite } from '../../mongo/oplog-applier.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import type { OplogEntry } from '../../oplog/entry.ts';
import { forEachOperation, type Operation } from '../../oplog/operations.ts';
import type { LeftOut } from '../left-out.ts';
import { CappedReplay } from './capped-replay.ts';
import { type Destination, destinationsOf } from './destinations.ts';
import type { ReplayPlan } from './plan-replay.ts';
import { type PlannedWrite, plannedChange, plannedEntries } from './planned-changes.ts';
import type { OplogSource } from './replay-interval.ts';

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
  /** Told of each option that the target refuses. Left out: that ends the replay. */
  leaveOut?(one: LeftOut): void;
}

export interface ReplayedOplog {
  entries: number;
  /** Writes carried out; those for collections that are gone at the end are none. */
  operations: number;
  ms: number;
}

/** Of several replica sets, side by side; null where nothing was replayed. */
export function sumReplayed(each: readonly (ReplayedOplog | null)[]): ReplayedOplog | null {
  const replays = each.filter((one) => one !== null);
  if (replays.length === 0) return null;
  return {
    entries: replays.reduce((sum, one) => sum + one.entries, 0),
    operations: replays.reduce((sum, one) => sum + one.operations, 0),
    ms: Math.max(...replays.map((one) => one.ms)),
  };
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
  /** Set while it runs, where the target needs it. */
  #capped: CappedReplay | null = null;

  constructor(options: ReplayOplogOptions) {
    this.#options = options;
    this.#applier = new OplogApplier(options.target, LANES);
    this.#destinations = destinationsOf(options.plan, options.into);
  }

  get applied(): number {
    return this.#applier.applied;
  }

  async settle(): Promise<void> {
    await this.#applier.settle();
  }

  async run(): Promise<number> {
    const { plan, source, signal, progress, target } = this.#options;
    if ([...this.#destinations.values()].some(({ capped }) => capped))
      this.#capped = await CappedReplay.for(target, this.#applier);
    for await (const { found, entries, lastTs } of plannedEntries(plan, source, signal)) {
      for (const { buffer, entry } of found) {
        const working = this.#replayEntry(buffer, entry);
        if (working !== undefined) await working;
      }
      progress(entries, lastTs);
    }
    await this.#flush();
    return plan.entries;
  }

  async #flush(): Promise<void> {
    await this.#capped?.flush();
    await this.#applier.flush();
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
    const destination = this.#destinations.get(operation.uuid ?? '');
    if (destination === undefined) return undefined;
    const change = plannedChange(buffer, operation, this.#options.target.form);
    if (change === null) return undefined;
    if (change.kind === 'write') return this.#write(buffer, change, destination);
    if (change.kind === 'options') return this.#changeOptions(change.options, destination);
    return this.#empty(destination);
  }

  #write(buffer: Buffer, write: PlannedWrite, destination: Destination): Promise<void> | undefined {
    const { op, o, o2, upsert, id, mending } = write;
    const { namespace, seed } = destination;
    const lane = destination.inOrder || id === null ? seed % LANES : laneOfId(buffer, id, seed, LANES);
    const send = (raw: RawWrite): Promise<void> | undefined =>
      destination.capped && this.#capped !== null
        ? this.#capped.write(lane, raw, destination)
        : this.#applier.write(lane, raw);
    const working = send({ op, namespace, o, o2, upsert });
    if (mending === null) return working;
    const mend = { op: 'u', namespace, ...mending } as const;
    return working === undefined ? send(mend) : working.then(() => send(mend));
  }

  /** In its place among the writes, because a capped collection's limits say what an insert evicts. */
  async #changeOptions(changed: readonly Field[], destination: Destination): Promise<void> {
    // Nothing expires before all is in place: `RestoreTarget.letExpire`.
    const options = changed.filter(({ name }) => name !== 'expireAfterSeconds');
    if (options.length === 0) return;
    await this.#flush();
    try {
      await this.#collMod(options, destination);
    } catch (error) {
      const namespace = `${destination.db}.${destination.commandName}`;
      const problem = refusalOf(error);
      const [option, ...more] = options;
      const { leaveOut } = this.#options;
      if (problem === null || option === undefined || leaveOut === undefined)
        throw asFault(error, 'replay collMod', namespace);
      // One of several may be what is refused: each is tried by itself.
      if (more.length === 0) leaveOut({ namespace, kind: 'option', name: option.name, problem });
      else for (const each of options) await this.#changeOptions([each], destination);
    }
  }

  async #collMod(options: readonly Field[], { db, commandName }: Destination): Promise<void> {
    const command: Record<string, unknown> = { collMod: commandName };
    for (const { name, type, value } of options) command[name] = new RawValue(name, type, Buffer.from(value));
    await this.#options.target.command(db, { ...command, writeConcern: { w: 1 } });
  }

  async #empty({ db, name }: Destination): Promise<void> {
    await this.#flush();
    await this.#applier.command(db, { emptycapped: name });
  }
}
