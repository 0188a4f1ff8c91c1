import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CommandOutcome, runCommandLine } from '../../test/support/command-line.ts';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { exitCodes } from './exit-codes.ts';

/** A password is rotated, and the cluster goes on being backed up. */

const source = useReplicaSet({ name: 'source', auth: true });
const other = useReplicaSet({ name: 'source' });
let directory = '';

async function tidemark(...args: string[]): Promise<CommandOutcome> {
  const { TIDEMARK_CLUSTER_URI: _, ...env } = process.env;
  return await runCommandLine([...args, '--data-dir', join(directory, 'data')], env);
}

async function uriFile(uri: string): Promise<string> {
  const file = join(directory, 'uri');
  await writeFile(file, `${uri}\n`, { mode: 0o600 });
  return file;
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-update-'));
});
after(async () => {
  await rm(directory, { recursive: true, force: true });
});

test('after a password was rotated the cluster is given its new connection string, and snapshots go on', async () => {
  const admin = source().client.db('admin');
  const roles = ['root'];
  await admin.command({ createUser: 'backup', pwd: 'first', roles });
  await source().client.db('shop').collection('orders').insertOne({ n: 1 });
  const uriWith = (password: string) => source().uri.replace(/\/\/[^@]*@/, `//backup:${password}@`);

  const none = await tidemark('cluster', 'add', 'Shop');
  assert.equal(none.exitCode, exitCodes.usage, none.errors);
  assert.equal((await tidemark('init')).exitCode, exitCodes.done);
  const copied = `${uriWith('first')}&maxPoolSize=1&w=0&compressors=snappy`;
  const added = await tidemark('cluster', 'add', 'Shop', '--uri-file', await uriFile(copied));
  assert.equal(added.exitCode, exitCodes.done, added.errors);
  assert.match(added.output, /Not taken from the connection string.*: maxPoolSize, w, compressors\./);
  assert.equal((await tidemark('snapshot', 'take', 'Shop')).exitCode, exitCodes.done);

  await admin.command({ updateUser: 'backup', pwd: 'second' });
  assert.equal((await tidemark('snapshot', 'take', 'Shop')).exitCode, exitCodes.failed);

  const wrong = await tidemark('cluster', 'update', 'Shop', '--uri-file', await uriFile(other().uri));
  assert.equal(wrong.exitCode, exitCodes.refused, wrong.errors);
  assert.match(wrong.errors, /does not lead to cluster Shop: its replica set source has the id [0-9a-f]{24}/);
  const stale = await tidemark('cluster', 'update', 'Shop', '--uri-file', await uriFile(uriWith('third')));
  assert.equal(stale.exitCode, exitCodes.refused, stale.errors);
  assert.match(stale.errors, /cannot be reached/);

  const updated = await tidemark('cluster', 'update', 'Shop', '--uri-file', await uriFile(uriWith('second')));
  assert.equal(updated.exitCode, exitCodes.done, updated.errors);
  assert.ok(!`${updated.output}${updated.errors}`.includes('second'));
  const again = await tidemark('snapshot', 'take', 'Shop', '--json');
  assert.equal(again.exitCode, exitCodes.done, again.errors);
  const list = JSON.parse((await tidemark('snapshot', 'list', '--json')).output) as { status: string }[];
  assert.deepEqual(list.map(({ status }) => status).toSorted(), ['completed', 'completed', 'failed']);
});
