import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { findCapture } from '../../catalog/captures.ts';
import { must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { ClusterName } from '../names.ts';
import { captureDuty } from './capture-task.ts';
import { pruneSlicesDuty } from './prune-slices.ts';

const never = new AbortController().signal;

async function inCapturedCluster(
  work: (world: DomainWorld, name: ClusterName, clusterId: string) => Promise<void>,
): Promise<void> {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    const { id } = await world.domain.clusters.update({ ...name, change: { pitEnabled: true } });
    await look(world);
    await work(world, name, id);
  });
}

/** What the timer does each round. */
async function look(world: DomainWorld): Promise<void> {
  await captureDuty(world.context).run(never);
  await world.run();
}

test('a cluster with continuous backup has one tailer, however often it is looked', async () => {
  await inCapturedCluster(async (world, _, clusterId) => {
    await look(world);
    await look(world);
    assert.deepEqual(
      world.tails.map((tail) => tail.request.clusterId),
      [clusterId],
    );
  });
});

test('what the tailer says is noted, and a tailer that failed says why and is followed by another', async () => {
  await inCapturedCluster(async (world, _, clusterId) => {
    const first = must(world.tails[0], 'a tailer');
    first.request.onProgress({
      host: 'h:1',
      captured: (1_790_000_000n << 32n) | 3n,
      lagSeconds: 2,
      replicaSets: null,
    });
    await world.run();
    const noted = await findCapture(world.catalog.reader, clusterId);
    assert.deepEqual(
      [noted?.host, noted?.capturedT, noted?.capturedI, noted?.lagSeconds, noted?.failure],
      ['h:1', 1_790_000_000, 3, 2, null],
    );
    first.fail(new Fault({ op: 'tail', subject: 'x', message: 'no rights to read the oplog' }));
    await world.run();
    assert.match((await findCapture(world.catalog.reader, clusterId))?.failure ?? '', /no rights/);
    await look(world);
    assert.equal(world.tails.length, 2);
  });
});

for (const [how, change] of [
  ['switched off', { pitEnabled: false }],
  ['paused', { paused: true }],
] as const) {
  test(`the tailer ends soon after the cluster is ${how}, and no other begins`, async () => {
    await inCapturedCluster(async (world, name) => {
      await world.domain.clusters.update({ ...name, change });
      await world.clock.advance(3_000);
      assert.equal(must(world.tails[0], 'a tailer').request.signal.aborted, true);
      await look(world);
      assert.equal(world.tails.length, 1);
    });
  });
}

test('of a sharded cluster it is noted how far each replica set is, and which one is not followed', async () => {
  await inCapturedCluster(async (world, name, clusterId) => {
    const ts = (1_790_000_000n << 32n) | 3n;
    const replicaSet = (shardName: string, captured: bigint | null, failure: string | null) => ({
      ...{ shardName, configServer: shardName === 'config', replicaSetName: `of-${shardName}`, host: 'h:1' },
      ...{ captured, lagSeconds: 2, updatedAtMs: 5, failure },
    });
    const replicaSets = [
      replicaSet('s0', ts, null),
      replicaSet('s1', ts + 1n, 'no rights'),
      replicaSet('config', ts, null),
    ];
    must(world.tails[0], 'a tailer').request.onProgress({
      host: null,
      captured: ts,
      lagSeconds: 2,
      replicaSets,
    });
    await world.run();
    world.coverage = { runs: [], gaps: [{ from: ts, cause: 'overtaken', at: 'then' }], storedBytes: 10 };
    const status = await world.domain.continuousBackup.status(name);
    assert.equal(status.failure, 's1: no rights');
    assert.deepEqual(
      status.replicaSets.map((one) => [one.shardName, one.captured, one.failure, one.storedBytes]),
      [
        ['s0', ts, null, 10],
        ['s1', ts + 1n, 'no rights', 10],
        ['config', ts, null, 10],
      ],
    );
    assert.ok(status.gaps.some((gap) => gap.shardName === 's1' && gap.cause === 'overtaken'));
    await world.takeWhole(name);
    await pruneSlicesDuty(world.context).run(never);
    await world.run();
    assert.deepEqual(world.prunedSets.toSorted(), ['of-config', 'of-s0', 'of-s1', 'rs0']);
    const kept = await findCapture(world.catalog.reader, clusterId);
    assert.equal(kept?.capturedI, 3);
    assert.match(kept.members ?? '', /^\[\{"shardName":"s0",.*"capturedT":1790000000,"capturedI":3\}/);
  });
});

test('slices are pruned by the hour: what no snapshot precedes, and everything once continuous backup is off', async () => {
  await inCapturedCluster(async (world, name) => {
    await world.takeWhole(name);
    const duty = pruneSlicesDuty(world.context);
    await duty.run(never);
    await world.run();
    const snapshotT = Math.floor(world.clock.nowMs() / 1000);
    const [upTo] = world.pruned;
    assert.ok(upTo !== undefined && upTo !== null && Number(upTo >> 32n) <= snapshotT, 'up to the only snapshot');
    await duty.run(never);
    await world.run();
    assert.equal(world.pruned.length, 1, 'not again within the hour');
    await world.domain.clusters.update({ ...name, change: { pitEnabled: false } });
    await world.clock.leap(3_600_000);
    await duty.run(never);
    await world.run();
    assert.equal(world.pruned.at(-1), null);
  });
});
