import { isAbort } from '../lib/abort.ts';
import { assert, must } from '../lib/assert.ts';
import { forEachConcurrently } from '../lib/bounded.ts';
import { describeError, Fault } from '../lib/errors.ts';
import { connectCluster, redactUri } from '../mongo/connect.ts';
import { asFault } from '../mongo/errors.ts';
import { findShardMembers, type ShardMember } from '../mongo/shard-members.ts';
import { RestoreTarget } from '../mongo/target.ts';
import type { Manifest } from '../repository/format/manifest.ts';
import { type ManifestPart, partsOf } from '../repository/format/manifest-members.ts';
import { balancerHold, type HoldRecord } from './balancer-hold.ts';
import { MemberProgress } from './member-progress.ts';
import { RoutingRestore } from './restore-routing.ts';
import { Restore, type RestoredSnapshot, type RestoreSnapshotOptions } from './restore-snapshot.ts';

export interface RestoreShardedSnapshotOptions extends Omit<RestoreSnapshotOptions, 'pointInTime'> {
  /** That the target's balancer is stopped is written down here first. */
  holdRecord: HoldRecord;
}

const MEMBERS_AT_ONCE = 2;

/** One replica set of the snapshot and the one that it goes to. */
interface Pair {
  part: ManifestPart;
  member: ShardMember;
  restore: Restore;
  target: RestoreTarget;
  close: () => Promise<void>;
}

/**
 * Makes a sharded cluster of as many shards, whatever their names and hosts, hold what the source held at the snapshot's time: the data of each shard on the shard of the same place in the order
 * of names, then the routing metadata, rewritten to the target's names. The target stays who it is: its `shardIdentity`, config.shards, config.version and keys are its own. Nothing is touched
 * before every member passed every check.
 */
export async function restoreShardedSnapshot(
  options: RestoreShardedSnapshotOptions,
  manifest: Manifest,
): Promise<RestoredSnapshot> {
  const { uri, signal, clock, log, holdRecord } = options;
  const members = await requireMatchingMembers(options, manifest);
  const routing = await RoutingRestore.plan(options, manifest, members);
  const pairs = await openPairs(options, manifest, members);
  try {
    for (const { restore } of pairs) await restore.verify();
    for (const { restore, target } of pairs) await restore.preflight(target);
    const config = must(pairs.at(-1), 'the config servers come last');
    const hold = balancerHold({ uri: config.member.uri, record: holdRecord, clock, log, signal });
    try {
      await hold.take();
      return await run(options, pairs, routing);
    } catch (error) {
      if (isAbort(error) || signal.aborted) throw error;
      throw new Fault({
        op: 'restore',
        subject: redactUri(uri),
        message: `the restore failed and left the target incomplete: ${describeError(error)}`,
        hint: 'Mend the cause and restore again: a restore replaces whatever it finds',
        cause: asFault(error, 'restore', redactUri(uri)),
      });
    } finally {
      await hold.giveBack();
    }
  } finally {
    await Promise.all(pairs.map(async (pair) => await pair.close()));
  }
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
    replayed: null,
  };
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
  const { signal } = options;
  const progress = new MemberProgress(members.length, options.report);
  const pairs: Pair[] = [];
  try {
    for (const [index, part] of partsOf(manifest).entries()) {
      const member = must(members[index], 'as many members as parts');
      const client = await connectCluster(member.uri, { signal });
      const report = progress.reporterOf(index, member.shardName);
      const restore = new Restore({ ...options, uri: member.uri, report }, part.manifest, true);
      const target = new RestoreTarget(client, signal);
      pairs.push({ part, member, restore, target, close: async () => await client.close() });
    }
    return pairs;
  } catch (error) {
    await Promise.all(pairs.map(async (pair) => await pair.close()));
    throw error;
  }
}
