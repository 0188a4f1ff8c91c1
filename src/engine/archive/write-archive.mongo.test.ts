import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, test } from 'node:test';
import { BSON, type Document } from 'mongodb';
import { parseArchive } from '../../../test/support/archive-parser.ts';
import { dropDatabases, fillSource, SERIES_INDEXES } from '../../../test/support/archive-source.ts';
import { collect } from '../../../test/support/collect.ts';
import { compareClusters, compareTruth } from '../../../test/support/compare.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { restoreArchive } from '../../../test/support/restore-archive.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { readManifest } from '../../repository/manifests.ts';
import { gzipMembers } from './gzip-members.ts';
import { writeArchive } from './write-archive.ts';

const source = useReplicaSet({ name: 'source' });
const target = useReplicaSet({ name: 'target', setParameters: { ttlMonitorEnabled: false } });
const { signal } = new AbortController();
async function archiveOf(fixture: SnapshotFixture): Promise<Buffer> {
  const { clusterId, repository } = fixture;
  const snapshotId = fixture.last?.header.snapshotId ?? '';
  const manifest = await readManifest(repository, { clusterId, snapshotId });
  return Buffer.concat(await collect(writeArchive({ repository, manifest, signal })));
}

async function findMongorestore(): Promise<string | null> {
  const { MONGORESTORE_BINARY, PATH = '' } = process.env;
  if (MONGORESTORE_BINARY !== undefined) return MONGORESTORE_BINARY;
  for (const directory of PATH.split(delimiter)) {
    const path = join(directory, 'mongorestore');
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return null;
}

describe('the archive of a snapshot', () => {
  test('holds everything: restored by the driver alone it is what the source held; of an incremental snapshot too', async () => {
    await fillSource(source().client);
    const fixture = await SnapshotFixture.create(source().uri, { blobBytes: 1 << 16 });
    await fixture.take();
    const { port } = await target().primary();
    const skip = (namespace: string) => namespace.startsWith('admin.');
    const compare = async () =>
      compareTruth(await readTruth(source().client, null), await readTruth(target().client, null), { skip });
    await restoreArchive(await archiveOf(fixture), target().client, port);
    assert.deepEqual(await compare(), []);

    const orders = source().client.db('shop').collection('orders');
    await orders.deleteMany({ n: 3 });
    await orders.updateMany({ n: 4 }, { $set: { changed: true } });
    await fixture.take();
    await dropDatabases(target().client);
    const { collections } = await restoreArchive(await archiveOf(fixture), target().client, port);
    assert.deepEqual(await compare(), []);

    const users = await source().client.db('admin').collection('system.users').find({}, { raw: true }).toArray();
    assert.deepEqual(collections.get('admin.system.users')?.documents, users);
    assert.equal(collections.get('admin.system.roles')?.documents.length, 1);
  });

  test('names the indexes of a time series as its users do', async () => {
    const fixture = await SnapshotFixture.create(source().uri);
    await fixture.take();
    const parsed = parseArchive(await archiveOf(fixture));
    const metadata = BSON.EJSON.parse(parsed.collections.get('shop.series')?.metadata ?? '');
    const listed = await source().client.db('shop').command({ listIndexes: 'series' });
    assert.equal(listed.cursor.firstBatch.length, SERIES_INDEXES.length);
    const byName = (indexes: Document[]) => new Map(indexes.map(({ name, v: _version, ...index }) => [name, index]));
    assert.deepEqual(byName(metadata.indexes), byName(listed.cursor.firstBatch));
  });

  test('is read by mongorestore, gzip and all', async (t) => {
    const mongorestore = await findMongorestore();
    if (mongorestore === null) return t.skip('no mongorestore on PATH and no MONGORESTORE_BINARY');
    const fixture = await SnapshotFixture.create(source().uri, { blobBytes: 1 << 16 });
    await fixture.take();
    await dropDatabases(target().client);
    const archive = await archiveOf(fixture);
    const child = spawn(mongorestore, ['--uri', target().uri, '--archive', '--gzip', '--drop'], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (piece: Buffer) => {
      said += piece.toString('utf8');
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(Buffer.concat(await collect(gzipMembers(oneByOne(archive)))));
    const [code] = await once(child, 'exit');
    assert.equal(code, 0, said);
    // It keeps options of indexes in a map (100.18), and what the server notes of a time series' index is in its order.
    const isOrder = (difference: string) =>
      /^shop\.system\.buckets\.series: index is .*"originalSpec"/.test(difference);
    const differences = await compareClusters(source().client, target().client);
    assert.deepEqual(
      differences.filter((one) => !isOrder(one)),
      [],
      said,
    );
  });
});

async function* oneByOne(bytes: Buffer) {
  yield bytes;
}
