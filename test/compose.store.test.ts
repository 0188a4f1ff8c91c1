import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCatalog } from '../src/catalog/catalog.ts';
import { initDataDirectory, rebuildDataDirectory } from '../src/compose/make-data-directory.ts';
import { composeOffline, composeService } from '../src/compose/service.ts';
import { catalogPathOf, readConfig, repositoryPathOf, secretKeyPathOf } from '../src/config.ts';
import { systemClock } from '../src/lib/clock.ts';
import { Fault } from '../src/lib/errors.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };

async function inDataDirectory(work: (dataDir: string) => Promise<void>): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), 'tidemark-compose-'));
  try {
    await work(join(parent, 'data'));
  } finally {
    await rm(parent, { recursive: true });
  }
}

const faultLike = (pattern: RegExp) => (error: unknown) => error instanceof Fault && pattern.test(error.message);

async function dropCatalog(dataDir: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm']) await rm(`${catalogPathOf(dataDir)}${suffix}`, { force: true });
}

test('init makes a directory that opens, once, and keeps its secrets to its owner', async () => {
  await inDataDirectory(async (dataDir) => {
    await assert.rejects(composeOffline({ dataDir }), faultLike(/there is no Tidemark in/));
    const made = await initDataDirectory({ dataDir, organizationName: 'Acme', projectName: 'shop' });
    assert.equal((await stat(secretKeyPathOf(dataDir))).mode & 0o777, 0o600);
    assert.equal((await stat(dataDir)).mode & 0o777, 0o700);
    const workspace = await composeOffline({ dataDir });
    const project = await workspace.domain.projects.get(made.projectId);
    assert.deepEqual([project.name, project.organizationId], ['shop', made.organizationId]);
    await workspace.close();
    await assert.rejects(initDataDirectory({ dataDir }), faultLike(/there is a Tidemark in/));
    const files = await readdir(dataDir, { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile())) {
      const text = await readFile(join(file.parentPath, file.name), 'latin1');
      assert.ok(!text.includes(made.apiKey.privateKey), `${file.name} holds the private key`);
      assert.ok(!text.includes(made.serviceAccount.secret), `${file.name} holds the secret`);
    }
  });
});

test('init that was cut off is taken up by the next one', async () => {
  await inDataDirectory(async (dataDir) => {
    await initDataDirectory({ dataDir });
    // As if the power had failed before its last step.
    const catalog = await openCatalog({ path: catalogPathOf(dataDir), clock: systemClock });
    await catalog.transact(async (writer) => await writer.deleteFrom('settings').execute());
    await catalog.close();
    await assert.rejects(composeOffline({ dataDir }), faultLike(/was cut off/));
    const again = await initDataDirectory({ dataDir });
    const workspace = await composeOffline({ dataDir });
    assert.equal((await workspace.domain.system.status()).repository.id, again.repositoryId);
    await workspace.close();
  });
});

test('another secret key, another repository or no passphrase is refused, in words', async () => {
  await inDataDirectory(async (dataDir) => {
    await initDataDirectory({ dataDir, passphrase: 'correct horse' });
    await assert.rejects(composeOffline({ dataDir }), faultLike(/is encrypted/));
    await assert.rejects(composeOffline({ dataDir, passphrase: 'wrong' }), faultLike(/passphrase/));
    const secretKey = await readFile(secretKeyPathOf(dataDir));
    await writeFile(secretKeyPathOf(dataDir), Buffer.alloc(32));
    await assert.rejects(
      composeOffline({ dataDir, passphrase: 'correct horse' }),
      faultLike(/secret.key is not the one/),
    );
    await writeFile(secretKeyPathOf(dataDir), secretKey.subarray(1));
    await assert.rejects(composeOffline({ dataDir, passphrase: 'correct horse' }), faultLike(/not 32 bytes/));
    await writeFile(secretKeyPathOf(dataDir), secretKey);
    await chmod(secretKeyPathOf(dataDir), 0o600);
    await rm(repositoryPathOf(dataDir), { recursive: true });
    await assert.rejects(composeOffline({ dataDir, passphrase: 'correct horse' }), faultLike(/no repository/));
  });
});

test('one service for one directory, commands beside it', async () => {
  await inDataDirectory(async (dataDir) => {
    await initDataDirectory({ dataDir });
    const config = readConfig({}, { dataDir, port: 0, logLevel: 'silent' });
    const service = await composeService(config);
    const address = await service.listen();
    await assert.rejects(composeService(config), faultLike(/another Tidemark is serving/));
    const beside = await composeOffline({ dataDir });
    await beside.domain.organizations.create({ name: 'Beside' });
    await beside.close();
    const organizations = await service.domain.organizations.list({ visibleTo: 'everything', page });
    assert.deepEqual(
      organizations.items.map((item) => item.name),
      ['Tidemark', 'Beside'],
    );
    assert.equal((await fetch(`${address}/api/atlas/v2/groups`)).status, 401);
    await service.close();
    const next = await composeService(config);
    await next.close();
  });
});

test('a lost catalog comes back: with an encrypted repository the API key too, else a new one is made', async () => {
  for (const passphrase of ['correct horse', undefined]) {
    await inDataDirectory(async (dataDir) => {
      const made = await initDataDirectory({ dataDir, passphrase });
      await dropCatalog(dataDir);
      await rm(secretKeyPathOf(dataDir));
      const rebuilt = await rebuildDataDirectory({ dataDir, passphrase });
      assert.deepEqual([rebuilt.organizations, rebuilt.projects, rebuilt.serviceAccounts], [1, 1, 1]);
      assert.equal(rebuilt.apiKeys, passphrase === undefined ? 0 : 1);
      assert.equal(rebuilt.apiKey === null, passphrase !== undefined);
      const workspace = await composeOffline({ dataDir, passphrase });
      assert.equal((await workspace.domain.projects.get(made.projectId)).organizationId, made.organizationId);
      await workspace.close();
      const again = await rebuildDataDirectory({ dataDir, passphrase });
      assert.deepEqual([again.organizations, again.apiKey], [0, null]);
    });
  }
});

test('a copy store is a directory that opens as the same repository; the repository itself is none', async () => {
  await inDataDirectory(async (dataDir) => {
    await initDataDirectory({ dataDir, passphrase: 'open sesame' });
    const directory = join(dataDir, '..', 'second');
    const opened = { dataDir, passphrase: 'open sesame' };
    const workspace = await composeOffline({ ...opened, copyStores: { EU_WEST_1: directory } });
    const original = await readFile(join(repositoryPathOf(dataDir), 'repository.json'), 'utf8');
    assert.equal(await readFile(join(directory, 'repository.json'), 'utf8'), original);
    await workspace.close();
    const itself = { ...opened, copyStores: { EU_WEST_1: repositoryPathOf(dataDir) } };
    await assert.rejects(composeOffline(itself), faultLike(/is the repository itself/));
  });
});
