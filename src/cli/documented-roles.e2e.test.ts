import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { type Document, MongoClient, MongoServerError } from 'mongodb';
import { type ReplicaSet, until, useReplicaSet } from '../../test/support/replica-set.ts';
import { readTruth, type Truth } from '../../test/support/truth.ts';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';

/**
 * The roles that docs/operations.md gives for source and target are enough, because they are run from the page itself.
 */

const PASSWORD = 'documented';
const source = useReplicaSet({ name: 'source', auth: true });
const target = useReplicaSet({ name: 'target', auth: true });
let directory = '';

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-roles-'));
});
after(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** The shell lines of the page, as commands on `admin`. */
function documentedCommands(): Document[][] {
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  return [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, script]) => {
    const commands: Document[] = [];
    const admin = {
      runCommand: (command: Document) => commands.push(command),
      createUser: ({ user, ...rest }: Document) => commands.push({ createUser: user, ...rest }),
    };
    runInNewContext(script ?? '', { db: { getSiblingDB: () => admin }, passwordPrompt: () => PASSWORD });
    return commands;
  });
}

/** Runs the scripts that begin with the command, and says how many there were. */
async function runThose(client: MongoClient, name: string, role: string): Promise<number> {
  const scripts = documentedCommands().filter(([first]) => first?.[name] === role);
  for (const command of scripts.flat()) await client.db('admin').command(command);
  return scripts.length;
}

function uriOfTidemark(set: ReplicaSet): string {
  return set.uri.replace(/\/\/[^@]*@/, `//tidemark:${PASSWORD}@`);
}

test('a snapshot and a restore work with the documented roles', async () => {
  assert.equal(await runThose(source().client, 'createRole', 'tidemarkSource'), 1);
  assert.equal(await runThose(target().client, 'createRole', 'tidemarkTarget'), 1);
  const shop = source().client.db('shop');
  await shop.collection('orders').insertMany(Array.from({ length: 100 }, (_, n) => ({ n })));
  await shop.collection('orders').createIndex({ n: 1 });
  await shop.command({ create: 'view', viewOn: 'orders', pipeline: [] });
  await shop.command({ createUser: 'app', pwd: 'app', roles: ['readWrite'] });
  await target()
    .client.db('old')
    .command({ create: 'times', timeseries: { timeField: 'at' } });
  await target().client.db('old').collection('old').insertOne({ n: 1 });

  const dataDir = join(directory, 'data');
  const at = ['--data-dir', dataDir];
  await runTidemark(['init', ...at]);
  await runTidemark(['cluster', 'add', 'Shop', '--uri', uriOfTidemark(source()), ...at]);
  await runTidemark(['snapshot', 'take', 'Shop', ...at]);
  await shop.collection('orders').updateOne({ n: 7 }, { $set: { seven: true } });
  await runTidemark(['snapshot', 'take', 'Shop', ...at]);
  await runTidemark(['restore', '--snapshot', 'latest', '--uri', uriOfTidemark(target()), '--yes', ...at]);

  const { users, truth } = await until('the restored users are in force', () => readAnew(target().uri));
  assert.deepEqual([...truth.collections.keys()].filter((name) => !name.startsWith('admin.')).sort(), [
    'shop.orders',
    'shop.view',
  ]);
  assert.equal(truth.collections.get('shop.orders')?.documents?.size, 100);
  assert.deepEqual(users, ['admin.root', 'admin.tidemark', 'shop.app']);
});

test('the additions for the members of a sharded cluster are commands that a server takes', async () => {
  assert.equal(await runThose(source().client, 'updateRole', 'tidemarkSource'), 2, 'for shards and for config servers');
});

/**
 * The restore has put the source's users in the place of the target's: its root is now the source's, of the same name
 * and password but another user, and whoever was logged in as the old one is thrown out, at a moment of the server's
 * choosing.
 */
async function readAnew(uri: string): Promise<{ users: string[]; truth: Truth } | null> {
  const client = await new MongoClient(uri).connect();
  try {
    const answer = await client.db('admin').command({ usersInfo: { forAllDBs: true } });
    const users = (answer.users as { _id: string }[]).map(({ _id }) => _id).sort();
    return { users, truth: await readTruth(client, null) };
  } catch (error) {
    if (error instanceof MongoServerError) return null;
    throw error;
  } finally {
    await client.close();
  }
}
