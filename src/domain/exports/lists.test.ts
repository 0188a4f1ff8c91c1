import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld } from '../../../test/support/domain-world.ts';
import { insertCheckpoint } from '../../catalog/checkpoints.ts';
import { insertExportBucket } from '../../catalog/export-buckets.ts';
import { insertExportJob } from '../../catalog/export-jobs.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };

test('exports, buckets and checkpoints are read from their tables, newest first', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    const other = await world.withCluster('other');
    const { domain, catalog, context } = world;
    for (const name of [cluster, other]) {
      assert.deepEqual(await domain.exportJobs.list({ ...name, page }), { items: [], totalCount: 0 });
      assert.deepEqual(await domain.checkpoints.list({ ...name, page }), { items: [], totalCount: 0 });
    }
    world.startWorker();
    const snapshotId = await world.takeWhole(cluster);
    const { id: clusterId } = await domain.clusters.get(cluster);
    const bucket = {
      projectId: cluster.projectId,
      bucketName: 'exports',
      roleId: 'a'.repeat(24),
      region: null,
      serviceUrl: null,
      tenantId: null,
      requirePrivateNetworking: 0 as const,
      deletedAtMs: null,
    };
    const [first, second, gone] = [context.ids.next(), context.ids.next(), context.ids.next()];
    await catalog.transact(async (writer) => {
      await insertExportBucket(writer, { ...bucket, id: first, cloudProvider: 'AWS', createdAtMs: 1 });
      await insertExportBucket(writer, { ...bucket, id: second, cloudProvider: 'GCP', createdAtMs: 2 });
      await insertExportBucket(writer, { ...bucket, id: gone, cloudProvider: 'AWS', createdAtMs: 3, deletedAtMs: 4 });
      const job = {
        clusterId,
        snapshotId,
        exportBucketId: first,
        prefix: 'p',
        customData: '[{"key":"a","value":"b"}]',
      };
      const counts = {
        exportedCollections: 1,
        totalCollections: 2,
        errorMessage: null,
        finishedAtMs: null,
        leftOut: null,
      };
      await insertExportJob(
        writer,
        { ...job, ...counts, id: 'j1', state: 'Queued', createdAtMs: 1, errorCode: null },
        [2, 1].map((position) => ({
          exportJobId: 'j1',
          position,
          exportId: `e${position}`,
          replicaSetName: `s${position}`,
        })),
      );
      await insertExportJob(writer, {
        ...{ ...job, ...counts, id: 'j2', state: 'Failed', createdAtMs: 2, finishedAtMs: 3 },
        ...{ errorCode: 'BROKEN', errorMessage: 'it broke' },
      });
      await insertCheckpoint(
        writer,
        { id: 'k1', clusterId, startedAtMs: 1, completedAtMs: 2, timestampMs: 1, restorable: 1 },
        [
          {
            ...{ checkpointId: 'k1', position: 1, replicaSetName: 's1', shardName: 'sh1', typeName: 'REPLICA_SET' },
            ...{ tokenDiscovered: 1, tokenSeconds: 5, tokenIncrement: 6 },
          },
        ],
      );
    });
    const buckets = await domain.exportBuckets.list({ projectId: cluster.projectId, page });
    assert.deepEqual(
      buckets.items.map((item) => [item.id, item.requirePrivateNetworking]),
      [
        [second, false],
        [first, false],
      ],
    );
    const aws = await domain.exportBuckets.list({ projectId: cluster.projectId, cloudProvider: 'AWS', page });
    assert.deepEqual([aws.items.map((item) => item.id), aws.totalCount], [[first], 1]);
    const jobs = await domain.exportJobs.list({ ...cluster, page });
    assert.deepEqual(
      jobs.items.map((job) => [
        job.id,
        job.stateReason?.errorCode ?? null,
        job.components.map((part) => part.exportId),
      ]),
      [
        ['j2', 'BROKEN', []],
        ['j1', null, ['e1', 'e2']],
      ],
    );
    assert.deepEqual(jobs.items[0]?.customData, [{ key: 'a', value: 'b' }]);
    const [checkpoint] = (await domain.checkpoints.list({ ...cluster, page })).items;
    assert.deepEqual(checkpoint?.parts[0]?.tokenTimestamp, { seconds: 5, increment: 6 });
    assert.equal(checkpoint?.restorable, true);
    assert.equal((await domain.exportJobs.list({ ...other, page })).totalCount, 0);
  });
});
