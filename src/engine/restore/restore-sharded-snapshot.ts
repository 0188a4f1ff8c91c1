import { assert, must } from '../../lib/assert.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import { Fault } from '../../lib/errors.ts';
import { connectCluster, redactUri } from '../../mongo/connection/connect.ts';
import { findShardMembers, type ShardMember } from '../../mongo/shard-members.ts';
import { RestoreTarget } from '../../mongo/target.ts';
import type { Manifest } from '../../repository/format/manifest.ts';
import { type ManifestPart, partsOf } from '../../repository/format/manifest-members.ts';
import { MemberProgress } from '../member-progress.ts';
import type { ReplayedOplog } from '../replay/replay-oplog.ts';
import { balancerHold, type HoldRecord } from '../sharding/balancer-hold.ts';
import { RoutingRestore } from './restore-routing.ts';
import { leftIncomplete, Restore, type RestoredSnapshot, type RestoreSnapshotOptions } from './restore-snapshot.ts';
import {
  decideTransactions,
  type MemberInTime,
  memberInTime,
  type PointOfCluster,
  refuseOtherShards,
  refuseUnderWay,
} from './sharded-point-in-time.ts';

export interface RestoreShardedSnapshotOptions extends Omit<RestoreSnapshotOptions, 'pointInTime'> {
  /** That the target's balancer is stopped is written down here first. */
  holdRecord: HoldRecord;
  /**
   * To go on from the snapshot to a later point, by what was captured of every member. Left out: the snapshot's own
   * time.
   */
  pointInTime?: PointOfCluster;
}

const MEMBERS_AT_ONCE = 2;

/** One replica set of the snapshot and the one that it goes to. */
interface Pair {
  part: ManifestPart;
  member: ShardMember;
  restore: Restore;
  /** Null where the snapshot itself is restored. */
  inTime: MemberInTime | null;
  target: RestoreTarget;
  close: () => Promise<void>;
}

/**
 * Makes a sharded cluster of as many shards, whatever their names and hosts, hold what the source held at the
 * snapshot's time, or at a later point: the data of each shard on the shard of the same place in the order of names,
 * then the routing metadata, rewritten to the target's names. The target stays who it is: its `shardIdentity`,
 * config.shards, config.version and keys are its own. Nothing is touched before every member passed every check.
 */
export async function restoreShardedSnapshot(
  options: RestoreShardedSnapshotOptions,
  manifest: Manifest,
): Promise<RestoredSnapshot> {
  const { uri, signal, clock, log, holdRecord } = options;
  const members = await requireMatchingMembers(options, manifest);
  const pairs = await openPairs(options, manifest, members);
  try {
    for (const { restore } of pairs) await restore.verify();
    await settlePoint(options, pairs);
    const routing = await RoutingRestore.plan(
      ({ member }, name) =>
        must(
          pairs.find((pair) => pair.part.member === member),
          'a part',
        ).restore.point.ledger(name),
      pairs.map(({ part }) => part),
      members,
    );
    for (const pair of pairs) pair.target = await pair.restore.preflight(pair.target);
    const config = must(pairs.at(-1), 'the config servers come last');
    const hold = balancerHold({ uri: config.member.uri, record: holdRecord, clock, log, signal });
    let begun = false;
    try {
      await hold.take();
      begun = true;
      return await followAll(pairs, [], async (followed) => await run(options, followed, routing));
    } catch (error) {
      if (!begun) throw error;
      const phases = new Set(pairs.map(({ restore }) => restore.progress.phase));
      throw leftIncomplete(error, { uri, phase: [...phases].join(', '), signal });
    } finally {
      await hold.giveBack();
    }
  } finally {
    await Promise.all(pairs.map(async (pair) => await pair.close()));
  }
}

/** The majorities of all of them are looked after while any is worked on: each waits for the others. */
async function followAll<T>(
  [first, ...others]: readonly Pair[],
  followed: readonly Pair[],
  work: (pairs: readonly Pair[]) => Promise<T>,
): Promise<T> {
  if (first === undefined) return await work(followed);
  return await first.restore.follow(first.target, async (target) => {
    return await followAll(others, [...followed, { ...first, target }], work);
  });
}

async function run(
  options: RestoreShardedSnapshotOptions,
  pairs: readonly Pair[],
  routing: RoutingRestore,
): Promise<RestoredSnapshot> {
  const shards = pairs.filter(({ member }) => !member.configServer);
  const { target: config } = must(pairs.at(-1), 'the config servers come last');
  options.report({ phase: 'clearing the routing metadata', documentsDone: 0, bytesDone: 0 });
  await routing.clear(
    config,
    shards.map(({ target }) => target),
  );
  const results: RestoredSnapshot[] = [];
  await forEachConcurrently(pairs, MEMBERS_AT_ONCE, async ({ restore, target }) => {
    results.push(await restore.run(target));
  });
  const sum = (of: (one: RestoredSnapshot) => number) => results.reduce((total, one) => total + of(one), 0);
  const [documentsDone, bytesDone] = [sum((one) => one.documents), sum((one) => one.bytes)];
  options.report({ phase: 'restoring the routing metadata', documentsDone, bytesDone });
  await routing.write(
    config,
    shards.map(({ target }) => target),
  );
  // A shard forgets the ranges of collections that it does not know to be sharded.
  for (const { part, target } of shards) await routing.restoreRangeDeletions(part, target);
  return {
    documents: documentsDone,
    bytes: bytesDone,
    collections: sum((one) => one.collections),
    indexes: sum((one) => one.indexes),
    loadMs: Math.max(...results.map((one) => one.loadMs)),
    indexMs: Math.max(...results.map((one) => one.indexMs)),
    replayed: replayedOf(results),
  };
}

function replayedOf(results: readonly RestoredSnapshot[]): ReplayedOplog | null {
  const replays = results.flatMap(({ replayed }) => (replayed === null ? [] : [replayed]));
  if (replays.length === 0) return null;
  return {
    entries: replays.reduce((sum, one) => sum + one.entries, 0),
    operations: replays.reduce((sum, one) => sum + one.operations, 0),
    ms: Math.max(...replays.map((one) => one.ms)),
  };
}

/**
 * What the members can only tell together: which transactions over several of them were visible, and that they agreed
 * on the catalog.
 */
async function settlePoint(
  { pointInTime, signal }: RestoreShardedSnapshotOptions,
  pairs: readonly Pair[],
): Promise<void> {
  if (pointInTime === undefined) return;
  const { ts } = pointInTime.end;
  const planned = pairs.map(({ part, restore, inTime }) => ({
    name: nameOf(part),
    plan: must(restore.point.plan, 'a point in time has a plan'),
    source: must(inTime, 'a point in time has a source').source,
  }));
  const decisions = await decideTransactions(planned, signal);
  if (decisions.size > 0) for (const { restore } of pairs) await restore.decide(decisions);
  const held = async ({ restore }: Pair, name: string) => {
    const documents: Buffer[] = [];
    for await (const document of restore.point.ledger(name)) documents.push(document);
    return documents;
  };
  for (const pair of pairs) await refuseUnderWay(nameOf(pair.part), ts, async (name) => await held(pair, name));
  const shards = pairs.flatMap(({ part }) => (part.member?.configServer === false ? [part.member.shardName] : []));
  refuseOtherShards(shards, ts, await held(must(pairs.at(-1), 'the config servers come last'), 'shards'));
}

function nameOf({ member }: ManifestPart): string {
  return must(member, 'a part of a sharded snapshot is a member').shardName;
}

/** The target's members, in the order of the snapshot's: shards by name, the config servers last. */
async function requireMatchingMembers(
  { uri, signal, snapshotId }: RestoreShardedSnapshotOptions,
  { header }: Manifest,
): Promise<ShardMember[]> {
  const refuse = (message: string) =>
    new Fault({
      op: 'restore',
      subject: redactUri(uri),
      message: `snapshot ${snapshotId} is of a sharded cluster of ${(header.members?.length ?? 0) - 1} shards and ${message}`,
      hint: 'Restore to a sharded cluster of as many shards, with config servers of their own',
    });
  const members = await findShardMembers(uri, { signal });
  if (members === null) throw refuse(`${redactUri(uri)} is a replica set`);
  if (members.length !== header.members?.length)
    throw refuse(`${redactUri(uri)} has ${members.length - 1}: shards were added or removed, or it is another cluster`);
  assert(members.at(-1)?.configServer === true, 'the config servers come last');
  return members;
}

async function openPairs(
  options: RestoreShardedSnapshotOptions,
  manifest: Manifest,
  members: readonly ShardMember[],
): Promise<Pair[]> {
  const { signal, pointInTime } = options;
  const progress = new MemberProgress(members.length, options.report);
  const pairs: Pair[] = [];
  try {
    for (const [index, part] of partsOf(manifest).entries()) {
      const member = must(members[index], 'as many members as parts');
      const client = await connectCluster(member.uri, { signal });
      const report = progress.reporterOf(index, member.shardName);
      const inTime = pointInTime === undefined ? null : await memberInTime(pointInTime, part, signal);
      const own = { ...options, uri: member.uri, report };
      const restore = new Restore(withPoint(own, inTime), part.manifest, true);
      const target = new RestoreTarget(client, signal);
      pairs.push({ part, member, restore, inTime, target, close: async () => await client.close() });
    }
    return pairs;
  } catch (error) {
    await Promise.all(pairs.map(async (pair) => await pair.close()));
    throw error;
  }
}

function withPoint(
  { pointInTime: _, ...options }: RestoreShardedSnapshotOptions,
  inTime: MemberInTime | null,
): RestoreSnapshotOptions {
  return inTime === null ? options : { ...options, pointInTime: inTime };
}
