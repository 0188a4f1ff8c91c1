import assert from 'node:assert/strict';
import { readdir, rename, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { must } from '../../src/lib/assert.ts';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';
import { compareTruth } from '../support/compare.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { ServedTidemark, until } from '../support/served-tidemark.ts';
import { readTruth } from '../support/truth.ts';

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('the process that takes snapshots is killed', () => {
  const source = useReplicaSet({ name: 'source' });
  const target = useReplicaSet({ name: 'target' });
  let tidemark: ServedTidemark;

  before(async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => ({ _id: i, pad: `${i}`.repeat(150) }));
    await source().client.db('shop').collection<{ _id: number; pad: string }>('docs').insertMany(rows);
    tidemark = await ServedTidemark.create();
    await tidemark.addCluster('Source', source().uri);
    await tidemark.addCluster('Target', target().uri);
  });

  after(async () => await tidemark.remove());

  const blobs = async () => (await filesBelow(join(tidemark.repositoryDir, 'blobs'))).length;

  const moments: [string, (blobsBefore: number) => Promise<boolean>][] = [
    ['as soon as it is in progress', async () => true],
    ['after its first blob', async (blobsBefore) => (await blobs()) > blobsBefore],
    ['after several blobs', async (blobsBefore) => (await blobs()) > blobsBefore + 2],
  ];

  for (const [moment, isNow] of moments) {
    test(`${moment}: the next start finishes or fails the snapshot, the repository is clean, and the next snapshot works`, async () => {
      // Every document changes, so that there is something to write each time.
      await source().client.db('shop').collection('docs').updateMany({}, { $set: { moment } });
      const blobsBefore = await blobs();
      const { id } = await tidemark.requestSnapshot('Source');
      await until('the snapshot is at the moment', async () => {
        const { status } = await tidemark.snapshot('Source', id);
        return status !== 'queued' && (await isNow(blobsBefore)) ? true : null;
      });
      await tidemark.kill();
      await tidemark.restart();
      const ended = await tidemark.whenSnapshotEnds('Source', id);
      const next = await tidemark.requestSnapshot('Source');
      assert.equal((await tidemark.whenSnapshotEnds('Source', next.id)).status, 'completed');
      const report = (await runTidemark(['repository', 'check', '--read-data', '--data-dir', tidemark.dataDir])) as {
        problems: unknown[];
      };
      assert.deepEqual(report.problems, []);
      const manifests = (await filesBelow(join(tidemark.repositoryDir, 'manifests'))).filter((path) =>
        path.endsWith(id),
      );
      assert.equal(manifests.length, ended.status === 'completed' ? 1 : 0, 'whole, or none');
    });
  }

  async function restore(snapshotId: string): Promise<{ failed: boolean; finishedAt?: string }> {
    const request = {
      deliveryType: 'automated',
      snapshotId,
      targetClusterName: 'Target',
      targetGroupId: tidemark.credentials.projectId,
    };
    const job = await tidemark.client.post<{ id: string }>(
      tidemark.path('Source', 'restoreJobs'),
      request,
      '2023-01-01',
    );
    return await until('the restore ends', async () => {
      const path = tidemark.path('Source', `restoreJobs/${job.id}`);
      const body = await tidemark.client.get<{ failed: boolean; finishedAt?: string }>(path, '2023-01-01');
      return body.failed || body.finishedAt !== undefined ? body : null;
    });
  }

  test('what comes out afterwards is what the source holds', async () => {
    const { id } = await tidemark.requestSnapshot('Source');
    await tidemark.whenSnapshotEnds('Source', id);
    assert.equal((await restore(id)).failed, false);
    assert.deepEqual(compareTruth(await readTruth(source().client, null), await readTruth(target().client, null)), []);
  });

  test('a blob that is missing or cut off is named by check, and a restore is refused before the target is touched', async () => {
    const { id } = await tidemark.requestSnapshot('Source');
    await tidemark.whenSnapshotEnds('Source', id);
    const truth = await readTruth(target().client, null);
    const files = await filesBelow(join(tidemark.repositoryDir, 'blobs'));
    const victim = must(files.sort().at(-1), 'a blob');
    await rename(victim, `${victim}.away`);
    await expectDamage(id, victim);
    await rename(`${victim}.away`, victim);
    await truncate(victim, 40);
    await expectDamage(id, victim);
    assert.deepEqual(compareTruth(truth, await readTruth(target().client, null)), []);

    async function expectDamage(snapshotId: string, path: string): Promise<void> {
      await assert.rejects(runTidemark(['repository', 'check', '--data-dir', tidemark.dataDir]));
      // One of the snapshots that hold the blob; the newest does unless the blob was superseded.
      const outcome = await restore(snapshotId);
      assert.equal(outcome.failed, true, `a restore without ${path} has to fail`);
    }
  });
});
