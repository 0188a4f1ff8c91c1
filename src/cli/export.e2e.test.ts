import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Document } from 'mongodb';
import { type CommandOutcome, runCommandLine } from '../../test/support/command-line.ts';
import { documentsOfLines, exportedLines, exportedObjects } from '../../test/support/exported.ts';
import { startVersity, whyNoServer } from '../../test/support/object-servers.ts';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { openS3Store } from '../storage/s3.ts';
import { exitCodes } from './exit-codes.ts';

/** An export from the command line to the lines in a bucket of an S3 server. */

const skip = await whyNoServer('versitygw');
const source = useReplicaSet({ name: 'source' });

async function tidemark(args: readonly string[], env: Record<string, string>): Promise<CommandOutcome> {
  return await runCommandLine([...args, '--json'], { ...process.env, ...env });
}

test('a bucket is added, a snapshot goes into it, and what is refused says why', { skip }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-export-'));
  const server = await startVersity();
  try {
    await server.createBucket('exports');
    const place = server.place('exports');
    const { endpoint, region } = place;
    const objectStores = join(directory, 'stores.json');
    const rule = {
      provider: 'AWS',
      endpoint,
      region,
      accessKeyId: 'tidemark-test',
      secretAccessKey: { env: 'S3_SECRET' },
    };
    await writeFile(objectStores, JSON.stringify({ objectStores: [rule] }), { mode: 0o600 });
    const secret = 'not-a-secret-0000';
    process.env.S3_SECRET = secret;
    const env = { TIDEMARK_DATA_DIR: join(directory, 'data'), TIDEMARK_OBJECT_STORES: objectStores, S3_SECRET: secret };
    const ask = async (...args: string[]): Promise<Document> => {
      const { exitCode, output, errors } = await tidemark(args, env);
      assert.equal(exitCode, 0, errors);
      return JSON.parse(output) as Document;
    };
    await ask('init');
    const orders = Array.from({ length: 500 }, (_, n) => ({ _id: n, at: new Date(n), text: 'x'.repeat(n) }));
    await source()
      .client.db('shop')
      .collection<Document>('orders')
      .insertMany(orders as Document[]);
    await ask('cluster', 'add', 'Shop', '--uri', source().uri);
    const arn = 'arn:aws:iam::123456789012:role/exports';
    for (const [args, expected] of [
      [['exports'], /--role-arn arn:aws:iam/],
      [['exports', '--role-arn', 'exports'], /ARN of an IAM role/],
      [['nowhere', '--role-arn', arn], /nowhere/],
      [['exports', '--provider', 'IBM'], /AWS, AZURE, GCP/],
    ] as const) {
      const wrong = await tidemark(['bucket', 'add', ...args], env);
      assert.notEqual(wrong.exitCode, 0, args.join(' '));
      assert.match(wrong.errors, expected);
    }
    const { id: bucketId, roleId } = await ask('bucket', 'add', 'exports', '--role-arn', arn);
    const again = await ask('bucket', 'add', 'exports', '--role-arn', arn);
    assert.equal(again.roleId, roleId, 'the role is there already');
    const ambiguous = await tidemark(['bucket', 'remove', 'exports'], env);
    assert.equal(ambiguous.exitCode, exitCodes.usage, ambiguous.errors);
    await ask('bucket', 'remove', again.id);
    assert.deepEqual(
      ((await ask('bucket', 'list')) as unknown as Document[]).map(({ id, bucketName }) => [id, bucketName]),
      [[bucketId, 'exports']],
    );

    const early = await tidemark(['export', 'Shop', '--bucket', bucketId], env);
    assert.equal(early.exitCode, exitCodes.refused);
    assert.match(early.errors, /no completed snapshot/);
    const snapshot = await ask('snapshot', 'take', 'Shop');
    const unknown = await tidemark(['export', 'Shop', '--bucket', 'f'.repeat(24)], env);
    assert.equal(unknown.exitCode, exitCodes.refused);
    assert.match(unknown.errors, /no export bucket f{24}.*There are: exports/);

    const job = await ask('export', 'Shop', '--bucket', 'exports', '--custom', 'why=audit');
    assert.deepEqual([job.state, job.snapshotId, job.exportedCollections], ['Successful', snapshot.id, 1]);
    const objects = await exportedObjects(openS3Store(place, { objectKeys: 'any' }), job.prefix);
    const ids = documentsOfLines(exportedLines(objects, 'shop', 'orders')).map((one) => one.readInt32LE(9));
    assert.deepEqual(
      ids.toSorted((a, b) => a - b),
      orders.map(({ _id }) => _id),
    );
    const complete = JSON.parse(String(objects.get('.complete')));
    assert.deepEqual(complete.customData, [{ key: 'why', value: 'audit' }]);

    const misread = { $oid: 'no hex' };
    await source()
      .client.db('shop')
      .collection<Document>('orders')
      .insertOne({ _id: -1, misread } as Document);
    const pipeline = [{ $addFields: { x: { $literal: misread } } }];
    await source().client.db('shop').createCollection('bad view', { viewOn: 'orders', pipeline });
    await ask('snapshot', 'take', 'Shop');
    const partial = await tidemark(['export', 'Shop', '--bucket', bucketId], env);
    assert.equal(partial.exitCode, exitCodes.incomplete, partial.errors);
    const { state, stateReason } = JSON.parse(partial.output) as Document;
    assert.deepEqual([state, stateReason.errorCode], ['Successful', 'EXPORT_INCOMPLETE']);
    assert.match(stateReason.message, /document \{"\$numberInt":"-1"\} of shop\.orders/);
    const output = join(directory, 'shop.archive.gz');
    const strict = ['download', '--snapshot', 'latest', '--output', output, '--json-loss', 'fail'];
    const nothing = await tidemark(strict, env);
    assert.equal(nothing.exitCode, exitCodes.failed);
    assert.match(nothing.errors, /view shop\.bad view/);
    const file = await tidemark(strict.slice(0, -2), env);
    assert.equal(file.exitCode, exitCodes.incomplete, file.errors);
    assert.deepEqual(
      (JSON.parse(file.output) as Document).leftOut.map(({ kind, name }: Document) => [kind, name]),
      [['view', 'bad view']],
    );

    await server.removeBucket('exports');
    const failed = await tidemark(['export', 'Shop', '--bucket', bucketId], env);
    assert.equal(failed.exitCode, exitCodes.failed);
    assert.match(failed.errors, /bucket/i);
  } finally {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
});
