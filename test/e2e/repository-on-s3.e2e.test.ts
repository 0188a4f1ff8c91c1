import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { S3Place } from '../../src/storage/s3.ts';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';
import { compareTruth } from '../support/compare.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { type ObjectStoreServer, startVersity, whyNoServer } from '../support/object-servers.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { readTruth } from '../support/truth.ts';

/** Another machine has nothing but the bucket, credentials for it and the passphrase. */
describe('a repository on S3', { skip: await whyNoServer('versitygw') }, () => {
  const source = useReplicaSet({ name: 'source' });
  const target = useReplicaSet({ name: 'target' });
  const env = { ...process.env };
  let server: ObjectStoreServer<S3Place>;
  let proxy: FaultProxy;
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-s3-'));
    await writeFile(join(directory, 'passphrase'), 'correct horse battery staple\n', { mode: 0o600 });
    server = await startVersity();
    await server.createBucket('backups');
    proxy = await FaultProxy.start(server.endpoint);
    const { credentials } = server.place('backups');
    process.env.AWS_ACCESS_KEY_ID = credentials?.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = credentials?.secretAccessKey;
  });
  after(async () => {
    process.env = env;
    await proxy.stop();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const place = (endpoint: string) => `s3://backups/of/the-shop?endpoint=${endpoint}`;
  const tidemark = async <T>(...args: string[]) =>
    (await runTidemark([...args, '--passphrase-file', join(directory, 'passphrase')])) as T;
  const truthOf = async (cluster: typeof source) => await readTruth(cluster().client, null);

  test('snapshots taken to it, with one request in four failing, restore where nothing else is left', async () => {
    const rows = Array.from({ length: 8_000 }, (_, i) => ({ _id: i as unknown, pad: `${i}`.repeat(400) }));
    const shop = source().client.db('shop');
    await shop.collection('orders').insertMany(rows as { pad: string }[]);
    await shop.collection('orders').createIndex({ pad: 1, _id: -1 });
    const faults = [{ status: 503 }, 'reset', 'answer lost', 'truncated', { status: 500 }] as const;
    proxy.fault = ({ number }) => (number % 4 === 0 ? (faults[(number / 4) % faults.length] ?? null) : null);

    const lost = ['--data-dir', join(directory, 'lost')];
    await tidemark('init', ...lost, '--repository', place(proxy.endpoint));
    await tidemark('cluster', 'add', 'Shop', '--uri', source().uri, ...lost);
    const first = await tidemark<{ id: string; status: string }>('snapshot', 'take', 'Shop', ...lost);
    const truthOfFirst = await truthOf(source);
    await shop.collection('orders').updateMany({ pad: /^1/ }, { $set: { changed: true } });
    await shop.collection('orders').deleteMany({ pad: /^2/ });
    const second = await tidemark<{ id: string; status: string }>('snapshot', 'take', 'Shop', ...lost);
    const truthOfSecond = await truthOf(source);
    assert.deepEqual([first.status, second.status], ['completed', 'completed']);
    assert.ok(proxy.requests.length >= 20, `${proxy.requests.length} requests, every fourth of them failing`);
    assert.deepEqual(
      (await readdir(join(directory, 'lost'))).filter((name) => name === 'repository'),
      [],
    );
    await rm(join(directory, 'lost'), { recursive: true });

    // Straight from the bucket, without a catalog.
    const to = ['--uri', target().uri, '--yes'];
    await tidemark('restore', '--snapshot', first.id, '--repository', place(proxy.endpoint), ...to);
    assert.deepEqual(compareTruth(truthOfFirst, await truthOf(target)), []);

    // With a catalog made anew, which remembers where the repository is and nothing that is secret.
    proxy.fault = () => null;
    const found = ['--data-dir', join(directory, 'found')];
    const rebuilt = await tidemark<{ snapshots: number }>(
      'repository',
      'rebuild',
      ...found,
      '--from',
      place(server.endpoint),
    );
    assert.equal(rebuilt.snapshots, 2);
    const report = await tidemark<{ problems: unknown[] }>('repository', 'check', '--read-data', ...found);
    assert.deepEqual(report.problems, []);
    await tidemark('restore', '--snapshot', second.id, ...found, ...to);
    assert.deepEqual(compareTruth(truthOfSecond, await truthOf(target)), []);
    const kept = await readFile(join(directory, 'found', 'repository.place'), 'utf8');
    assert.equal(kept, `${place(server.endpoint)}\n`);
    for (const name of await readdir(join(directory, 'found'))) {
      const bytes = await readFile(join(directory, 'found', name));
      assert.ok(!bytes.includes(String(process.env.AWS_SECRET_ACCESS_KEY)), `${name} holds the credentials`);
    }
  });

  test('wrong credentials and a missing bucket are said in a sentence, and nothing is made', async () => {
    const dataDir = ['--data-dir', join(directory, 'refused')];
    const nowhere = `s3://no-such-bucket/x?endpoint=${server.endpoint}`;
    await assert.rejects(tidemark('init', ...dataDir, '--repository', nowhere), /bucket/i);
    const secret = process.env.AWS_SECRET_ACCESS_KEY;
    try {
      process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
      await assert.rejects(
        tidemark('init', ...dataDir, '--repository', place(server.endpoint)),
        /signature|credentials|forbidden/i,
      );
    } finally {
      process.env.AWS_SECRET_ACCESS_KEY = secret;
    }
  });
});
