import assert from 'node:assert/strict';
import { BSON, type Timestamp } from 'mongodb';
import type { TakenSnapshot } from '../../src/engine/take-snapshot.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { compareTruth } from '../support/compare.ts';
import { ReplayedCopy } from '../support/replayed-copy.ts';
import { type ReplicaSet, withReplicaSet } from '../support/replica-set.ts';
import { clusterTimeOf, SnapshotRig } from '../support/snapshot-rig.ts';
import { type CollectionTruth, readTruth, type Truth } from '../support/truth.ts';
import { Workload } from './workload.ts';

export interface SeedOptions {
  snapshots: number;
  /** Operations of each writer before the first snapshot, and between two of them while nothing is taken. */
  operations: number;
}

/** How much was compared: what a test that compares nothing would not have. */
export interface SeedReport {
  collections: number;
  documents: number;
  /** Collections whose expected content was also read from the source itself at the snapshot's time. */
  confirmedAtSource: number;
  rounds: number;
}

/** One seed: snapshots in a row while the workload runs, each restored and compared byte for byte with the truth at its cluster time. */
export async function checkSeed(seed: number, target: ReplicaSet, options: SeedOptions): Promise<SeedReport> {
  const sourceOptions = { cacheGb: 1, setParameters: { ttlMonitorSleepSecs: 1 } };
  return await withReplicaSet(sourceOptions, async (source) => {
    const rig = await SnapshotRig.create(seed % 2 === 0 ? { passphrase: 'exactness' } : {});
    const copy = await ReplayedCopy.take(source);
    try {
      return await run(seed, source, target, rig, copy, options);
    } catch (error) {
      const message = `seed ${seed}: ${messageOf(error)}\n(again with SEED=${seed}; the interleaving of writers is not the seed's)\nlog of the engine:\n${rig.log}`;
      throw new Error(message, { cause: error });
    } finally {
      await copy.remove();
    }
  });
}

async function run(
  seed: number,
  source: ReplicaSet,
  target: ReplicaSet,
  rig: SnapshotRig,
  copy: ReplayedCopy,
  options: SeedOptions,
): Promise<SeedReport> {
  const report: SeedReport = { collections: 0, documents: 0, confirmedAtSource: 0, rounds: 0 };
  const workload = new Workload({ seed, port: async () => (await source.primary()).port });
  await workload.setUp();
  for (let number = 1; number <= options.snapshots; number++) {
    await workload.write(options.operations);
    const taken = await takeDuring(workload, () => rig.take(source.uri));
    report.rounds += taken.statistics.rounds;
    await check(number, taken, { source, target, rig, copy, report });
  }
  return report;
}

/** The workload runs from before the snapshot until it has ended, so that it also changes the catalog after the snapshot's time. */
async function takeDuring(workload: Workload, take: () => Promise<TakenSnapshot>): Promise<TakenSnapshot> {
  workload.start();
  try {
    return await take();
  } finally {
    await workload.stop();
  }
}

interface Checking {
  source: ReplicaSet;
  target: ReplicaSet;
  rig: SnapshotRig;
  copy: ReplayedCopy;
  report: SeedReport;
}

async function check(
  number: number,
  taken: TakenSnapshot,
  { source, target, rig, copy, report }: Checking,
): Promise<void> {
  const at = clusterTimeOf(taken);
  await rig.restore(taken, target.uri);
  const restored = await readTruth(target.client, null);
  const expected = await copy.truthAt(at);
  const differences = compareTruth(expected, restored, {
    cappedMayStartLater: true,
    skip: (namespace) => isTemporary(expected.collections.get(namespace)),
  });
  const where = `snapshot ${number} at ${BSON.EJSON.stringify(at)}`;
  assert.deepEqual(differences, [], `${where} differs from its time`);
  report.confirmedAtSource += await confirmAtSource(source, expected, at, where);
  for (const collection of expected.collections.values()) {
    report.collections++;
    report.documents += collection.documents?.size ?? 0;
  }
}

/** Half-made results of `$out` and the like, which the server itself drops when it starts. */
function isTemporary(collection: CollectionTruth | undefined): boolean {
  return collection !== undefined && BSON.deserialize(collection.options).temp === true;
}

/** That the expectation itself is right: wherever the source can still read at the time, it says the same. */
async function confirmAtSource(source: ReplicaSet, expected: Truth, at: Timestamp, where: string): Promise<number> {
  const atSource = await readTruth(source.client, at);
  let confirmed = 0;
  for (const [namespace, collection] of expected.collections) {
    const other = atSource.collections.get(namespace);
    if (collection.documents === null || atSource.unreadable.has(namespace) || other?.uuid !== collection.uuid)
      continue;
    const only = (one: CollectionTruth): Truth => ({
      collections: new Map([[namespace, { ...one, options: Buffer.alloc(0), indexes: new Map() }]]),
      unreadable: new Map(),
    });
    assert.deepEqual(compareTruth(only(collection), only(other)), [], `${where}: the two truths differ`);
    confirmed++;
  }
  return confirmed;
}
