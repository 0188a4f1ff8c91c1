import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { Fault } from '../lib/errors.ts';
import { connectCluster } from './connection/connect.ts';

const set = useReplicaSet();

test('a wrong replicaSet= says what the set is called', async () => {
  const wrong = new URL(set().uri);
  const name = wrong.searchParams.get('replicaSet');
  assert.ok(name !== null);
  wrong.searchParams.set('replicaSet', 'wrong');
  await assert.rejects(
    connectCluster(wrong.toString(), { timeoutMs: 1000 }),
    (error) =>
      error instanceof Fault &&
      error.message.includes(`is called ${name}, the connection string says replicaSet=wrong`) &&
      error.hint === `Write replicaSet=${name}`,
  );
  await (await connectCluster(set().uri)).close();
});
