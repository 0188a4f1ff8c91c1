import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Document, Timestamp } from 'mongodb';
import { type CommandOutcome, runCommandLine } from '../../test/support/command-line.ts';
import { until, useReplicaSet } from '../../test/support/replica-set.ts';
import { ServedTidemark } from '../../test/support/served-tidemark.ts';
import { formatTimestamp } from '../bson/timestamp.ts';
import { exitCodes } from './exit-codes.ts';

/** What an operator does beside a running service, by the command line alone. */

const source = useReplicaSet({ name: 'shop' });
const spare = useReplicaSet({ name: 'spare' });
let tidemark: ServedTidemark;

async function run(...args: string[]): Promise<CommandOutcome> {
  return await runCommandLine(args, { ...process.env, TIDEMARK_DATA_DIR: tidemark.dataDir });
}

async function ask<T = Document>(...args: string[]): Promise<T> {
  const { exitCode, output, errors } = await run(...args, '--json');
  assert.equal(exitCode, exitCodes.done, errors);
  return JSON.parse(output) as T;
}

async function refused(exitCode: number, expected: RegExp, ...args: string[]): Promise<void> {
  const outcome = await run(...args);
  assert.equal(outcome.exitCode, exitCode, `${args.join(' ')}: ${outcome.output}${outcome.errors}`);
  assert.match(outcome.errors, expected);
}

const accounts = () => source().client.db('shop').collection<{ _id: string; balance: number }>('accounts');

async function setBalance(balance: number): Promise<string> {
  const { operationTime } = (await source()
    .client.db('shop')
    .command({ update: 'accounts', updates: [{ q: { _id: 'alice' }, u: { $set: { balance } } }] })) as {
    operationTime: Timestamp;
  };
  return formatTimestamp(operationTime.toBigInt());
}

async function restoredBalance(...args: string[]): Promise<number | undefined> {
  const { exitCode, errors } = await run('restore', ...args, '--yes');
  assert.equal(exitCode, exitCodes.done, errors);
  const found = await spare().client.db('shop').collection<{ _id: string; balance: number }>('accounts').findOne();
  return found?.balance;
}

before(async () => {
  tidemark = await ServedTidemark.create();
  await accounts().insertOne({ _id: 'alice', balance: 0 });
  await tidemark.addCluster('Shop', source().uri);
  await ask('cluster', 'add', 'Spare', '--uri', spare().uri, '--no-schedule');
});
after(async () => {
  await tidemark.remove();
});

test('a cluster is captured, shown, and restored to just before a mistake', async () => {
  const before = await ask('cluster', 'show', 'Shop');
  assert.deepEqual([before.capture.enabled, before.lastSnapshot], [false, null]);
  assert.match(before.problems.join(), /no completed snapshot/);
  await ask('capture', 'on', 'Shop');
  await until('the oplog is captured', async () =>
    (await ask('cluster', 'show', 'Shop')).capture.captured ? true : null,
  );
  const { id } = await ask('snapshot', 'take', 'Shop');
  const good = await setBalance(10);
  const bad = await setBalance(-1);
  const after = await setBalance(99);
  assert.equal(await restoredBalance('--just-before', bad, '--to', 'Spare'), 10);
  assert.equal(await restoredBalance('--at', bad, '--to', 'Spare', '--snapshot', 'latest', '--from', 'Shop'), -1);
  assert.equal(await restoredBalance('--at', good.replace('T', ' '), '--to', 'Spare', '--snapshot', id), 10);
  const file = join(tidemark.dataDir, '..', 'spare.uri');
  await writeFile(file, `${spare().uri}\n`, { mode: 0o600 });
  const repository = ['--repository', tidemark.repositoryDir, '--uri-file', file];
  assert.equal(await restoredBalance('--just-before', after, ...repository), -1);
  assert.equal(await restoredBalance('--snapshot', 'latest', ...repository), 0);

  const undo = ['document', 'restore', 'Shop', 'shop.accounts', 'alice', '--overwrite', '--yes', '--just-before'];
  assert.equal((await ask(...undo, bad)).result, 'replaced');
  assert.equal((await accounts().findOne({ _id: 'alice' }))?.balance, 10);

  const shown = await ask('cluster', 'show', 'Shop');
  assert.deepEqual([shown.lastSnapshot.id, shown.problems, shown.members.length], [id, [], 1]);
  assert.ok(shown.capture.restorable.length > 0 && shown.nextSnapshot !== null);
  const page = (await run('cluster', 'show', 'Shop')).output;
  assert.match(page, /capture +on, up to .*\nrestorable +\S+ to \S+\nsnapshots +1\nlast snapshot +[0-9a-f]{24} as of/);
  assert.match(page, /MEMBER +STATE[\s\S]*PRIMARY[\s\S]*Nothing is wrong\./);

  const running = await ask<Document[]>('task', 'list');
  assert.ok(running.some(({ kind, state }) => kind === 'tailOplog' && state === 'running'));
  assert.match((await run('task', 'list')).output, /^ID +STATE +SINCE +WHAT[\s\S]* running .* capture /);
  const ended = await ask<Document[]>('task', 'list', '--all');
  const restore = ended.find(({ kind }) => kind === 'restoreSnapshot');
  assert.match((await run('task', 'cancel', restore?.id)).output, /had ended: succeeded/);
  await refused(exitCodes.refused, /TASK_NOT_FOUND|No task/, 'task', 'cancel', 'f'.repeat(24));

  await refused(exitCodes.usage, /--snapshot <id>.*--at/, 'restore', '--to', 'Spare', '--yes');
  await refused(exitCodes.usage, /2026-11-22T10:20:30Z/, 'restore', '--at', 'yesterday', '--to', 'Spare', '--yes');
  assert.equal((await ask('capture', 'off', 'Shop')).capture, false);
});

test('a schedule is set in words, and what is wrong is answered with the values there are', async () => {
  const set = ['schedule', 'set', 'Shop'];
  const before = await ask('schedule', 'show', 'Shop');
  const kept = before.items.find((item: Document) => item.frequencyType === 'monthly');
  const words = [
    '--hourly',
    '4=8d',
    '--daily',
    '14d',
    '--weekly',
    'sun=5w',
    '--weekly',
    'wednesday=5w',
    '--yearly',
    'none',
  ];
  const { items, referenceHour, restoreWindowDays } = await ask(
    ...set,
    ...words,
    '--time',
    '02:30',
    '--restore-window',
    '5',
  );
  assert.deepEqual(
    items.map(({ frequencyType, frequencyInterval, retentionValue }: Document) => [
      frequencyType,
      frequencyInterval,
      retentionValue,
    ]),
    [
      ['hourly', 4, 8],
      ['daily', 1, 14],
      ['weekly', 7, 5],
      ['weekly', 3, 5],
      ['monthly', 40, 12],
    ],
  );
  assert.deepEqual([referenceHour, restoreWindowDays], [2, 5]);
  const idOf = (all: Document[], type: string) => all.find(({ frequencyType }) => frequencyType === type)?.id;
  assert.deepEqual([idOf(items, 'hourly'), idOf(items, 'monthly')], [idOf(before.items, 'hourly'), kept.id]);
  for (const [option, value, expected] of [
    ['--hourly', '3=7d', /1, 2, 4, 6, 8, 12/],
    ['--weekly', 'someday=4w', /monday, tuesday/],
    ['--monthly', '31=12m', /1 to 28, or last/],
    ['--yearly', '13=1y', /january, february/],
    ['--daily', '7', /30d, 8w, 12m, 2y/],
    ['--time', '25:00', /00:00 to 23:59/],
    ['--export-every', 'often', /hourly, daily, weekly, monthly, yearly/],
  ] as const)
    await refused(exitCodes.usage, expected, ...set, option, value);
  await refused(exitCodes.usage, /Say what to change/, ...set);
  await refused(
    exitCodes.refused,
    /no export bucket nowhere/,
    ...set,
    '--export-to',
    'nowhere',
    '--export-every',
    'daily',
  );
  const none = ['--hourly', '--daily', '--weekly', '--monthly', '--yearly'].flatMap((option) => [option, 'none']);
  assert.deepEqual((await ask(...set, ...none)).items, []);
  assert.deepEqual((await ask(...set, '--daily', '7d')).items.length, 1);
});

test('a snapshot is protected, kept longer, and deleted', async () => {
  const { id } = await ask('snapshot', 'take', 'Shop', '--description', 'to be deleted');
  assert.equal((await ask('snapshot', 'protect', 'latest')).protected, true);
  assert.match((await run('snapshot', 'list', 'Shop')).output, new RegExp(`${id}.*never\\n`));
  await refused(exitCodes.refused, /snapshot protect ID --off/, 'snapshot', 'delete', id, '--yes');
  assert.equal((await ask('snapshot', 'protect', id, '--off')).protected, false);
  const { expiresAt, finishedAt } = await ask('snapshot', 'protect', 'latest', '--from', 'Shop', '--keep', '8w');
  assert.equal(Date.parse(expiresAt) - Date.parse(finishedAt), 56 * 86_400_000);
  await refused(exitCodes.usage, /30d, 8w, 12m, 2y/, 'snapshot', 'protect', id, '--keep', 'long');
  await refused(exitCodes.usage, /is of Shop, not of Spare/, 'snapshot', 'show', id, '--from', 'Spare');
  await refused(exitCodes.usage, /Nobody can be asked here/, 'snapshot', 'delete', id);
  assert.equal((await ask('snapshot', 'show', 'latest')).id, id);
  assert.equal((await ask('snapshot', 'delete', 'latest', '--yes')).id, id);
  assert.notEqual((await ask('snapshot', 'show', 'latest')).id, id);
});

test('an API key is made, listed and deleted', async () => {
  const roles = await run('key', 'create', '--role', 'KING');
  assert.equal(roles.exitCode, exitCodes.usage);
  assert.match(roles.errors, /ORG_OWNER, ORG_GROUP_CREATOR, ORG_READ_ONLY, ORG_MEMBER/);
  assert.match((await run('key', 'create', '--help')).output, /ORG_READ_ONLY[\s\S]*GROUP_BACKUP_MANAGER/);
  const { publicKey } = await ask('key', 'create', '--role', 'ORG_READ_ONLY', '--description', 'auditor');
  assert.match((await run('key', 'list')).output, new RegExp(`${publicKey} +ORG_READ_ONLY +auditor`));
  await refused(exitCodes.refused, /no API key nobody/, 'key', 'delete', 'nobody', '--yes');
  assert.equal((await ask('key', 'delete', publicKey, '--yes')).publicKey, publicKey);
  const left = await ask<Document[]>('key', 'list');
  assert.ok(left.length > 0 && left.every((key) => key.publicKey !== publicKey));
});

test('a cluster is paused, protected, renamed by no one, and removed with its snapshots kept', async () => {
  await refused(exitCodes.usage, /Say what to change/, 'cluster', 'update', 'Shop');
  const paused = await ask('cluster', 'update', 'Shop', '--paused', 'on');
  assert.equal(paused.paused, true);
  await refused(exitCodes.refused, /--paused off/, 'snapshot', 'take', 'Shop');
  await refused(exitCodes.usage, /on, off/, 'cluster', 'update', 'Shop', '--paused', 'maybe');
  assert.equal((await ask('cluster', 'update', 'Shop', '--paused', 'off')).paused, false);
  await ask('cluster', 'update', 'Shop', '--protection', 'on');
  await refused(exitCodes.refused, /--protection off/, 'cluster', 'remove', 'Shop', '--yes');
  await ask('cluster', 'update', 'Shop', '--protection', 'off');
  await refused(exitCodes.usage, /All snapshots of Shop are deleted/, 'cluster', 'update', 'Shop', '--backup', 'off');
  assert.equal(
    (await ask('cluster', 'update', 'Shop', '--backup', 'off', '--retain-backups', 'on')).backupEnabled,
    false,
  );
  await refused(exitCodes.refused, /cluster update NAME --backup on/, 'snapshot', 'take', 'Shop');
  await ask('cluster', 'update', 'Shop', '--backup', 'on');
  const { snapshots, deletedSnapshots } = await ask('cluster', 'remove', 'Shop', '--yes');
  assert.deepEqual([snapshots, deletedSnapshots], [1, false]);
  assert.equal((await ask<Document[]>('snapshot', 'list', 'Shop')).length, 1);
  await refused(exitCodes.refused, /No cluster is called Shop/, 'cluster', 'show', 'Shop');
  assert.equal(await restoredBalance('--snapshot', 'latest', '--to', 'Spare'), 0);
});

test('the repository is moved, and one that was moved by hand is recognised', async () => {
  const elsewhere = join(tidemark.dataDir, '..', 'elsewhere');
  await refused(exitCodes.failed, /another Tidemark is serving/, 'repository', 'move', elsewhere);
  await tidemark.kill();
  const moved = await ask('repository', 'move', elsewhere);
  assert.ok(moved.copied.objects > 3, JSON.stringify(moved));
  assert.equal(await readFile(join(tidemark.dataDir, 'repository.place'), 'utf8'), `${elsewhere}\n`);
  await rename(tidemark.repositoryDir, `${tidemark.repositoryDir}.old`);
  assert.equal((await run('repository', 'check', '--read-data')).exitCode, exitCodes.done);
  await refused(exitCodes.failed, /is in .* already/, 'repository', 'move', elsewhere);

  const byHand = join(tidemark.dataDir, '..', 'by-hand');
  await rename(elsewhere, byHand);
  await refused(exitCodes.failed, /tidemark repository move PLACE/, 'snapshot', 'list');
  await refused(exitCodes.failed, /no repository in/, 'repository', 'move', join(byHand, '..', 'nowhere'));
  assert.equal((await ask('repository', 'move', byHand)).copied, null);
  assert.equal((await ask<Document[]>('snapshot', 'list')).length, 1);

  const other = join(tidemark.dataDir, '..', 'other');
  await runCommandLine(['init', '--data-dir', other], process.env);
  await refused(exitCodes.failed, /another repository/, 'repository', 'move', join(other, 'repository'));
  await refused(exitCodes.failed, /holds something else/, 'repository', 'move', other);
});
