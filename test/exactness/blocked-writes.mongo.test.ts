import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { Fault } from '../../src/lib/errors.ts';
import { compareTruth } from '../support/compare.ts';
import { type ReplicaSet, useReplicaSet } from '../support/replica-set.ts';
import { needsServer } from '../support/server-version.ts';
import { SnapshotFixture } from '../support/snapshot-fixture.ts';
import { readTruth } from '../support/truth.ts';

const PASSWORD = 'for tests only';

/** Somebody who may write everywhere, but not where writes of users are blocked. */
async function ordinaryUser({ client, uri }: ReplicaSet): Promise<string> {
  const roles = [
    'readWriteAnyDatabase',
    'dbAdminAnyDatabase',
    'userAdminAnyDatabase',
    'clusterManager',
    'clusterMonitor',
  ];
  const open = [{ role: 'open', db: 'admin' }];
  const anything = { resource: { anyResource: true }, actions: ['find', 'insert', 'update', 'remove', 'applyOps'] };
  await client.db('admin').command({ createRole: 'open', privileges: [anything], roles: [] });
  await client.db('admin').command({ createUser: 'ordinary', pwd: PASSWORD, roles: [...roles, ...open] });
  return uri.replace(/\/\/[^@]*@/, `//ordinary:${encodeURIComponent(PASSWORD)}@`);
}

async function block(set: ReplicaSet, global: boolean): Promise<void> {
  await set.client.db('admin').command({ setUserWriteBlockMode: 1, global });
}

describe('servers that take no writes of users', () => {
  const skip = needsServer('6.0');
  const source = useReplicaSet({ name: 'source', auth: true });
  const target = useReplicaSet({ name: 'target', auth: true });

  test('a snapshot of one is restored to one that takes writes, with the parameters that users set', {
    skip,
  }, async () => {
    const changeStreamOptions = { preAndPostImages: { expireAfterSeconds: 100 } };
    await source().client.db('admin').command({ setClusterParameter: { changeStreamOptions } });
    await source().client.db('shop').collection('orders').insertOne({ n: 1 });
    await block(source(), true);
    const fixture = await SnapshotFixture.create(source().uri);
    const taken = await fixture.take();
    await block(source(), false);
    const { collections } = await fixture.manifest(taken.header.snapshotId);
    const names = collections.filter(({ db }) => db === 'config').map(({ name }) => name);
    assert.deepEqual(names, ['clusterParameters']);
    await fixture.restore(target().uri);
    // Each keeps the account that restores.
    const ownAccount = (namespace: string) => namespace === 'admin.system.users';
    const [expected, actual] = [await readTruth(source().client, null), await readTruth(target().client, null)];
    assert.deepEqual(compareTruth(expected, actual, { skip: ownAccount }), []);
    const found = await target().client.db('admin').command({ getClusterParameter: 'changeStreamOptions' });
    assert.equal(found.clusterParameters[0].preAndPostImages.expireAfterSeconds, 100);
    const { repl } = await target().client.db('admin').command({ serverStatus: 1 });
    assert.equal(repl.userWriteBlockMode, 1, 'the target takes writes');
  });

  test('one is refused as a target before it is touched, and what to do is said', { skip }, async () => {
    const uri = await ordinaryUser(target());
    await target().client.db('kept').collection('kept').insertOne({ n: 1 });
    const fixture = await SnapshotFixture.create(source().uri);
    await fixture.take();
    const before = await readTruth(target().client, null);
    await block(target(), true);
    try {
      await assert.rejects(fixture.restore(uri), (error) => {
        assert.ok(error instanceof Fault);
        assert.match(`${error.message} ${error.hint}`, /User writes blocked.*setUserWriteBlockMode/s);
        return true;
      });
    } finally {
      await block(target(), false);
    }
    assert.deepEqual(compareTruth(before, await readTruth(target().client, null)), []);
    const client = new MongoClient(uri);
    await client.db('shop').collection('orders').insertOne({ n: 2 });
    await client.close();
  });
});
