import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { findCluster, uriContext } from '../../catalog/clusters.ts';
import { must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import { Refusal } from '../refusals/refusals.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const NEW = 'mongodb://fresh:rotated@elsewhere:27017/?replicaSet=rs0&maxPoolSize=1';
const away = new Fault({ op: 'connect', subject: 'old', message: 'authentication failed' });

/** What is found depends on the string that is tried. */
function answering(world: DomainWorld, ids: { old: string | Fault | null; fresh: string | Fault | null }): void {
  const known = world.probe;
  world.probe = async (uri, call) => {
    const answer = uri.includes('elsewhere') ? ids.fresh : ids.old;
    if (answer instanceof Fault) throw answer;
    return { ...(await known(uri, call)), replicaSetId: answer };
  };
}

async function keptUri(world: DomainWorld, clusterId: string): Promise<string> {
  const row = must(await findCluster(world.catalog.reader, clusterId), 'the cluster is there');
  return world.context.secretBox.open(must(row.sealedUri, 'it is connected'), uriContext(clusterId));
}

test('a new connection string is taken once the cluster is proven the same, by its snapshots or by the old connection', async () => {
  const cases: [manifestId: string | null, old: string | Fault | null, fresh: string | null, taken: boolean][] = [
    ['a', away, 'a', true],
    ['a', away, 'b', false],
    ['a', 'b', 'a', true],
    ['a', away, null, false],
    [null, 'a', 'a', true],
    [null, 'a', 'b', false],
    // Nothing names the id; a member is the same in this world.
    [null, away, 'b', true],
    [null, null, null, true],
  ];
  for (const [replicaSetId, old, fresh, taken] of cases) {
    await inWorld({}, async (world) => {
      const name = await world.withCluster();
      world.startWorker();
      await world.domain.snapshots.take(name);
      await world.run();
      world.completeTake(0, { replicaSetId });
      await world.run();
      const before = await world.domain.clusters.get(name);
      answering(world, { old, fresh });
      const asked = world.domain.clusters.reconnect({ ...name, uri: NEW });
      const what = JSON.stringify([replicaSetId, String(old), fresh]);
      if (!taken) {
        await assert.rejects(asked, refused('CLUSTER_NOT_THE_SAME'), what);
        assert.ok(!(await keptUri(world, before.id)).includes('elsewhere'), what);
        return;
      }
      const { overriddenOptions, displayUri } = await asked;
      assert.deepEqual([overriddenOptions, displayUri], [['maxPoolSize'], 'mongodb://elsewhere:27017/?replicaSet=rs0']);
      assert.equal(await keptUri(world, before.id), NEW, what);
      const after = await world.domain.clusters.get(name);
      assert.deepEqual([after.id, after.createdAtMs], [before.id, before.createdAtMs], what);
    });
  }
});

test('what hangs on the cluster stays: its snapshots, and that the next one goes on from the last', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    const snapshotId = await world.takeWhole(name);
    await world.domain.clusters.reconnect({ ...name, uri: NEW });
    await world.domain.snapshots.take(name);
    await world.run();
    const { parent, uri } = world.take(1).request;
    assert.deepEqual([parent?.snapshotId, uri], [snapshotId, NEW]);
  });
});

test('where there is no snapshot yet nothing can be mixed, but the replica set is called the same', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    answering(world, { old: away, fresh: 'b' });
    await world.domain.clusters.reconnect({ ...name, uri: NEW });
    const known = world.probe;
    world.probe = async (uri, call) => ({ ...(await known(uri, call)), replicaSetName: 'another', replicaSetId: null });
    await assert.rejects(
      world.domain.clusters.reconnect({ ...name, uri: 'mongodb://elsewhere/' }),
      refused('CLUSTER_NOT_THE_SAME'),
    );
  });
});

test('a string that leads nowhere, or says what its giver may not say, changes nothing', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    const { id } = await world.domain.clusters.get(name);
    const { reconnect } = world.domain.clusters;
    const files = `${NEW}&tls=true&tlsCAFile=/etc/ca.pem`;
    await assert.rejects(reconnect({ ...name, uri: files }), refused('INVALID_CLUSTER_URI'));
    await assert.rejects(
      reconnect({ ...name, uri: NEW, parts: { identity: 'unknown' } }),
      refused('INVALID_CLUSTER_URI'),
    );
    const known = world.probe;
    answering(world, { old: 'a', fresh: away });
    await assert.rejects(reconnect({ ...name, uri: NEW }), refused('CLUSTER_UNREACHABLE'));
    assert.ok(!(await keptUri(world, id)).includes('elsewhere'));
    world.probe = known;
    await assert.rejects(reconnect({ ...name, clusterName: 'none', uri: NEW }), refused('CLUSTER_NOT_FOUND'));
    await reconnect({ ...name, uri: files, giver: 'operator' });
    assert.equal(await keptUri(world, id), files);
  });
});

test('what tails the cluster goes on with the new string', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    await world.domain.clusters.update({ ...name, change: { pitEnabled: true } });
    await world.run();
    assert.equal(world.tails.length, 1);
    await world.domain.clusters.reconnect({ ...name, uri: NEW });
    await world.clock.advance(1_000);
    await world.run();
    assert.equal(must(world.tails[0], 'a tailer').request.signal.aborted, true);
    assert.equal(must(world.tails[1], 'another tailer').request.uri, NEW);
    assert.equal(must(world.tails[1], 'another tailer').request.signal.aborted, false);
  });
});
