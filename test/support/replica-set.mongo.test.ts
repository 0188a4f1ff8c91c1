import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { until, useReplicaSet, withReplicaSet } from './replica-set.ts';

const shared = useReplicaSet({ members: 3 });

test('a killed member comes back with what was acknowledged, and another one takes over meanwhile', async () => {
  const set = shared();
  const things = set.client.db('app').collection('things', { writeConcern: { w: 'majority' } });
  const first = await set.primary();
  await things.insertOne({ n: 1 });
  await first.kill();
  const second = await set.primary();
  assert.notEqual(second, first);
  await things.insertOne({ n: 2 });
  await first.restart();
  await set.whenComplete();
  assert.equal(await things.countDocuments(), 2);
});

test('the primary steps down', async () => {
  const before = await shared().primary();
  assert.notEqual(await shared().stepDown(), before);
});

test('access control is on where it is asked for', async () => {
  await withReplicaSet({ auth: true }, async (set) => {
    const users = await set.client.db('admin').command({ usersInfo: 1 });
    assert.deepEqual(
      users.users.map((user: { user: string }) => user.user),
      ['root'],
    );
    const [member] = set.members;
    const { MongoClient } = await import('mongodb');
    const stranger = new MongoClient(`mongodb://${member?.address}/?directConnection=true`);
    await assert.rejects(stranger.db('app').collection('things').findOne(), { codeName: 'Unauthorized' });
    await stranger.close();
  });
});

test('servers and their files go when the process that started them is killed', async () => {
  const script = `
    const { ReplicaSet } = await import('./test/support/replica-set.ts');
    const set = await ReplicaSet.start();
    console.log(JSON.stringify({ port: set.members[0].port, directory: set.members[0].directory }));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { directory } = JSON.parse(line) as { port: number; directory: string };
  await access(directory);
  child.kill('SIGKILL');
  await until('its files are gone', async () =>
    access(directory).then(
      () => null,
      () => true,
    ),
  );
});
