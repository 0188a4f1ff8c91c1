import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openCatalog } from '../catalog/catalog.ts';
import { takeProcessLock } from '../catalog/process-lock.ts';
import { makeSecretBox, readSecretBox } from '../catalog/secret-key.ts';
import { DirectoryStore } from '../storage/directory.ts';
import { systemClock } from './clock.ts';
import { Fault } from './errors.ts';
import { describeOpen, findOpen, requireSecret } from './private-files.ts';
import { systemRandom } from './random.ts';

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'tidemark-private-'));
});
after(async () => await rm(root, { recursive: true, force: true }));

/** Everything that a data directory gets, made where a careless umask holds. */
async function makeAll(directory: string): Promise<void> {
  const umask = process.umask(0);
  try {
    await makeSecretBox(join(directory, 'secret.key'), systemRandom);
    const catalog = await openCatalog({ path: join(directory, 'catalog.sqlite'), clock: systemClock });
    takeProcessLock(join(directory, 'serve.lock')).release();
    const store = await DirectoryStore.open(join(directory, 'repository'));
    await store.put('blobs/a/b', Buffer.from('x'));
    await store.put('blobs/a/c', Buffer.from('x'), { ifAbsent: true });
    for (const { name, mode } of await entriesBelow(directory))
      assert.equal(mode & 0o077, 0, `${name} is ${mode.toString(8)}`);
    await catalog.close();
  } finally {
    process.umask(umask);
  }
}

async function entriesBelow(directory: string) {
  const names = await readdir(directory, { recursive: true });
  return await Promise.all(
    names.map(async (name) => {
      const { mode, uid, gid } = await stat(join(directory, name));
      return { name, mode: mode & 0o777, uid, gid };
    }),
  );
}

test('everything is its owner’s alone, whatever made the directory and whatever the umask', async () => {
  const open = join(root, 'made-by-another');
  await mkdir(open);
  await chmod(open, 0o755);
  await makeAll(open);
  const found = await findOpen(open);
  assert.deepEqual([found?.mode, found?.files, found?.directories], ['0755', 0, 0]);
});

test('files of before, open to others, are closed when they are opened; what is open is named', async () => {
  const directory = join(root, 'older');
  await mkdir(directory, { mode: 0o700 });
  const path = join(directory, 'catalog.sqlite');
  await (await openCatalog({ path, clock: systemClock })).close();
  await chmod(path, 0o644);
  await chmod(directory, 0o755);
  assert.match(
    describeOpen((await findOpen(directory)) ?? assert.fail('it is open')),
    /mode 0755\), and in it 1 files .*chmod -R go-rwx/,
  );
  await (await openCatalog({ path, clock: systemClock })).close();
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await chmod(directory, 0o700);
  assert.equal(await findOpen(directory), null);
});

test('a secret that others may read is refused, with what to do; a group may be let in to read', async () => {
  const path = join(root, 'secret');
  await writeFile(path, Buffer.alloc(32));
  for (const [mode, refused] of [
    [0o600, false],
    [0o400, false],
    [0o640, false],
    [0o644, true],
    [0o604, true],
    [0o660, true],
    [0o602, true],
  ] as const) {
    await chmod(path, mode);
    const reading = requireSecret(path);
    if (!refused) await reading;
    else
      await assert.rejects(
        reading,
        (error) => error instanceof Fault && error.hint?.endsWith(`chmod 600 ${path}`) === true,
      );
  }
  await chmod(path, 0o644);
  await assert.rejects(readSecretBox(path, systemRandom), /open to others/);
});

test('what root makes belongs to the owner of the data directory', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root makes files for somebody else');
  const directory = join(root, 'of-the-service');
  await mkdir(directory, { mode: 0o700 });
  await chown(directory, 4711, 4712);
  await makeAll(directory);
  for (const { name, uid, gid } of await entriesBelow(directory)) assert.deepEqual([uid, gid], [4711, 4712], name);
});
