import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { allBalancerHolds } from '../../catalog/balancer-holds.ts';
import { Fault } from '../../lib/errors.ts';
import { balancerDuty } from './balancer-holds.ts';

const never = new AbortController().signal;
const URI = 'mongodb://backup:secret@localhost:27017/?replicaSet=rs0';

async function shardedWorld(
  work: (world: DomainWorld, cluster: { projectId: string; clusterName: string }) => Promise<void>,
) {
  await inWorld({}, async (world) => {
    const replicaSet = world.probe;
    world.probe = async (uri, call) => ({ ...(await replicaSet(uri, call)), topology: 'sharded' });
    await work(world, await world.withCluster());
  });
}

/** The process dies: its worker hears nothing any more, and its lease runs out. */
async function die(world: DomainWorld): Promise<void> {
  await world.worker?.stop();
}

test('what is written down before the balancer is stopped is erased after it was started', async () => {
  await shardedWorld(async (world, cluster) => {
    await world.domain.snapshots.take(cluster);
    world.startWorker();
    await world.run();
    const { balancerRecord } = world.take(0).request;
    await balancerRecord.write();
    assert.equal((await allBalancerHolds(world.catalog.reader)).length, 1);
    await balancerDuty(world.context).run(never);
    await world.run();
    assert.deepEqual(world.balancersStarted, [], 'whoever stopped it is still at work');
    await balancerRecord.erase();
    assert.deepEqual(await allBalancerHolds(world.catalog.reader), []);
  });
});

test('an attempt that failed without giving it back is followed by a task that does', async () => {
  await shardedWorld(async (world, cluster) => {
    await world.domain.snapshots.take(cluster);
    world.startWorker();
    await world.run();
    await world.take(0).request.balancerRecord.write();
    world.take(0).fail(new Fault({ op: 'take snapshot', subject: 'test', message: 'the config servers are away' }));
    await world.run();
    await balancerDuty(world.context).run(never);
    await world.run();
    assert.deepEqual(world.balancersStarted, [URI]);
    assert.deepEqual(await allBalancerHolds(world.catalog.reader), []);
    await balancerDuty(world.context).run(never);
    await world.run();
    assert.deepEqual(world.balancersStarted, [URI], 'once');
  });
});

test('the next attempt gives it back before it does anything else', async () => {
  await shardedWorld(async (world, cluster) => {
    await world.domain.snapshots.take(cluster);
    world.startWorker();
    await world.run();
    await world.take(0).request.balancerRecord.write();
    const stopping = die(world);
    world.take(0).fail(new Fault({ op: 'take snapshot', subject: 'test', message: 'killed', retryable: true }));
    await stopping;
    world.startWorker('two');
    await world.clock.advance(120_000);
    assert.equal(world.takes.length, 2);
    assert.deepEqual(world.balancersStarted, [URI]);
    assert.deepEqual(await allBalancerHolds(world.catalog.reader), []);
  });
});
