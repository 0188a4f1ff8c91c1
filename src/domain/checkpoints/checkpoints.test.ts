import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import { allBalancerHolds } from '../../catalog/balancer-holds.ts';
import { putCapture } from '../../catalog/captures.ts';
import type { CheckpointToken } from '../../engine/checkpoint/checkpoint-token.ts';
import { must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { ManifestReplicaSet } from '../../repository/format/manifest.ts';
import { pruneSlicesDuty } from '../continuous-backup/prune-slices.ts';
import type { ClusterName } from '../names.ts';
import { Refusal } from '../refusals/refusals.ts';
import { balancerDuty } from '../snapshots/balancer-holds.ts';
import { checkpointDuty } from './checkpoint-duty.ts';

const never = new AbortController().signal;
const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const MINUTE = 60_000;

const replicaSets = [
  { shardName: 's0', replicaSetName: 'rs0', configServer: false },
  { shardName: 's1', replicaSetName: 'rs1', configServer: false },
  { shardName: 'config', replicaSetName: 'cfg', configServer: true },
];

/** A sharded cluster with continuous backup and a snapshot, of which checkpoints may be made. */
async function inSharded(
  work: (world: DomainWorld, cluster: ClusterName, clusterId: string) => Promise<void>,
): Promise<void> {
  await inWorld({}, async (world) => {
    const replicaSet = world.probe;
    world.probe = async (uri, call) => ({ ...(await replicaSet(uri, call)), topology: 'sharded' });
    const cluster = await world.withCluster();
    const { id } = await world.domain.clusters.update({ ...cluster, change: { pitEnabled: true } });
    world.startWorker();
    await world.domain.snapshots.take(cluster);
    await world.run();
    const nowS = Math.floor(world.clock.nowMs() / 1000);
    const held = replicaSets.map((one, index) => ({ ...manifestReplicaSet, ...one, id: String(index).repeat(24) }));
    world.completeTake(0, { type: 'sharded', replicaSets: held, clusterTime: { t: nowS, i: 1, term: 1 } });
    await world.run();
    world.coverage = {
      runs: [{ first: timestampOf({ t: nowS - 5, i: 1 }), last: 1n << 63n }],
      gaps: [],
      storedBytes: 0,
    };
    await work(world, cluster, id);
  });
}

const manifestReplicaSet: Omit<ManifestReplicaSet, 'id' | 'shardName' | 'replicaSetName' | 'configServer'> = {
  replicaSetId: null,
  position: { t: 1, i: 1, term: 1 },
  mongodVersion: '6.0.5',
  featureCompatibilityVersion: '6.0',
  collections: 1,
  documents: 1,
  bytes: 1,
};

async function setInterval15(world: DomainWorld, cluster: ClusterName): Promise<void> {
  await world.domain.legacy.updateSchedule({ ...cluster, changes: {}, clusterCheckpointIntervalMin: 15 });
  await world.run();
}

/** What the timer does each round. */
async function look(world: DomainWorld): Promise<void> {
  await checkpointDuty(world.context).run(never);
  await world.run();
}

async function untilDue(world: DomainWorld): Promise<void> {
  const nowMs = world.clock.nowMs();
  await world.clock.leap(must(await checkpointDuty(world.context).nextDueMs(nowMs), 'one is due') - nowMs);
  await look(world);
}

/** Tokens a second apart, of which the newest is the checkpoint's time. */
function tokensNow(world: DomainWorld): { tokens: CheckpointToken[]; at: Timestamp64 } {
  const nowS = Math.floor(world.clock.nowMs() / 1000);
  const tokens = replicaSets.map((replicaSet, index) => ({
    ...replicaSet,
    ts: timestampOf({ t: nowS + index, i: 7 }),
  }));
  return { tokens, at: must(tokens.at(-1), 'there are replica sets').ts };
}

/** As the engine does it, but for the giving back of the balancer. */
async function writeTokens(world: DomainWorld, index: number): Promise<{ tokens: CheckpointToken[]; at: Timestamp64 }> {
  const { request } = must(world.checkpoints[index], `checkpoint ${index} has begun`);
  await request.onReplicaSets(replicaSets);
  await request.balancerRecord.write();
  await request.onHeld();
  const written = tokensNow(world);
  await request.onTokens(written.tokens, written.at);
  return written;
}

async function makeWhole(world: DomainWorld, index: number): Promise<void> {
  await writeTokens(world, index);
  const taking = must(world.checkpoints[index], 'it has begun');
  await taking.request.balancerRecord.erase();
  taking.succeed();
  await world.run();
  const search = must(world.tokenSearches.at(-1), 'the tokens are looked for');
  for (const token of search.request.tokens) await search.request.onFound(token);
  search.succeed([]);
  await world.run();
}

const listed = async (world: DomainWorld, cluster: ClusterName) =>
  (await world.domain.checkpoints.list({ ...cluster, page })).items;

test('an interval begins with a checkpoint, which is shown with its parts, and restored as one moment of all replica sets', async () => {
  await inSharded(async (world, cluster, clusterId) => {
    assert.equal((await world.domain.legacy.schedule(cluster)).clusterCheckpointIntervalMin, null);
    await setInterval15(world, cluster);
    assert.equal((await world.domain.legacy.schedule(cluster)).clusterCheckpointIntervalMin, 15);
    const startedAtMs = world.clock.nowMs();
    const { tokens, at } = await writeTokens(world, 0);
    const [begun] = await listed(world, cluster);
    assert.deepEqual([begun?.restorable, begun?.startedAtMs, begun?.completedAtMs], [false, startedAtMs, null]);
    const name = { ...cluster, checkpointId: must(begun, 'it is shown').id };
    const restore = async () =>
      await world.domain.legacy.restore({
        ...name,
        methodName: 'AUTOMATED_RESTORE',
        targetProjectId: cluster.projectId,
        targetClusterName: cluster.clusterName,
      });
    await assert.rejects(restore(), refused('RESTORE_INITIATION_FAILED'), 'not while its tokens are not seen');
    const taking = must(world.checkpoints[0], 'it has begun');
    await taking.request.balancerRecord.erase();
    taking.succeed();
    await world.run();
    const search = must(world.tokenSearches[0], 'the tokens are looked for');
    assert.deepEqual(search.request.tokens, tokens);
    assert.equal(search.request.at, at);
    await search.request.onFound(must(tokens[1], 'a token of s1'));
    const part = (await world.domain.checkpoints.get(name)).parts.map(({ tokenDiscovered }) => tokenDiscovered);
    assert.deepEqual(part, [false, true, false]);
    for (const token of tokens) await search.request.onFound(token);
    search.succeed([]);
    await world.run();
    const done = await world.domain.checkpoints.get(name);
    const seconds = Number(at >> 32n);
    assert.deepEqual(
      [done.restorable, done.reason, done.timestampMs, done.clusterId],
      [true, null, seconds * 1000, clusterId],
    );
    assert.deepEqual(
      done.parts.map((one) => [one.shardName, one.typeName, one.tokenDiscovered, one.tokenTimestamp?.seconds]),
      [
        ['s0', 'REPLICA_SET', true, seconds - 2],
        ['s1', 'REPLICA_SET', true, seconds - 1],
        ['config', 'CONFIG_SERVER_REPLICA_SET', true, seconds],
      ],
    );
    await world.clock.advance(5_000);
    const job = await restore();
    assert.deepEqual([job.deliveryType, job.oplogTs, job.oplogInc], ['pointInTime', seconds, 7]);
    await world.run();
    assert.deepEqual(must(world.restores[0], 'it is restored').request.point, { ts: at, inclusive: true });
    const nowhere = { ...name, checkpointId: '0'.repeat(24) };
    await assert.rejects(world.domain.checkpoints.get(nowhere), refused('CHECKPOINT_NOT_FOUND'));
  });
});

test('they are due on the grid, made once whoever tries, and not made up', async () => {
  await inSharded(async (world, cluster) => {
    await setInterval15(world, cluster);
    await makeWhole(world, 0);
    await setInterval15(world, cluster);
    assert.equal(world.checkpoints.length, 1, 'the same interval again begins nothing');
    const duty = checkpointDuty(world.context);
    await look(world);
    assert.equal(world.checkpoints.length, 1);
    const nextMs = must(await duty.nextDueMs(world.clock.nowMs()), 'one is due');
    assert.equal(nextMs % (15 * MINUTE), 0);
    await world.clock.leap(nextMs - world.clock.nowMs());
    await Promise.all([duty.run(never), checkpointDuty(world.context).run(never)]);
    await world.run();
    assert.equal(world.checkpoints.length, 2);
    await makeWhole(world, 1);
    // Nobody is there for an hour and four minutes.
    await world.clock.leap(64 * MINUTE);
    await look(world);
    assert.equal(world.checkpoints.length, 2, 'the last of them was due four minutes ago');
    await world.clock.leap(11 * MINUTE);
    await look(world);
    assert.equal(world.checkpoints.length, 3);
    assert.equal((await listed(world, cluster)).length, 3);
    await world.domain.legacy.updateSchedule({ ...cluster, changes: {}, clusterCheckpointIntervalMin: 0 });
    await world.clock.leap(15 * MINUTE);
    await look(world);
    assert.equal(world.checkpoints.length, 3);
    assert.equal((await world.domain.legacy.schedule(cluster)).clusterCheckpointIntervalMin, null);
  });
});

test('an interval needs a sharded cluster with continuous backup, and is one of three', async () => {
  const asked = async (world: DomainWorld, cluster: ClusterName, minutes: number) =>
    await world.domain.legacy.updateSchedule({ ...cluster, changes: {}, clusterCheckpointIntervalMin: minutes });
  await inSharded(async (world, cluster) => {
    await assert.rejects(asked(world, cluster, 20), refused('INVALID_CLUSTER_CHECKPOINT_INTERVAL'));
    await asked(world, cluster, 60);
    await world.run();
    must(world.checkpoints[0], 'it has begun').fail(new Fault({ op: 'take', subject: 'x', message: 'no shard' }));
    await world.run();
    await world.domain.clusters.update({ ...cluster, change: { pitEnabled: false } });
    await assert.rejects(asked(world, cluster, 15), refused('CHECKPOINTS_ONLY_ON_CONTINOUS_BACKUP'));
    await world.clock.leap(60 * MINUTE);
    await look(world);
    assert.equal(world.checkpoints.length, 1, 'nothing is due while nothing is captured');
  });
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    await assert.rejects(asked(world, cluster, 15), refused('CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET'));
  });
});

test('what could not be made or seen is shown as what it is', async () => {
  await inSharded(async (world, cluster) => {
    await setInterval15(world, cluster);
    const failing = must(world.checkpoints[0], 'it has begun');
    await failing.request.onReplicaSets(replicaSets);
    await failing.request.onTokens(tokensNow(world).tokens.slice(0, 1), null);
    failing.fail(new Fault({ op: 'append an oplog note', subject: 's1', message: 's1 has no primary' }));
    await world.run();
    const [failed] = await listed(world, cluster);
    assert.deepEqual(
      [failed?.restorable, failed?.reason, failed?.completedAtMs !== null],
      [false, 's1 has no primary', true],
    );
    assert.deepEqual(
      failed?.parts.map(({ tokenTimestamp }) => tokenTimestamp !== null),
      [true, false, false],
    );
    await untilDue(world);
    const { tokens } = await writeTokens(world, 1);
    await must(world.checkpoints[1], 'it has begun').request.balancerRecord.erase();
    must(world.checkpoints[1], 'it has begun').succeed();
    await world.run();
    const search = must(world.tokenSearches[0], 'the tokens are looked for');
    await search.request.onFound(must(tokens[0], 'a token of s0'));
    search.succeed(['the token of s1 was not seen']);
    await world.run();
    const [missed] = await listed(world, cluster);
    assert.deepEqual([missed?.restorable, missed?.reason], [false, 'the token of s1 was not seen']);
    assert.deepEqual(
      missed?.parts.map(({ tokenDiscovered }) => tokenDiscovered),
      [true, false, false],
    );
    world.coverage = { runs: [], gaps: [], storedBytes: 0 };
    await untilDue(world);
    await makeWhole(world, 2);
    const [lost] = await listed(world, cluster);
    assert.match(lost?.reason ?? '', /the captured oplog does not lead from a snapshot to/);
    assert.equal(lost?.restorable, false, 'all tokens seen, and yet nothing leads to it');
  });
});

test('an attempt that was cut off is followed by one that gives the balancer back and looks for what was written', async () => {
  await inSharded(async (world, cluster) => {
    await setInterval15(world, cluster);
    const { tokens, at } = await writeTokens(world, 0);
    const stopping = must(world.worker, 'a worker').stop();
    must(world.checkpoints[0], 'it has begun').fail(new Fault({ op: 'take', subject: 'x', message: 'killed' }));
    await stopping;
    await world.clock.leap(30 * MINUTE);
    world.startWorker('two');
    await world.run();
    assert.equal(world.balancersStarted.length, 1);
    assert.deepEqual(await allBalancerHolds(world.catalog.reader), []);
    assert.equal(world.checkpoints.length, 1, 'no token is written twice');
    const search = must(world.tokenSearches[0], 'the tokens are looked for');
    assert.deepEqual([search.request.tokens, search.request.at], [tokens, at]);
    search.succeed([]);
    await world.run();
    assert.equal((await listed(world, cluster))[0]?.restorable, true);
  });
});

test('one that was cut off before its tokens were written is written anew in time, and missed later', async () => {
  for (const [awayMs, attempts] of [
    [MINUTE, 2],
    [10 * MINUTE, 1],
  ] as const) {
    await inSharded(async (world, cluster) => {
      await setInterval15(world, cluster);
      const taking = must(world.checkpoints[0], 'it has begun');
      await taking.request.onReplicaSets(replicaSets);
      await taking.request.balancerRecord.write();
      const stopping = must(world.worker, 'a worker').stop();
      taking.fail(new Fault({ op: 'take', subject: 'x', message: 'killed' }));
      await stopping;
      await world.clock.leap(awayMs);
      world.startWorker('two');
      await world.run();
      assert.equal(world.balancersStarted.length, 1, 'the balancer first');
      assert.equal(world.checkpoints.length, attempts);
      if (attempts === 1) assert.match((await listed(world, cluster))[0]?.reason ?? '', /could not be made in time/);
    });
  }
});

test('a balancer is one task’s at a time, and a dead one’s is given back beside what still works', async () => {
  await inSharded(async (world, cluster) => {
    await world.domain.snapshots.take(cluster);
    await world.run();
    const snapshot = world.take(1).request.balancerRecord;
    await setInterval15(world, cluster);
    const checkpoint = must(world.checkpoints[0], 'it has begun beside the snapshot');
    await checkpoint.request.balancerRecord.write();
    let held = false;
    const waiting = snapshot.write().then(() => {
      held = true;
    });
    await world.clock.advance(2_000);
    assert.equal(held, false, 'the snapshot waits for the checkpoint');
    await snapshot.erase();
    assert.equal((await allBalancerHolds(world.catalog.reader)).length, 1, 'nobody crosses out what another holds');
    checkpoint.fail(new Fault({ op: 'take', subject: 'x', message: 'the config servers are away' }));
    await world.run();
    await balancerDuty(world.context).run(never);
    await world.run();
    assert.equal(world.balancersStarted.length, 1, 'the checkpoint has ended: its balancer is given back now');
    await waiting;
    await balancerDuty(world.context).run(never);
    await world.run();
    assert.equal(world.balancersStarted.length, 1, 'the snapshot is at work');
  });
});

test('checkpoints go with the restore window, and with the slices that led to them', async () => {
  await inSharded(async (world, cluster) => {
    await setInterval15(world, cluster);
    await makeWhole(world, 0);
    const prune = async () => {
      await pruneSlicesDuty(world.context).run(never);
      await world.run();
    };
    await prune();
    assert.equal((await listed(world, cluster))[0]?.restorable, true);
    world.coverage = { runs: [], gaps: [], storedBytes: 0 };
    await prune();
    const [gone] = await listed(world, cluster);
    assert.deepEqual([gone?.restorable, gone?.reason?.includes('does not lead')], [false, true]);
    await world.clock.leap(6 * 86_400_000);
    await prune();
    assert.equal((await listed(world, cluster)).length, 1);
    await world.clock.leap(2 * 86_400_000);
    await prune();
    assert.deepEqual(await listed(world, cluster), []);
  });
});

test('only what the tailer says it has captured is looked for in the repository', async () => {
  await inSharded(async (world, cluster, clusterId) => {
    await setInterval15(world, cluster);
    const { tokens, at } = await writeTokens(world, 0);
    must(world.checkpoints[0], 'it has begun').succeed();
    await world.run();
    const { mayBeThere } = must(world.tokenSearches[0], 'the tokens are looked for').request;
    const token = must(tokens[0], 'a token of s0');
    assert.equal(await mayBeThere(token), false);
    const told = async (ts: Timestamp64) =>
      await world.catalog.transact(async (writer) => {
        const time = { capturedT: Number(ts >> 32n), capturedI: Number(ts & 0xffffffffn) };
        const common = { host: null, lagSeconds: 0, updatedAtMs: 0, failure: null };
        const replicaSet = { ...common, ...time, shardName: 's0', replicaSetName: 'rs0', configServer: false };
        await putCapture(writer, {
          clusterId,
          replicaSetName: null,
          ...common,
          ...time,
          members: JSON.stringify([replicaSet]),
        });
      });
    await told(at - 1n);
    assert.equal(await mayBeThere(token), false);
    await told(at);
    assert.equal(await mayBeThere(token), true);
  });
});
