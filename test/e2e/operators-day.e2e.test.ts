import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { AtlasClient } from '../../tools/demo/atlas-client.ts';
import { createDirectory } from '../support/mongod.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { ServedTidemark } from '../support/served-tidemark.ts';
import { mountSmallFileSystem, type SmallFileSystem } from '../support/small-file-system.ts';

/**
 * What an operator meets, one thing after the other. Each time the message names the next step, the test carries that
 * out as it stands there, and the service works again.
 */

const LAUNCHER = fileURLToPath(new URL('../../bin/tidemark.mjs', import.meta.url));
const PASSPHRASE = 'correct horse';
const source = useReplicaSet({ name: 'shop', auth: true });
const other = useReplicaSet({ name: 'lab' });
let tidemark: ServedTidemark;
let disk: SmallFileSystem | string;
let outside = '';

async function run(words: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [LAUNCHER, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TIDEMARK_DATA_DIR: tidemark.dataDir, ...env },
  });
  const said = { output: '', errors: '' };
  child.stdout.on('data', (piece) => {
    said.output += String(piece);
  });
  child.stderr.on('data', (piece) => {
    said.errors += String(piece);
  });
  const [exitCode] = (await once(child, 'close')) as [number];
  return { ...said, exitCode };
}

/** The command that a message shows, with what it leaves to be filled in. */
function commandIn(message: string, filled: Record<string, string> = {}): string[] {
  const [, shown] = /`tidemark ([^`]+)`/.exec(message.replace(/\s+/g, ' ')) ?? [];
  assert.ok(shown !== undefined, `a command in: ${message}`);
  return shown.split(' ').map((word) => filled[word] ?? word);
}

async function works(): Promise<void> {
  const { exitCode, errors } = await run(['snapshot', 'take', 'Shop']);
  assert.equal(exitCode, exitCodes.done, errors);
  const path = tidemark.path('Shop', 'snapshots');
  const { results } = await tidemark.client.get<{ results: { status: string }[] }>(path, '2023-01-01');
  assert.ok(results.some(({ status }) => status === 'completed'));
}

async function secretFile(name: string, line: string): Promise<string> {
  const path = join(outside, name);
  await writeFile(path, `${line}\n`, { mode: 0o600 });
  return path;
}

const uriWith = (password: string) => source().uri.replace(/\/\/[^@]*@/, `//backup:${password}@`);

before(async () => {
  process.env.TIDEMARK_PASSPHRASE = PASSPHRASE;
  outside = await createDirectory();
  disk = await mountSmallFileSystem(160);
  tidemark = await ServedTidemark.create({ within: typeof disk === 'string' ? await createDirectory() : disk.path });
  await source()
    .client.db('admin')
    .command({ createUser: 'backup', pwd: 'first', roles: ['root'] });
  await source().client.db('shop').collection('orders').insertOne({ n: 1 });
  await tidemark.addCluster('Shop', uriWith('first'));
  await works();
});
after(async () => {
  delete process.env.TIDEMARK_PASSPHRASE;
  if (typeof disk === 'string') await tidemark.remove();
  else {
    await tidemark.kill();
    await disk.unmount();
  }
  await rm(outside, { recursive: true, force: true });
});

test('the disk is full', async (t) => {
  if (typeof disk === 'string') return t.skip(disk);
  // More than the reserve that the catalog gives up.
  const documents = Array.from({ length: 24 }, (_, n) => ({ n, noise: systemRandom.bytes(1 << 20) }));
  await source().client.db('shop').collection('noise').insertMany(documents);
  await disk.fill('others');
  const failed = await run(['snapshot', 'take', 'Shop']);
  assert.equal(failed.exitCode, exitCodes.failed, failed.errors);
  assert.match(failed.errors, new RegExp(`the file system of .*mounted at ${disk.path}`));
  const swept = await run(commandIn(failed.errors));
  assert.equal(swept.exitCode, exitCodes.done, swept.errors);
  for (const name of await readdir(disk.path)) if (name.startsWith('others-')) await rm(join(disk.path, name));
  await works();
});

test('the password was rotated', async () => {
  await source().client.db('admin').command({ updateUser: 'backup', pwd: 'second' });
  const failed = await run(['snapshot', 'take', 'Shop']);
  assert.equal(failed.exitCode, exitCodes.failed, failed.errors);
  const filled = { NAME: 'Shop', FILE: await secretFile('uri', uriWith('second')) };
  const updated = await run(commandIn(failed.errors, filled));
  assert.equal(updated.exitCode, exitCodes.done, updated.errors);
  await works();
});

test('the passphrase was forgotten', async () => {
  const file = await secretFile('passphrase', PASSPHRASE);
  for (const wrong of [undefined, 'battery staple']) {
    const said = await run(
      ['snapshot', 'list'],
      wrong === undefined ? { TIDEMARK_PASSPHRASE: '' } : { TIDEMARK_PASSPHRASE: wrong },
    );
    assert.equal(said.exitCode, exitCodes.usage, said.errors);
    assert.match(said.errors, /TIDEMARK_PASSPHRASE/);
    if (wrong === undefined) continue;
    const [, option] = /(--passphrase-file) FILE/.exec(said.errors) ?? [];
    assert.ok(option !== undefined, said.errors);
    const opened = await run(['snapshot', 'list', option, file], { TIDEMARK_PASSPHRASE: wrong });
    assert.equal(opened.exitCode, exitCodes.done, opened.errors);
  }
  await works();
});

test('half of the repository was deleted', async () => {
  const { repositoryDir } = tidemark;
  const copy = join(outside, 'copy');
  await cp(repositoryDir, copy, { recursive: true });
  await rm(join(repositoryDir, 'manifests'), { recursive: true });
  await rm(join(repositoryDir, 'repository.json'));
  const checked = await run(['repository', 'check']);
  assert.equal(checked.exitCode, exitCodes.damaged, checked.errors);
  assert.match(`${checked.output}${checked.errors}`, /repository\.json is missing; it was put back from its copy/);
  assert.match(checked.output, /snapshots? that the catalog lists? ha(s|ve) no manifest: [0-9a-f]{24}/);
  assert.match(checked.output, /may be in a copy of the repository.*put it back from there/);
  await cp(join(copy, 'manifests'), join(repositoryDir, 'manifests'), { recursive: true });
  assert.equal((await run(['repository', 'check'])).exitCode, exitCodes.done);

  for (const entry of await readdir(repositoryDir, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && /[\\/]blobs/.test(entry.parentPath)) await rm(join(entry.parentPath, entry.name));
  const to = { TIDEMARK_TARGET_URI: other().uri };
  const damaged = await run(['restore', '--snapshot', 'latest', '--yes'], to);
  assert.equal(damaged.exitCode, exitCodes.damaged, damaged.errors);
  const listed = await run(commandIn(damaged.errors));
  assert.equal(listed.exitCode, exitCodes.damaged, listed.errors);
  await cp(copy, repositoryDir, { recursive: true });
  const restored = await run(['restore', '--snapshot', 'latest', '--yes'], to);
  assert.equal(restored.exitCode, exitCodes.done, restored.errors);
  await works();
});

test('somebody is locked out', async () => {
  const { orgId } = tidemark.credentials;
  const path = `/api/atlas/v2/orgs/${orgId}/serviceAccounts`;
  const account = { name: 'colleague', description: 'another owner', roles: ['ORG_OWNER'], secretExpiresAfterHours: 8 };
  type Made = { clientId: string; secrets: { secret: string }[] };
  const { clientId, secrets } = await tidemark.client.post<Made>(path, account, '2024-08-05');
  await tidemark.client.post(`${path}/${clientId}/accessList`, [{ ipAddress: '203.0.113.7' }], '2024-08-05');
  const clientSecret = secrets[0]?.secret ?? '';
  const colleague = await AtlasClient.connect(tidemark.client.url, { clientId, clientSecret });
  await assert.rejects(colleague.get(`/api/atlas/v2/orgs/${orgId}`, '2023-01-01'), /IP_ADDRESS_NOT_ON_ACCESS_LIST/);
  const shown = await run(['access', 'show']);
  assert.match(shown.output, /203\.0\.113\.7/);
  const reset = await run(commandIn(shown.output));
  assert.equal(reset.exitCode, exitCodes.done, reset.errors);
  await colleague.get(`/api/atlas/v2/orgs/${orgId}`, '2023-01-01');
  await works();
});

test('the wrong cluster is named', async () => {
  await other().client.db('lab').collection('runs').insertOne({ n: 1 });
  await tidemark.addCluster('Lab', other().uri);
  assert.equal((await run(['snapshot', 'take', 'Lab'])).exitCode, exitCodes.done);
  const restore = ['restore', '--snapshot', 'latest', '--to', 'Lab', '--yes'];
  const unnamed = await run(restore);
  assert.equal(unnamed.exitCode, exitCodes.usage, unnamed.errors);
  assert.match(unnamed.errors, /with --from <cluster>: .*Shop/);
  const nobody = await run([...restore, '--from', 'Shopp']);
  assert.equal(nobody.exitCode, exitCodes.refused, nobody.errors);
  assert.match(nobody.errors, /There are snapshots of: .*Shop/);
  assert.equal(await other().client.db('lab').collection('runs').countDocuments(), 1, 'nothing was touched');
  const named = await run([...restore, '--from', 'Shop']);
  assert.equal(named.exitCode, exitCodes.done, named.errors);
  assert.equal(await other().client.db('shop').collection('orders').countDocuments(), 1);
  await works();
});
