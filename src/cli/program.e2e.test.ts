import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Document } from 'mongodb';
import { parseArchive } from '../../test/support/archive-parser.ts';
import { type CommandOutcome, LAUNCHER, runCommandLine } from '../../test/support/command-line.ts';
import { compareClusters } from '../../test/support/compare.ts';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { exitCodes } from './exit-codes.ts';

/** The command as scripts meet it: arguments, standard output, standard error, exit code. */

const source = useReplicaSet({ name: 'source' });
const target = useReplicaSet({ name: 'target' });
let directory = '';
let dataDir = '';

async function tidemark(args: readonly string[], env: Record<string, string> = {}): Promise<CommandOutcome> {
  const { TIDEMARK_DATA_DIR: _, TIDEMARK_PASSPHRASE: __, ...inherited } = process.env;
  return await runCommandLine(args, { ...inherited, ...env });
}

/** The answer of a command that is expected to succeed. */
async function ask<T = Document>(...args: string[]): Promise<T> {
  const { exitCode, output, errors } = await tidemark([...args, '--data-dir', dataDir, '--json']);
  assert.equal(exitCode, 0, errors);
  return JSON.parse(output) as T;
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-command-'));
  dataDir = join(directory, 'data');
});
after(async () => {
  await rm(directory, { recursive: true, force: true });
});

test('a life with Tidemark from the command line', async (t) => {
  const shop = source().client.db('shop');
  await shop
    .collection('orders')
    .insertMany(Array.from({ length: 3000 }, (_, n) => ({ n, text: 'x'.repeat(n % 300) })));
  await shop.collection('orders').createIndex({ n: 1 }, { unique: true });

  await t.test('init prints the credentials once, in the promised shape', async () => {
    const made = await ask('init');
    assert.match(made.orgId, /^[0-9a-f]{24}$/);
    assert.match(made.projectId, /^[0-9a-f]{24}$/);
    assert.deepEqual(Object.keys(made).sort(), ['apiKey', 'orgId', 'projectId', 'serviceAccount']);
    assert.deepEqual(Object.keys(made.apiKey).sort(), ['privateKey', 'publicKey']);
    assert.deepEqual(Object.keys(made.serviceAccount).sort(), ['clientId', 'clientSecret']);
    const again = await tidemark(['init', '--data-dir', dataDir]);
    assert.notEqual(again.exitCode, 0, 'a second init must not touch what is there');
  });

  await t.test('clusters are added and listed', async () => {
    const added = await ask('cluster', 'add', 'Shop', '--uri', source().uri);
    assert.deepEqual(Object.keys(added).sort(), ['id', 'missingPrivileges', 'name', 'overriddenOptions', 'projectId']);
    await ask('cluster', 'add', 'Copy', '--uri', target().uri);
    const listed = await ask<Document[]>('cluster', 'list');
    assert.deepEqual(listed.map(({ name }) => name).sort(), ['Copy', 'Shop']);
    const twice = await tidemark(['cluster', 'add', 'Shop', '--uri', source().uri, '--data-dir', dataDir]);
    assert.equal(twice.exitCode, exitCodes.refused);
  });

  const first = await ask('snapshot', 'take', 'Shop', '--description', 'before');
  await t.test('a snapshot is taken, listed and shown', async () => {
    assert.equal(first.status, 'completed');
    assert.equal(first.documents >= 3000, true);
    const listed = await ask<Document[]>('snapshot', 'list', 'Shop');
    assert.deepEqual(
      listed.map(({ id }) => id),
      [first.id],
    );
    assert.equal((await ask('snapshot', 'show', first.id)).description, 'before');
    const human = await tidemark(['snapshot', 'list', '--data-dir', dataDir]);
    assert.match(human.output, new RegExp(`^ID +CLUSTER.*\\n${first.id} +Shop +completed`));
  });

  await t.test('the next one costs what changed', async () => {
    await shop.collection('orders').updateOne({ n: 7 }, { $set: { seven: true } });
    const second = await ask('snapshot', 'take', 'Shop');
    assert.equal(second.parentSnapshotId, first.id);
    assert.ok(second.writtenPlainBytes < first.writtenPlainBytes / 10, `${second.writtenPlainBytes}`);
  });

  await t.test('a snapshot is browsed: what it holds, its documents, one by its _id', async () => {
    const listed = await ask<Document[]>('snapshot', 'browse', 'latest');
    const orders = listed.find(({ collection }) => collection === 'orders');
    assert.deepEqual([orders?.db, orders?.type, orders?.documents, orders?.indexes], ['shop', 'collection', 3000, 2]);
    const browse = ['snapshot', 'browse', 'latest', 'shop.orders', '--data-dir', dataDir];
    const human = await tidemark(['snapshot', 'browse', 'latest', 'shop', '--data-dir', dataDir]);
    assert.match(human.output, /^DATABASE +COLLECTION +TYPE +DOCUMENTS +DATA\nshop +orders +collection +3,000 /);
    const two = (await tidemark([...browse, '--limit', '2'])).output.trimEnd().split('\n');
    assert.equal(two.length, 2);
    const seven = await shop.collection('orders').findOne({ n: 7 });
    const found = await tidemark([...browse, '--id', String(seven?._id)]);
    assert.deepEqual([found.exitCode, found.errors], [0, '']);
    assert.deepEqual(JSON.parse(found.output).seven, true);
    const all = await tidemark(browse);
    assert.deepEqual([all.exitCode, all.output.split('\n').length], [0, 3001]);
    const limited = await tidemark([...browse, '--id', String(seven?._id), '--limit', '1']);
    assert.deepEqual([limited.exitCode, limited.output], [0, found.output]);
    for (const [args, expected] of [
      [[...browse, '--id', 'nobody'], /no document with the _id nobody/],
      [[...browse.with(3, 'shop.none')], /no collection shop\.none/],
      [[...browse.with(3, 'none')], /no database none/],
    ] as const) {
      const wrong = await tidemark(args);
      assert.equal(wrong.exitCode, exitCodes.refused, args.join(' '));
      assert.match(wrong.errors, expected);
    }
  });

  await t.test('a snapshot is downloaded, to a file or to standard output, and gone on with', async () => {
    const file = join(directory, 'shop.archive.gz');
    const download = ['download', '--snapshot', 'latest', '--output'];
    const written = await ask(...download, file);
    const bytes = await readFile(file);
    assert.equal(written.bytes, bytes.length);
    assert.equal(parseArchive(gunzipSync(bytes)).collections.get('shop.orders')?.documents.length, 3000);
    await rename(file, `${file}.part`);
    await truncate(`${file}.part`, bytes.length - 100);
    assert.equal((await tidemark([...download, file, '--data-dir', dataDir])).exitCode, exitCodes.usage);
    const resumed = await ask(...download, file, '--resume');
    assert.deepEqual([resumed.resumedAt, resumed.sha256], [bytes.length - 100, written.sha256]);
    assert.deepEqual(await readFile(file), bytes);
    const unknown = join(directory, 'unknown.archive.gz');
    const late = await tidemark([...download, unknown, '--at', '2099-01-01T00:00:00Z', '--data-dir', dataDir]);
    assert.equal(late.exitCode, exitCodes.failed, late.errors);
    assert.ok(!(await readdir(directory)).some((name) => name.startsWith('unknown')), 'nothing is left in the way');
    const human = await tidemark([...download, unknown, '--data-dir', dataDir]);
    assert.equal(human.exitCode, 0, human.errors);
    assert.match(
      human.output,
      /Next: mongorestore --archive=\S+ --gzip --bypassDocumentValidation --keepIndexVersion\n/,
    );
    const piped = spawn(process.execPath, [LAUNCHER, ...download, '-', '--data-dir', dataDir], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pieces: Buffer[] = [];
    for await (const piece of piped.stdout) pieces.push(piece as Buffer);
    assert.deepEqual(Buffer.concat(pieces), bytes);
  });

  await t.test('Ctrl-C cancels: exit code 130, no snapshot, and the next one works', async () => {
    const hang = (mode: string) => ({
      configureFailPoint: 'waitInFindBeforeMakingBatch',
      mode,
      ...(mode === 'off' ? {} : { data: { nss: 'shop.orders', shouldCheckForInterrupt: true } }),
    });
    await shop.collection('orders').updateOne({ n: 8 }, { $set: { eight: true } });
    await source().client.db('admin').command(hang('alwaysOn'));
    const child = spawn(process.execPath, [LAUNCHER, 'snapshot', 'take', 'Shop', '--data-dir', dataDir], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // A group of its own, so that the signal reaches launcher and command as a terminal sends it.
      detached: true,
    });
    const closed = once(child, 'close');
    let errors = '';
    await new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      child.stderr.on('data', (piece) => {
        errors += String(piece);
        if (errors.includes('catching up')) resolve();
      });
    });
    process.kill(-(child.pid ?? 0), 'SIGINT');
    const [exitCode] = await closed;
    await source().client.db('admin').command(hang('off'));
    assert.equal(exitCode, exitCodes.cancelled, errors);
    const [newest] = await ask<Document[]>('snapshot', 'list', 'Shop');
    assert.equal(newest?.status, 'failed');
    assert.equal((await ask('snapshot', 'take', 'Shop')).status, 'completed');
    assert.equal((await ask('repository', 'check')).snapshots, 3);
  });

  await t.test('commands are safe beside a server on the same data directory', async (t) => {
    const server = spawn(process.execPath, [LAUNCHER, 'serve', '--data-dir', dataDir, '--port', '0', '--json'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const closed = once(server, 'close');
    t.after(() => server.kill('SIGKILL'));
    const [line] = await once(server.stdout, 'data');
    const { url } = JSON.parse(String(line)) as { url: string };
    assert.equal((await fetch(`${url}/api/atlas/v2`)).status, 401);
    const take = ['snapshot', 'take', 'Shop', '--data-dir', dataDir, '--json'];
    const outcomes = await Promise.all([tidemark(take), tidemark(take)]);
    // One on-demand snapshot at a time, as in Atlas: the other is refused, or came so late that it is the next one.
    const codes = outcomes.map(({ exitCode }) => exitCode).sort();
    assert.equal(codes[0], exitCodes.done, outcomes.map(({ errors }) => errors).join());
    assert.ok(codes[1] === exitCodes.done || codes[1] === exitCodes.refused, `${codes}`);
    const second = await tidemark(['serve', '--data-dir', dataDir, '--port', '0']);
    assert.equal(second.exitCode, exitCodes.failed, 'one server for each data directory');
    server.kill('SIGTERM');
    const [exitCode] = await closed;
    assert.equal(exitCode, exitCodes.done);
  });

  await t.test('a restore must be confirmed, and then replaces the target', async () => {
    const args = ['restore', '--snapshot', 'latest', '--to', 'Copy', '--data-dir', dataDir];
    const unconfirmed = await tidemark(args);
    assert.equal(unconfirmed.exitCode, exitCodes.usage);
    assert.match(unconfirmed.errors, /--yes/);
    await target().client.db('extra').collection('extra').insertOne({ n: 1 });
    const restored = await ask('restore', '--snapshot', 'latest', '--to', 'Copy', '--yes');
    assert.equal(restored.target, 'Copy');
    assert.deepEqual(await compareClusters(source().client, target().client), []);
  });

  await t.test('the repository alone is enough after a disaster', async () => {
    const repository = join(dataDir, 'repository');
    const listed = await tidemark(['snapshot', 'list', '--repository', repository, '--json']);
    assert.ok((JSON.parse(listed.output) as unknown[]).length >= 4, listed.errors);
    await target().client.db('shop').dropDatabase();
    const args = [
      'restore',
      '--repository',
      repository,
      '--snapshot',
      'latest',
      '--uri',
      target().uri,
      '--yes',
      '--json',
    ];
    const restored = await tidemark(args);
    assert.equal(restored.exitCode, 0, restored.errors);
    assert.deepEqual(await compareClusters(source().client, target().client), []);
  });

  await t.test('the repository is checked, counted and pruned', async () => {
    const checked = await ask('repository', 'check', '--read-data');
    assert.ok(checked.snapshots >= 4);
    assert.deepEqual(checked.problems, []);
    const figures = await ask('repository', 'stats');
    assert.ok(figures.snapshots >= 4);
    const plan = await ask('repository', 'prune', '--dry-run');
    assert.equal(plan.sweepObjects, 0);
  });

  await t.test('the catalog can be lost', async () => {
    for (const name of await readdir(dataDir)) {
      if (name.startsWith('catalog.sqlite')) await rm(join(dataDir, name));
    }
    const rebuilt = await ask('repository', 'rebuild');
    assert.ok(rebuilt.snapshots >= 4);
    const listed = await ask<Document[]>('snapshot', 'list');
    assert.ok(listed.length >= 4);
  });

  await t.test('damage is named, with its own exit code', async () => {
    const blobs = join(dataDir, 'repository', 'blobs');
    const [cluster = ''] = await readdir(blobs);
    const [snapshot = ''] = (await readdir(join(blobs, cluster))).sort();
    const [blob = ''] = await readdir(join(blobs, cluster, snapshot));
    await rm(join(blobs, cluster, snapshot, blob));
    const checked = await tidemark(['repository', 'check', '--data-dir', dataDir, '--json']);
    assert.equal(checked.exitCode, exitCodes.damaged, checked.errors);
    assert.match(checked.output, new RegExp(blob));
  });

  await t.test('a description that was changed is named and mended, whatever the command', async () => {
    const path = join(dataDir, 'repository', 'repository.json');
    const whole = await readFile(path, 'utf8');
    await writeFile(path, whole.replace('"level": 1', '"level": 9'));
    const stats = await tidemark(['repository', 'stats', '--data-dir', dataDir, '--json']);
    assert.equal(stats.exitCode, 0, stats.errors);
    assert.match(stats.errors, /repository\.json.*was changed.*put back from its copy/);
    assert.equal(await readFile(path, 'utf8'), whole);
  });

  await t.test(
    'manifests that are all gone are missed, by the catalog and by the copy of it inside the repository',
    async () => {
      await rm(join(dataDir, 'repository', 'manifests'), { recursive: true });
      for (const from of [
        ['--data-dir', dataDir],
        ['--repository', join(dataDir, 'repository')],
      ]) {
        const checked = await tidemark(['repository', 'check', ...from]);
        assert.equal(checked.exitCode, exitCodes.damaged, checked.errors);
        assert.match(checked.output, /\d+ snapshots? that the catalog( copy of \S+)? lists? ha(s|ve) no manifest/);
      }
    },
  );
});

test('mistakes are one clear sentence and exit code 2 or 3', async () => {
  const other = join(directory, 'other');
  const cases: [string[], number, RegExp][] = [
    [['snapshot', 'list'], exitCodes.usage, /--data-dir/],
    [['snapshot', 'take', 'Nope', '--data-dir', dataDir], exitCodes.refused, /No cluster is called Nope/],
    [['snapshot', 'show', 'abc', '--data-dir', dataDir], exitCodes.usage, /24 hex digits/],
    [['frobnicate'], exitCodes.usage, /unknown command/],
    [
      ['restore', '--snapshot', 'latest', '--data-dir', dataDir],
      exitCodes.usage,
      /--to <cluster> or --uri-file <file>/,
    ],
    [['cluster', 'list', '--data-dir', other], exitCodes.failed, /tidemark init/],
  ];
  for (const [args, exitCode, expected] of cases) {
    const outcome = await tidemark(args);
    assert.equal(outcome.exitCode, exitCode, `${args.join(' ')}: ${outcome.errors}`);
    assert.match(outcome.errors, expected);
    assert.equal(outcome.output, '');
  }
});

test('an encrypted repository opens with its passphrase and with no other', async () => {
  const encrypted = join(directory, 'encrypted');
  const file = join(directory, 'passphrase');
  await writeFile(file, 'correct horse\n', { mode: 0o600 });
  const made = await tidemark(['init', '--data-dir', encrypted, '--passphrase-file', file, '--json']);
  assert.equal(made.exitCode, 0, made.errors);
  const list = ['repository', 'stats', '--data-dir', encrypted, '--json'];
  assert.equal(
    (JSON.parse((await tidemark(list, { TIDEMARK_PASSPHRASE: 'correct horse' })).output) as Document).encrypted,
    true,
  );
  const wrong = await tidemark(list, { TIDEMARK_PASSPHRASE: 'wrong' });
  assert.equal(wrong.exitCode, exitCodes.usage);
  assert.match(wrong.errors, /TIDEMARK_PASSPHRASE: the passphrase is not that of the repository/);
  const none = await tidemark(list);
  assert.equal(none.exitCode, exitCodes.usage);
  assert.match(none.errors, /--passphrase-file FILE/);
});
