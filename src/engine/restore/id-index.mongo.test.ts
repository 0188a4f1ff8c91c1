import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';

const source = useReplicaSet({ name: 'source' });
const target = useReplicaSet({ name: 'target' });

test('the index on _id keeps its version', async () => {
  const db = source().client.db('old');
  await db.command({ create: 'first', idIndex: { v: 1, key: { _id: 1 }, name: '_id_' } });
  await db.command({ create: 'second' });
  const fixture = await SnapshotFixture.create(source().uri);
  await fixture.take();
  await fixture.restore(target().uri);
  for (const [name, version] of [
    ['first', 1],
    ['second', 2],
  ] as const) {
    const [index] = await target().client.db('old').collection(name).indexes();
    assert.equal(index?.v, version, name);
  }
});
