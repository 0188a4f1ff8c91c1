import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld } from '../../../test/support/domain-world.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { Fault } from '../../lib/errors.ts';
import { Refusal } from '../refusals/refusals.ts';
import { displayUri } from './display-uri.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

test('a registered cluster is shown without its secrets, which are sealed at rest', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    const cluster = await world.domain.clusters.get(name);
    assert.equal(cluster.displayUri, 'mongodb://localhost:27017/?replicaSet=rs0');
    assert.deepEqual([cluster.mongodVersion, cluster.members.length, cluster.restoreInProgress], ['6.0.5', 1, false]);
    assert.ok(!JSON.stringify(cluster).includes('secret'));
    const row = await findCluster(world.catalog.reader, cluster.id);
    assert.ok(!JSON.stringify(row).includes('secret'));
    assert.deepEqual((await world.domain.clusters.list({ projectId: name.projectId, page })).items, [cluster]);
    assert.equal((await world.domain.projects.get(name.projectId)).clusterCount, 1);
  });
});

test('a cluster that is only a target gets no schedule by itself', async () => {
  await inWorld({}, async (world) => {
    const { projectId } = await world.withCluster();
    const given = { uri: 'mongodb://localhost/', giver: 'operator' } as const;
    await world.domain.clusters.register({ projectId, name: 'target', ...given, scheduled: false });
    const schedule = await world.domain.schedules.get({ projectId, clusterName: 'target' });
    assert.deepEqual([schedule.items, schedule.nextSnapshotMs], [[], null]);
    await world.domain.clusters.register({ projectId, name: 'source', ...given });
    assert.ok((await world.domain.schedules.get({ projectId, clusterName: 'source' })).items.length > 0);
  });
});

test('what cannot be registered is refused in words that help', async () => {
  await inWorld({}, async (world) => {
    const { projectId } = await world.withCluster();
    const { register } = world.domain.clusters;
    const uri = 'mongodb://localhost/';
    await assert.rejects(register({ projectId, name: 'shop', uri }), refused('DUPLICATE_CLUSTER_NAME'));
    await assert.rejects(register({ projectId, name: 'a b', uri }), refused('VALIDATION_ERROR'));
    await assert.rejects(register({ projectId, name: 'a', uri: 'postgres://x' }), refused('INVALID_CLUSTER_URI'));
    await assert.rejects(register({ projectId: '0'.repeat(24), name: 'a', uri }), refused('GROUP_NOT_FOUND'));
    world.probe = async () => {
      throw new Fault({ op: 'connect', subject: 'localhost', message: 'cannot reach localhost', hint: 'Start it' });
    };
    await assert.rejects(register({ projectId, name: 'a', uri }), (error) => {
      assert.ok(refused('CLUSTER_UNREACHABLE')(error));
      assert.match((error as Refusal).detail, /cannot reach localhost. Start it/);
      return true;
    });
    world.probe = async () => {
      throw new Fault({ op: 'describe', subject: 'localhost', message: 'it is a standalone' });
    };
    await assert.rejects(register({ projectId, name: 'a', uri }), refused('CLUSTER_UNSUITABLE'));
  });
});

test('what the user of a connection string lacks is told where it is given, and does not stand in the way', async () => {
  await inWorld({}, async (world) => {
    const { projectId, clusterName } = await world.withCluster();
    world.missingPrivileges = ['useUUID on the cluster'];
    const uri = 'mongodb://localhost/';
    const { register, reconnect } = world.domain.clusters;
    assert.deepEqual((await register({ projectId, name: 'a', uri })).missingPrivileges, ['useUUID on the cluster']);
    const mere = await register({ projectId, name: 'target', uri, scheduled: false });
    assert.deepEqual(mere.missingPrivileges, [], 'of a mere target nothing is tried');
    const again = await reconnect({ projectId, clusterName, uri });
    assert.deepEqual(again.missingPrivileges, ['useUUID on the cluster']);
  });
});

test('a removed cluster keeps its snapshots; registered again it has them, but no parent among them', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    const snapshotId = await world.takeWhole(name);
    await world.domain.snapshots.take(name);
    await assert.rejects(world.domain.clusters.remove(name), refused('CLUSTER_BUSY'));
    await world.run();
    world.completeTake(1);
    await world.run();
    await world.domain.clusters.remove(name);
    await assert.rejects(world.domain.clusters.get(name), refused('CLUSTER_NOT_FOUND'));
    await assert.rejects(world.domain.snapshots.take(name), refused('CLUSTER_NOT_FOUND'));
    assert.equal((await world.domain.snapshots.list({ ...name, page })).totalCount, 2);
    const again = await world.register(name.projectId, name.clusterName);
    assert.equal((await world.domain.snapshots.get({ ...name, snapshotId })).clusterId, again.id);
    await world.domain.snapshots.take(name);
    await world.run();
    assert.equal(world.take(2).request.parent, null);
  });
});

test('a cluster can be removed with its snapshots', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    await world.takeWhole(name);
    await world.domain.clusters.remove({ ...name, deleteSnapshots: true });
    await world.run();
    assert.equal((await world.domain.snapshots.list({ ...name, page })).totalCount, 0);
    assert.equal(world.manifests.facts.size, 0);
  });
});

test('connection strings for people', () => {
  const shown: [string, string | null][] = [
    ['mongodb://a,b:27018', 'mongodb://a,b:27018/'],
    ['mongodb://user:p%40ss@a:1/admin?replicaSet=rs&password=x&tls=true', 'mongodb://a:1/admin?replicaSet=rs&tls=true'],
    ['mongodb://user:p@ss@a/', 'mongodb://a/'],
    ['mongodb+srv://user@cluster.example/?retryWrites=true', 'mongodb+srv://cluster.example/'],
    ['mongodb://[::1]:27017/', 'mongodb://[::1]:27017/'],
    ['mongodb://', null],
    ['http://a/', null],
    ['', null],
  ];
  for (const [uri, expected] of shown) assert.equal(displayUri(uri), expected, uri);
});
