import { assert, must } from '../../lib/assert.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import { Fault } from '../../lib/errors.ts';
import { type ClusterReplicaSet, findReplicaSets } from '../../mongo/cluster-replica-sets.ts';
import { connectCluster, redactUri } from '../../mongo/connection/connect.ts';
import { RestoreTarget } from '../../mongo/target.ts';
import type { Decisions } from '../../oplog/transactions.ts';
import type { Manifest } from '../../repository/format/manifest.ts';
import { type ReplicaSetManifest, replicaSetsOf } from '../../repository/format/manifest-replica-sets.ts';
import { LeftOutList, type LeftOutSummary } from '../left-out.ts';
import { sumReplayed } from '../replay/replay-oplog.ts';
import { ReplicaSetsProgress } from '../replica-sets-progress.ts';
import { balancerHold, type HoldRecord } from '../sharding/balancer-hold.ts';
import { leftIncomplete } from './left-incomplete.ts';
import { appNameOf } from './preflight/end-earlier-work.ts';
import { tryToNoteVerified } from './preflight/verified-content.ts';
import { RoutingRestore } from './restore-routing.ts';
import { Restore, type RestoredSnapshot, type RestoreSnapshotOptions } from './restore-snapshot.ts';
import { settlePoint } from './settle-point.ts';
import { type PointOfCluster, type ReplicaSetInTime, replicaSetInTime } from './sharded-point-in-time.ts';

export interface RestoreShardedSnapshotOptions extends Omit<RestoreSnapshotOptions, 'pointInTime'> {
  /** That the target's balancer is stopped is written down here first. */
  holdRecord: HoldRecord;
  /**
   * To go on from the snapshot to a later point, by what was captured of every replica set. Left out: the snapshot's
   * own time.
   */
  pointInTime?: PointOfCluster;
}

const REPLICA_SETS_AT_ONCE = 2;

/** One replica set of the snapshot, `source`, and the one that it goes to. */
interface ReplicaSetRestore {
  source: ReplicaSetManifest;
  replicaSet: ClusterReplicaSet;
  restore: Restore;
  /** Null where the snapshot itself is restored. */
  inTime: ReplicaSetInTime | null;
  target: RestoreTarget;
  close: () => Promise<void>;
}

/**
 * Makes a sharded cluster of as many shards, whatever their names and hosts, hold what the source held at the
 * snapshot's time, or at a later point: the data of each shard on the shard of the same place in the order of names,
 * then the routing metadata, rewritten to the target's names. The target stays who it is: its `shardIdentity`,
 * config.shards, config.version and keys are its own. Nothing is touched before every replica set passed every check.
 */
export async function restoreShardedSnapshot(
  options: RestoreShardedSnapshotOptions,
  manifest: Manifest,
): Promise<RestoredSnapshot> {
  const { uri, signal, clock, log, holdRecord } = options;
  const replicaSets = await requireMatchingReplicaSets(options, manifest);
  const restores = await openRestores(options, manifest, replicaSets);
  try {
    let verified = options.verifyContent;
    for (const { restore } of restores) verified = (await restore.verify()) && verified;
    if (verified) await tryToNoteVerified(options);
    await settle(options, restores);
    const routing = await RoutingRestore.plan(
      ({ replicaSet }, name) =>
        must(
          restores.find((one) => one.source.replicaSet === replicaSet),
          'a restore for each replica set',
        ).restore.point.ledger(name),
      restores.map(({ source }) => source),
      replicaSets,
    );
    for (const one of restores) one.target = await one.restore.preflight(one.target);
    const config = must(restores.at(-1), 'the config servers come last');
    const hold = balancerHold({ uri: config.replicaSet.uri, record: holdRecord, clock, log, signal });
    let begun = false;
    try {
      await hold.take();
      await options.clearing?.();
      begun = true;
      return await followAll(restores, [], async (followed) => await run(options, followed, routing));
    } catch (error) {
      if (!begun) throw error;
      const phases = new Set(restores.map(({ restore }) => restore.progress.phase));
      throw leftIncomplete(error, { uri, phase: [...phases].join(', '), signal });
    } finally {
      await hold.giveBack();
    }
  } finally {
    await Promise.all(restores.map(async (one) => await one.close()));
  }
}

async function settle(
  { pointInTime, signal }: RestoreShardedSnapshotOptions,
  restores: readonly ReplicaSetRestore[],
): Promise<void> {
  if (pointInTime === undefined) return;
  const planned = restores.map(({ source, restore, inTime }) => ({
    source,
    inTime: must(inTime, 'a point in time has a source'),
    point: () => restore.point,
    decide: async (decisions: Decisions) => await restore.decide(decisions),
  }));
  await settlePoint(pointInTime.end.ts, planned, signal);
}

/** The majorities of all of them are looked after while any is worked on: each waits for the others. */
async function followAll<T>(
  [first, ...others]: readonly ReplicaSetRestore[],
  followed: readonly ReplicaSetRestore[],
  work: (restores: readonly ReplicaSetRestore[]) => Promise<T>,
): Promise<T> {
  if (first === undefined) return await work(followed);
  return await first.restore.follow(first.target, async (target) => {
    return await followAll(others, [...followed, { ...first, target }], work);
  });
}

async function run(
  options: RestoreShardedSnapshotOptions,
  restores: readonly ReplicaSetRestore[],
  routing: RoutingRestore,
): Promise<RestoredSnapshot> {
  const shards = restores.filter(({ replicaSet }) => !replicaSet.configServer);
  const { target: config, replicaSet } = must(restores.at(-1), 'there are config servers');
  assert(replicaSet.configServer, 'the config servers come last');
  options.report({ phase: 'clearing the routing metadata', documentsDone: 0, bytesDone: 0 });
  await routing.clear(
    config,
    shards.map(({ target }) => target),
  );
  const results: RestoredSnapshot[] = [];
  await forEachConcurrently(restores, REPLICA_SETS_AT_ONCE, async ({ restore, target }) => {
    results.push(await restore.run(target));
  });
  assert(results.length === restores.length, 'every replica set was restored');
  const sum = (of: (one: RestoredSnapshot) => number) => results.reduce((total, one) => total + of(one), 0);
  const [documentsDone, bytesDone] = [sum((one) => one.documents), sum((one) => one.bytes)];
  options.report({ phase: 'restoring the routing metadata', documentsDone, bytesDone });
  await routing.write(
    config,
    shards.map(({ target }) => target),
  );
  // A shard forgets the ranges of collections that it does not know to be sharded.
  for (const { source, target } of shards) await routing.restoreRangeDeletions(source, target);
  return {
    documents: documentsDone,
    bytes: bytesDone,
    collections: sum((one) => one.collections),
    indexes: sum((one) => one.indexes),
    loadMs: Math.max(...results.map((one) => one.loadMs)),
    indexMs: Math.max(...results.map((one) => one.indexMs)),
    replayed: sumReplayed(results.map(({ replayed }) => replayed)),
    leftOut: leftOutOf(results),
  };
}

function leftOutOf(results: readonly RestoredSnapshot[]): LeftOutSummary {
  const all = new LeftOutList();
  for (const { leftOut } of results) all.add(leftOut.named, leftOut.count);
  return all;
}

/** The target's replica sets, in the order of the snapshot's: shards by name, the config servers last. */
async function requireMatchingReplicaSets(
  { uri, signal, snapshotId }: RestoreShardedSnapshotOptions,
  { header }: Manifest,
): Promise<ClusterReplicaSet[]> {
  const refuse = (message: string) =>
    new Fault({
      op: 'restore',
      subject: redactUri(uri),
      message: `snapshot ${snapshotId} is of a sharded cluster of ${(header.replicaSets?.length ?? 0) - 1} shards and ${message}`,
      hint: 'Restore to a sharded cluster of as many shards, with config servers of their own',
    });
  const replicaSets = await findReplicaSets(uri, { signal });
  if (replicaSets === null) throw refuse(`${redactUri(uri)} is a replica set`);
  if (replicaSets.length !== header.replicaSets?.length)
    throw refuse(
      `${redactUri(uri)} has ${replicaSets.length - 1}: shards were added or removed, or it is another cluster`,
    );
  assert(replicaSets.at(-1)?.configServer === true, 'the config servers come last');
  return replicaSets;
}

async function openRestores(
  options: RestoreShardedSnapshotOptions,
  manifest: Manifest,
  replicaSets: readonly ClusterReplicaSet[],
): Promise<ReplicaSetRestore[]> {
  const { signal, pointInTime } = options;
  const progress = new ReplicaSetsProgress(replicaSets.length, options.report);
  const restores: ReplicaSetRestore[] = [];
  try {
    for (const [index, source] of replicaSetsOf(manifest).entries()) {
      const replicaSet = must(replicaSets[index], 'as many replica sets as the snapshot has');
      assert(source.replicaSet?.configServer === replicaSet.configServer, 'config servers go to config servers');
      const client = await connectCluster(replicaSet.uri, { signal, appName: appNameOf(options.run) });
      const report = progress.reporterOf(index, replicaSet.shardName);
      const inTime = pointInTime === undefined ? null : await replicaSetInTime(pointInTime, source, signal);
      const own = { ...options, uri: replicaSet.uri, report };
      const restore = new Restore(withPoint(own, inTime), source.manifest, true);
      const target = new RestoreTarget(client, signal);
      restores.push({ source, replicaSet, restore, inTime, target, close: async () => await client.close() });
    }
    assert(restores.length === replicaSets.length, 'every replica set of the target gets one');
    return restores;
  } catch (error) {
    await Promise.all(restores.map(async (one) => await one.close()));
    throw error;
  }
}

function withPoint(
  { pointInTime: _, ...options }: RestoreShardedSnapshotOptions,
  inTime: ReplicaSetInTime | null,
): RestoreSnapshotOptions {
  return inTime === null ? options : { ...options, pointInTime: inTime };
}
