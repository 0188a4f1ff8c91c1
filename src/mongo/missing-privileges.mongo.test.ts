import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Document } from 'mongodb';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { useShardedCluster } from '../../test/support/sharded-cluster.ts';
import { lackingOn, missingPrivileges } from './missing-privileges.ts';

describe('the privileges of a user, as tried', () => {
  const source = useReplicaSet({ auth: true });
  let users = 0;

  /** A connection string of a user with these roles and privileges. */
  async function uriOf(roles: string[], privileges: Document[] = []): Promise<string> {
    const admin = source().client.db('admin');
    const name = `user${++users}`;
    await admin.command({ createRole: `role of ${name}`, roles, privileges });
    await admin.command({ createUser: name, pwd: 'for tests only', roles: [`role of ${name}`] });
    return source().uri.replace(/\/\/[^@]*@/, `//${name}:for%20tests%20only@`);
  }

  async function lacking(roles: string[], privileges: Document[] = []): Promise<string[]> {
    return await missingPrivileges(await uriOf(roles, privileges));
  }

  const useUuid = { resource: { cluster: true }, actions: ['useUUID'] };

  test('nothing is missing with the documented role, and nothing is written to find out', async () => {
    await source().client.db('shop').collection('orders').insertOne({ a: 1 });
    const before = await source()
      .client.db('local')
      .collection('oplog.rs')
      .countDocuments({ op: 'n', 'o.msg': { $ne: 'periodic noop' } });
    assert.deepEqual(await lacking(['backup', 'clusterMonitor'], [useUuid]), []);
    const after = await source()
      .client.db('local')
      .collection('oplog.rs')
      .countDocuments({ op: 'n', 'o.msg': { $ne: 'periodic noop' } });
    assert.equal(after, before);
  });

  test('each is named with the role that has it', async () => {
    assert.deepEqual(await lacking(['backup'], [useUuid]), ['replSetGetStatus (role clusterMonitor)']);
    const reader = await lacking(['readAnyDatabase'], [useUuid]);
    for (const name of ['local.oplog.rs', 'admin.system.users', 'admin.system.roles'])
      assert.ok(reader.includes(`find on ${name} (role backup)`), reader.join(', '));
    const monitor = await lacking(['clusterMonitor'], [useUuid]);
    assert.ok(monitor.includes('listCollections (role backup)'), monitor.join(', '));
    const nobody = await lacking([]);
    assert.ok(nobody.length >= 5, nobody.join(', '));
  });

  test('reading by UUID is a privilege of its own', async () => {
    const resources = [
      { db: 'local', collection: 'oplog.rs' },
      ...['system.users', 'system.roles', 'system.version'].map((collection) => ({ db: 'admin', collection })),
    ];
    const reads = resources.map((resource) => ({ resource, actions: ['find'] }));
    const status = { resource: { cluster: true }, actions: ['replSetGetStatus', 'listDatabases'] };
    assert.deepEqual(await lacking(['readAnyDatabase'], [...reads, status]), ['useUUID on the cluster']);
  });

  test('shards and config servers are asked for what is needed there alone', async () => {
    const note = 'appendOplogNote on the cluster';
    const plain = await uriOf(['readAnyDatabase', 'clusterMonitor'], [useUuid]);
    assert.ok((await lackingOn(plain, 'shard')).includes(note));
    assert.ok(!(await lackingOn(plain, 'replicaSet')).includes(note));
    const own = await uriOf(['backup', 'clusterMonitor'], [useUuid]);
    const ddl = 'find on config.system.sharding_ddl_coordinators';
    assert.deepEqual(await lackingOn(own, 'configServers'), [ddl, 'internal on the cluster, to stop the balancer']);
    const coordinators = { db: 'config', collection: 'system.sharding_ddl_coordinators' };
    const find = { resource: coordinators, actions: ['find'] };
    const notes = { resource: { cluster: true }, actions: ['useUUID', 'appendOplogNote'] };
    assert.deepEqual(await lackingOn(await uriOf(['backup', 'clusterMonitor'], [notes, find]), 'shard'), []);
    const any = { resource: { anyResource: true }, actions: ['anyAction'] };
    assert.deepEqual(await lackingOn(await uriOf([], [any]), 'configServers'), []);
  });
});

describe('the privileges on a sharded cluster', () => {
  const cluster = useShardedCluster();

  test('are tried on every replica set; without access control none is missing', async () => {
    assert.deepEqual(await missingPrivileges(cluster().uri), []);
  });
});

describe('the privileges on a sharded cluster with access control', () => {
  const cluster = useShardedCluster({ shards: 1, prefix: 'p', auth: true });

  test('one who may advance the time on the config servers has to on the shards', async () => {
    const any = { resource: { anyResource: true }, actions: ['anyAction'] };
    const find = { resource: { db: 'config', collection: 'system.sharding_ddl_coordinators' }, actions: ['find'] };
    const on = (actions: string[]) => ({ resource: { cluster: true }, actions });
    const [shard] = cluster().shards;
    assert.ok(shard !== undefined);
    for (const [set, privileges] of [
      [shard.set, [on(['useUUID', 'appendOplogNote']), find]],
      [cluster().config, [any]],
    ] as const) {
      const admin = set.client.db('admin');
      await admin.command({ createRole: 'tidemark', roles: ['backup', 'clusterMonitor'], privileges });
      await admin.command({ createUser: 'tidemark', pwd: 'secret', roles: ['tidemark'] });
    }
    const uri = cluster().config.uri.replace(/\/\/[^@]*@/, '//tidemark:secret@');
    const [missing, ...others] = await missingPrivileges(uri);
    assert.match(missing ?? '', /^advanceClusterTime on the cluster on shard ps0, .*internal/);
    assert.deepEqual(others, []);
    const admin = cluster().config.client.db('admin');
    await admin.command({ updateRole: 'tidemark', privileges: [on(['useUUID', 'internal']), find] });
    assert.deepEqual(await missingPrivileges(uri), []);
  });
});
