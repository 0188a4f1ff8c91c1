import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { Binary, type Db, type Document, MongoServerError } from 'mongodb';
import type { TakenSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Progress } from '../../src/lib/progress.ts';
import { compareTruth } from '../support/compare.ts';
import { ReplayedCopy } from '../support/replayed-copy.ts';
import { ReplicaSet } from '../support/replica-set.ts';
import { clusterTimeOf, SnapshotRig } from '../support/snapshot-rig.ts';
import { readTruth } from '../support/truth.ts';
import { isTemporary, truthAt } from '../support/truth-at.ts';

/**
 * All scenarios of a file write into one oplog, which must not roll over: on a slow machine some of them write a
 * gigabyte.
 */
const OPLOG_MB = 8192;

/**
 * A source and a target that the tests of a file share; the source's truth can be had at any time since it was last
 * cleared.
 */
export class Stage {
  readonly source: ReplicaSet;
  readonly target: ReplicaSet;
  #copy: ReplayedCopy;

  private constructor(source: ReplicaSet, target: ReplicaSet, copy: ReplayedCopy) {
    this.source = source;
    this.target = target;
    this.#copy = copy;
  }

  static async open(): Promise<Stage> {
    const [source, target] = await Promise.all([
      ReplicaSet.start({ name: 'source', cacheGb: 0.5, oplogMb: OPLOG_MB }),
      ReplicaSet.start({ name: 'target', cacheGb: 0.5, setParameters: { ttlMonitorEnabled: false } }),
    ]);
    return new Stage(source, target, await ReplayedCopy.take(source));
  }

  async close(): Promise<void> {
    await Promise.all([this.source.stop(), this.target.stop(), this.#copy.remove()]);
  }

  db(name: string): Db {
    return this.source.client.db(name);
  }

  /** Drops what a scenario made: the next one starts with a source that has nothing. */
  async clear(): Promise<void> {
    const { databases } = await this.source.client.db('admin').admin().listDatabases({ nameOnly: true });
    for (const { name } of databases)
      if (!['admin', 'config', 'local'].includes(name)) await this.db(name).dropDatabase();
  }

  /**
   * Restores the snapshot over whatever the target holds and compares all of it with the source at the snapshot's time.
   */
  async expectExact(rig: SnapshotRig, taken: TakenSnapshot, what: string): Promise<void> {
    await rig.restore(taken, this.target.uri);
    const restored = await readTruth(this.target.client, null);
    const { truth, doubtful } = await truthAt(this.source, this.#copy, clusterTimeOf(taken));
    const skip = (namespace: string) => doubtful.has(namespace) || isTemporary(truth.collections.get(namespace));
    const differences = compareTruth(truth, restored, { cappedMayStartLater: true, skip });
    assert.deepEqual(differences, [], `${what} differs from its time\n${rig.log}`);
  }
}

export function useStage(): () => Stage {
  let stage: Stage | undefined;
  before(async () => {
    stage = await Stage.open();
  });
  after(async () => {
    await stage?.close();
  });
  return () => must(stage, 'the stage is there once the tests run');
}

export interface Scenario {
  /** What is there before the first snapshot. */
  prepare?: (stage: Stage) => Promise<unknown>;
  /** Done again and again from before a snapshot starts until it has ended; `round` counts on over all snapshots. */
  during?: (stage: Stage, round: number) => Promise<unknown>;
  /**
   * Done once in each snapshot, at the first progress for which `at` says so; what is read meanwhile is read slowly.
   */
  once?: { at: (progress: Progress) => boolean; act: (stage: Stage, snapshot: number) => Promise<unknown> };
  /** Between the first and the incremental snapshot. */
  between?: (stage: Stage) => Promise<unknown>;
}

/** The pace at which a busy reporting job replaces its collection. */
const PACE_MS = 100;

/** What keeps every snapshot busy for some time: a filler, read slowly. */
const SLOW = { readBytesPerSecondMax: 2_000_000, scansAtOnce: 1 };
const FILLER_BYTES = 1_000_000;
const FILLER_DOCUMENTS = 3;
const ROUNDS_BETWEEN = 5;

/** A first and an incremental snapshot while the scenario plays, each exact. */
export async function play(stage: Stage, scenario: Scenario): Promise<void> {
  await stage.clear();
  const filler = stage.db('filler').collection('filler');
  await filler.insertMany(rows(FILLER_DOCUMENTS, { bytes: new Binary(Buffer.alloc(FILLER_BYTES, 7)) }) as never);
  await scenario.prepare?.(stage);
  const rig = await SnapshotRig.create();
  const rounds = { count: 0 };
  const first = await takeMeanwhile(stage, rig, scenario, 0, rounds);
  await stage.expectExact(rig, first, 'the first snapshot');
  await scenario.between?.(stage);
  await filler.updateMany({}, { $inc: { n: 1 } });
  for (let round = 0; round < ROUNDS_BETWEEN; round++) await scenario.during?.(stage, rounds.count++);
  const second = await takeMeanwhile(stage, rig, scenario, 1, rounds);
  await stage.expectExact(rig, second, 'the incremental snapshot');
}

async function takeMeanwhile(
  stage: Stage,
  rig: SnapshotRig,
  { during, once }: Scenario,
  index: number,
  rounds: { count: number },
): Promise<TakenSnapshot> {
  let acted: Promise<unknown> | undefined;
  let ended = false;
  const repeat = async () => {
    while (during !== undefined && !ended) {
      await during(stage, rounds.count++);
      // A pace, not a wait for something: without one the writer would take all of a small machine.
      await systemClock.sleep(PACE_MS);
    }
  };
  const repeated = repeat();
  const onProgress = (progress: Progress) => {
    if (once?.at(progress)) acted ??= once.act(stage, index);
  };
  const taken = await rig.take(stage.source.uri, { limits: SLOW, onProgress }).finally(() => {
    ended = true;
  });
  await repeated;
  await acted;
  if (once !== undefined && index === 0) assert(acted !== undefined, 'the moment came');
  return taken;
}

/** Runs a command that may be refused: names come and go in these scenarios. */
export async function attempt(db: Db, command: Document): Promise<void> {
  await db.command(command).catch((error: unknown) => {
    if (!(error instanceof MongoServerError)) throw error;
  });
}

export function rows(count: number, more: Document = {}, from = 0): Document[] {
  return Array.from({ length: count }, (_, index) => ({ _id: from + index, n: index, ...more }));
}
