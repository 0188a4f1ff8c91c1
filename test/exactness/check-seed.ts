import assert from 'node:assert/strict';
import { BSON } from 'mongodb';
import type { SnapshotLimits } from '../../src/engine/take/snapshot-limits.ts';
import type { TakenSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { compareTruth, isStrayBuckets } from '../support/compare.ts';
import { ReplayedCopy } from '../support/replayed-copy.ts';
import { type ReplicaSet, withReplicaSet } from '../support/replica-set.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { clusterTimeOf, SnapshotRig } from '../support/snapshot-rig.ts';
import { Tailing } from '../support/tailing.ts';
import { readTruth } from '../support/truth.ts';
import { isTemporary, truthAt } from '../support/truth-at.ts';
import { Workload } from './workload.ts';

export interface SeedOptions {
  snapshots: number;
  /** Operations of each writer before the first snapshot, and between two of them while nothing is taken. */
  operations: number;
  /** Whether a tailer captures the oplog meanwhile, so that intervals are read from slices. */
  tailed?: boolean;
}

/** How much was compared: what a test that compares nothing would not have. */
export interface SeedReport {
  collections: number;
  documents: number;
  /** Collections whose expected content was also read from the source itself at the snapshot's time. */
  confirmedAtSource: number;
  /** Collections that were left out, because nothing can tell their content at the time for sure. */
  doubtful: number;
  rounds: number;
  scannedCollections: number;
  sliceEntries: number;
}

/** Four writers, up to eight documents each. */
const CAPPED_SLACK = 40;

interface Servers {
  source: ReplicaSet;
  target: ReplicaSet;
  rig: SnapshotRig;
  copy: ReplayedCopy;
}

/**
 * One seed: snapshots in a row while the workload runs, each restored and compared byte for byte with the truth at its
 * cluster time.
 */
export async function checkSeed(seed: number, target: ReplicaSet, options: SeedOptions): Promise<SeedReport> {
  const sourceOptions = { cacheGb: 1, setParameters: { ttlMonitorSleepSecs: 1 } };
  return await withReplicaSet(sourceOptions, async (source) => {
    const random = new SeededRandom(seed, 1);
    const rig = await SnapshotRig.create({
      ...(random.oneIn(2) ? { passphrase: 'exactness' } : {}),
      ...(random.oneIn(2) ? { chunker: { minBytes: 2_000, targetBytes: 8_000, maxBytes: 40_000 } } : {}),
    });
    const copy = await ReplayedCopy.take(source);
    try {
      return await run(seed, { source, target, rig, copy }, options);
    } catch (error) {
      const message = `seed ${seed}: ${messageOf(error)}\n(again with SEED=${seed}; the interleaving of writers is not the seed's)\nlog of the engine:\n${rig.log}`;
      throw new Error(message, { cause: error });
    } finally {
      await copy.remove();
    }
  });
}

/**
 * Bounds so tight that every way of reading is taken: early fuzzy deltas, scans in place of deltas, scans that may not
 * be at T, slow ones.
 */
function randomLimits(random: SeededRandom): Partial<SnapshotLimits> {
  return {
    scansAtOnce: random.pick([1, 2, 4]),
    pendingBytesMax: random.pick([1, 20_000, 100_000_000]),
    ...random.pick([{}, { rescanShare: 0.2, rescanIdsMin: 100 }]),
    snapshotScanMsMax: random.pick([50, 60_000]),
    cappedBytesMax: random.pick([20_000, 64_000_000]),
    readBytesPerSecondMax: random.pick([0, 30_000_000]),
  };
}

async function run(seed: number, servers: Servers, options: SeedOptions): Promise<SeedReport> {
  const { source, rig } = servers;
  const random = new SeededRandom(seed, 2);
  const report: SeedReport = {
    collections: 0,
    documents: 0,
    confirmedAtSource: 0,
    doubtful: 0,
    rounds: 0,
    scannedCollections: 0,
    sliceEntries: 0,
  };
  const tail = options.tailed ? new Tailing(source, rig) : null;
  await tail?.begun();
  const workload = new Workload({
    seed,
    port: async () => (await source.primary()).port,
    mix: { catalogChanges: random.pick([1, 2, 4]) },
  });
  await workload.setUp();
  for (let number = 1; number <= options.snapshots; number++) {
    await workload.write(options.operations);
    const limits = randomLimits(random);
    await tail?.mark();
    const name = `snapshot ${number}, limits ${JSON.stringify(limits)}`;
    const taken = await takeDuring(workload, () => rig.take(source.uri, { limits })).catch((error: unknown) => {
      throw new Error(`${name}: ${messageOf(error)}`, { cause: error });
    });
    report.rounds += taken.statistics.rounds;
    report.scannedCollections += taken.statistics.scannedCollections;
    report.sliceEntries += taken.statistics.sliceEntriesRead;
    await check(name, taken, servers, report);
  }
  await tail?.stop();
  return report;
}

/**
 * Of each writer during one snapshot. A repository on a busy S3 server would never catch up with a workload that has it
 * to itself.
 */
const OPERATIONS_MAX = 2_000;

/**
 * The workload runs from before the snapshot until it has ended, so that it also changes the catalog after the
 * snapshot's time.
 */
async function takeDuring(workload: Workload, take: () => Promise<TakenSnapshot>): Promise<TakenSnapshot> {
  workload.start(OPERATIONS_MAX);
  try {
    return await take();
  } finally {
    await workload.stop();
  }
}

async function check(name: string, taken: TakenSnapshot, servers: Servers, report: SeedReport): Promise<void> {
  const { source, target, rig, copy } = servers;
  const at = clusterTimeOf(taken);
  await rig.restore(taken, target.uri);
  const restored = await readTruth(target.client, null);
  const { truth, confirmed, doubtful } = await truthAt(source, copy, at);
  const differences = compareTruth(truth, restored, {
    cappedMayStartLater: true,
    cappedSlack: CAPPED_SLACK,
    skip: (namespace) =>
      doubtful.has(namespace) || isTemporary(truth.collections.get(namespace)) || isStrayBuckets(namespace, truth),
  });
  assert.deepEqual(differences, [], `${name} at ${BSON.EJSON.stringify(at)} differs from its time`);
  report.confirmedAtSource += confirmed;
  report.doubtful += doubtful.size;
  for (const collection of truth.collections.values()) {
    report.collections++;
    report.documents += collection.documents?.size ?? 0;
  }
}
