import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parseArchive } from '../../test/support/archive-parser.ts';
import { dropDatabases } from '../../test/support/archive-source.ts';
import { type CommandOutcome, runCommandLine } from '../../test/support/command-line.ts';
import { compareTruth } from '../../test/support/compare.ts';
import { type ObjectStoreServer, startVersity, whyNoServer } from '../../test/support/object-servers.ts';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { restoreArchive } from '../../test/support/restore-archive.ts';
import { SnapshotFixture } from '../../test/support/snapshot-fixture.ts';
import { Tailing } from '../../test/support/tailing.ts';
import { readTruth } from '../../test/support/truth.ts';
import { formatTimestamp } from '../bson/timestamp.ts';
import { openS3Store, type S3Place } from '../storage/s3.ts';
import { exitCodes } from './exit-codes.ts';

const source = useReplicaSet({ name: 'source' });
const target = useReplicaSet({ name: 'target' });

after(() => Tailing.stopAll());

/** Neither a catalog nor a service: only the bucket's address and credentials for it. */
describe('a repository by its URL', { skip: await whyNoServer('versitygw') }, () => {
  let server: ObjectStoreServer<S3Place>;
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-url-'));
    server = await startVersity();
    await server.createBucket('backups');
  });
  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function tidemark(...args: string[]): Promise<CommandOutcome> {
    const { credentials, endpoint = '' } = server.place('backups');
    const { accessKeyId = '', secretAccessKey = '' } = credentials ?? {};
    const env = { ...process.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    return await runCommandLine([...args, '--repository', `s3://backups/by/url?endpoint=${endpoint}`], env);
  }

  test('is listed, browsed and downloaded, at a snapshot and at a point', async () => {
    const store = openS3Store({ ...server.place('backups'), prefix: 'by/url' });
    const fixture = await SnapshotFixture.create(source().uri, { store });
    const tailing = new Tailing(source(), { repository: fixture.repository, clusterId: fixture.clusterId });
    await tailing.begun();
    const orders = source().client.db('shop').collection('orders');
    await orders.insertMany(Array.from({ length: 500 }, (_, n) => ({ _id: n as never, n })));
    const { header } = await fixture.take();
    await orders.updateMany({ n: { $lt: 200 } }, { $inc: { n: 1000 } });
    await orders.rename('renamed');
    const point = formatTimestamp(await tailing.mark());
    const truth = await readTruth(source().client, null);
    await source().client.db('shop').dropDatabase();
    await tailing.mark();
    await tailing.stop();

    const listed = await tidemark('snapshot', 'browse', 'latest', '--json');
    assert.equal(listed.exitCode, 0, listed.errors);
    const [collection] = (JSON.parse(listed.output) as { collection: string }[]).filter(
      (one) => one.collection === 'orders',
    );
    assert.deepEqual(
      { ...collection, bytes: 0 },
      {
        db: 'shop',
        collection: 'orders',
        type: 'collection',
        documents: 500,
        bytes: 0,
        indexes: 1,
        replicaSetName: 'source',
      },
    );
    const shown = await tidemark('snapshot', 'browse', 'latest', 'shop.orders', '--id', '7');
    assert.equal(shown.output, '{"_id":{"$numberInt":"7"},"n":{"$numberInt":"7"}}\n', shown.errors);

    const file = join(directory, 'snapshot.gz');
    const taken = await tidemark('download', '--snapshot', 'latest', '--output', file);
    assert.equal(taken.exitCode, 0, taken.errors);
    const archive = parseArchive(gunzipSync(await readFile(file)));
    assert.equal(archive.collections.get('shop.orders')?.documents.length, 500);
    assert.equal(archive.oplog, null);

    const atPoint = join(directory, 'point.gz');
    const written = await tidemark('download', '--snapshot', 'latest', '--at', point, '--output', atPoint);
    assert.equal(written.exitCode, 0, written.errors);
    assert.match(written.output, /--oplogReplay/);
    await dropDatabases(target().client);
    await restoreArchive(gunzipSync(await readFile(atPoint)), target().client, (await target().primary()).port);
    const skip = (namespace: string) => namespace.startsWith('admin.');
    assert.deepEqual(compareTruth(truth, await readTruth(target().client, null), { skip }), []);

    const early = `${new Date((header.clusterTime.t - 10) * 1000).toISOString().slice(0, 19)}Z`;
    for (const [at, expected, exitCode] of [
      ['yesterday', /A time is/, exitCodes.usage],
      [early, /no snapshot from/, exitCodes.refused],
    ] as const) {
      const wrong = await tidemark(
        'download',
        '--snapshot',
        'latest',
        '--at',
        at,
        '--output',
        join(directory, 'no.gz'),
      );
      assert.equal(wrong.exitCode, exitCode, wrong.errors);
      assert.match(wrong.errors, expected);
    }
    const late = await tidemark('download', '--snapshot', 'latest', '--at', '2099-01-01T00:00:00Z', '--output', '-');
    assert.notEqual(late.exitCode, 0);
    assert.match(late.errors, /oplog/);
  });
});
