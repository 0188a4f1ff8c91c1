import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld } from '../../../test/support/domain-world.ts';
import { Fault } from '../../lib/errors.ts';
import { FACTS_FRESH_MS } from './live-facts.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };

test('facts are asked for again once they are older than half a minute, by whoever comes first', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    const { probe } = world;
    let looks = 0;
    world.probe = async (...call) => {
      looks++;
      return { ...(await probe(...call)), mongodVersion: '8.0.4', dataBytes: 7 };
    };
    const { get, list } = world.domain.clusters;
    assert.equal((await get(name)).mongodVersion, '6.0.5');
    await world.clock.advance(FACTS_FRESH_MS);
    const found = await Promise.all([get(name), get(name), list({ projectId: name.projectId, page })]);
    assert.equal(looks, 1);
    assert.deepEqual([found[0].mongodVersion, found[0].dataBytes], ['8.0.4', 7]);
    assert.deepEqual(found[2].items, [found[1]]);
    assert.equal(found[0].probedAtMs, world.clock.nowMs());
  });
});

test('a cluster that does not answer is shown with what was known, and why; and is left in peace for a while', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    const { probe } = world;
    let looks = 0;
    world.probe = async () => {
      looks++;
      throw new Fault({ op: 'connect', subject: 'localhost', message: 'cannot reach localhost' });
    };
    const { get } = world.domain.clusters;
    await world.clock.advance(FACTS_FRESH_MS);
    const away = await get(name);
    assert.deepEqual([away.mongodVersion, away.probeFailure], ['6.0.5', 'cannot reach localhost']);
    assert.ok((away.probedAtMs ?? 0) < world.clock.nowMs());
    await get(name);
    assert.equal(looks, 1);
    world.probe = probe;
    await world.clock.advance(FACTS_FRESH_MS);
    assert.equal((await get(name)).probeFailure, null);
  });
});

test('nobody waits long for a cluster that says nothing', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.probe = async () => await new Promise(() => undefined);
    await world.clock.advance(FACTS_FRESH_MS);
    const asked = world.domain.clusters.get(name);
    await world.clock.advance(5_000);
    assert.equal((await asked).probeFailure, 'it did not answer in time');
  });
});

test('a paused cluster is not asked', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    await world.domain.clusters.update({ ...name, change: { paused: true } });
    world.probe = async () => assert.fail('it was asked');
    await world.clock.advance(FACTS_FRESH_MS);
    await world.domain.clusters.get(name);
  });
});
