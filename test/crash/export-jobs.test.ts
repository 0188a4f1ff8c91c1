import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExportJob, ExportJobRequest } from '../../src/domain/exports/export-jobs.ts';
import { exportSnapshot } from '../../src/engine/export/export-snapshot.ts';
import { InlineTranscoder } from '../../src/engine/export/transcoding.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { StoreFault, type StoreProblem } from '../../src/storage/store-fault.ts';
import { recoverTasks } from '../../src/tasks/queue.ts';
import { type DomainWorld, inWorld } from '../support/domain-world.ts';
import { withExportBucket } from '../support/export-bucket.ts';
import {
  assertWhole,
  bucket,
  contents,
  exportInto,
  prefix,
  snapshotId,
  withSnapshot,
} from '../support/export-fixture.ts';
import { exportedObjects } from '../support/exported.ts';
import { testClusterId } from '../support/test-repository.ts';

/**
 * Export jobs from the request to the last object, with the real exporter, into buckets that fail and by processes that
 * die.
 */

interface Job {
  world: DomainWorld;
  create(store: ObjectStore): Promise<ExportJob>;
  get(job: ExportJob): Promise<ExportJob>;
}

async function inExporting(work: (it: Job) => Promise<void>): Promise<void> {
  await inWorld({}, async (world) => {
    const repository = await withSnapshot(contents);
    world.ports.exportEngine = {
      export: async (request) =>
        await exportSnapshot({
          ...request,
          ...{ repository, clusterId: testClusterId, snapshotId },
          ...{ transcoder: new InlineTranscoder(), log: silentLogger, limits: { blockBytes: 100, fileBytes: 350 } },
        }),
    };
    const cluster = await world.withCluster();
    const exportBucketId = await withExportBucket(world, cluster.projectId);
    world.startWorker();
    const request: ExportJobRequest = {
      ...cluster,
      ...{ snapshotId: await world.takeWhole(cluster), exportBucketId, customData: [] },
    };
    await work({
      world,
      create: async (store) => {
        world.buckets.set(exportBucketId, store);
        return await world.domain.exportJobs.create(request);
      },
      get: async ({ id }) => await world.domain.exportJobs.get({ ...cluster, exportJobId: id }),
    });
  });
}

/** Blobs are decompressed in other threads, so turns of the event loop are what it takes, not time. */
async function until(world: DomainWorld, condition: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; !(await condition()); turn++) {
    assert.ok(turn < 200_000, 'what is waited for comes');
    await new Promise((resolve) => setImmediate(resolve));
    if (turn % 50 === 0) await world.run();
  }
}

/** Objects until the nth put, and from then on what `then` makes of puts. */
function untilPut(
  n: number,
  then: (put: () => Promise<void>) => Promise<void>,
): { store: ObjectStore; whole: ObjectStore } {
  const whole = bucket();
  let puts = 0;
  const store: ObjectStore = {
    description: 'a bucket that fails',
    put: async (objectKey, body, options) => {
      const put = async () => await whole.put(objectKey, body, { ifAbsent: options?.ifAbsent === true });
      return ++puts >= n ? await then(put) : await put();
    },
    get: async (objectKey) => await whole.get(objectKey),
    head: async (objectKey) => await whole.head(objectKey),
    list: (from) => whole.list(from),
    delete: async () => await Promise.reject(new Error('an export deletes nothing')),
  };
  return { store, whole };
}

async function wholePuts(): Promise<number> {
  const store = bucket();
  await exportInto(store, await withSnapshot(contents));
  return (await exportedObjects(store, prefix)).size + 1;
}

test('a bucket that goes read-only, vanishes or fills up at any put fails the job, and a new job works', async () => {
  const puts = await wholePuts();
  const problems: StoreProblem[] = ['denied', 'noBucket', 'full'];
  await inExporting(async ({ world, create, get }) => {
    for (let n = 1; n <= puts; n++) {
      const problem = problems[n % problems.length] as StoreProblem;
      const { store, whole } = untilPut(n, async () => {
        throw new StoreFault({ op: 'put', subject: 'x', message: `it is ${problem}`, problem });
      });
      const ended = async (job: ExportJob) => (await get(job)).finishedAtMs !== null;
      const failing = await create(store);
      await until(world, async () => await ended(failing));
      const failed = await get(failing);
      assert.deepEqual([failed.state, failed.stateReason?.errorCode], ['Failed', 'EXPORT_BUCKET_UNAVAILABLE'], `${n}`);
      assert.match(failed.stateReason?.message ?? '', new RegExp(`it is ${problem}`));
      assert.ok(!(await exportedObjects(whole, failed.prefix)).has('.complete'), `put ${n}`);
      const next = await create(whole);
      await until(world, async () => await ended(next));
      assert.equal((await get(next)).state, 'Successful');
      assertWhole(await exportedObjects(whole, next.prefix), contents);
    }
  });
});

test('taken over at any put, the export is whole and complete once, also when the first process goes on', async () => {
  const puts = await wholePuts();
  await inExporting(async ({ world, create, get }) => {
    for (let n = 1; n <= puts; n++) {
      const late: (() => Promise<void>)[] = [];
      const gone = Promise.withResolvers<void>();
      gone.promise.catch(() => undefined);
      const { store, whole } = untilPut(n, async (put) => {
        late.push(put);
        await gone.promise;
      });
      try {
        const job = await create(store);
        await until(world, async () => late.length > 0);
        assert.equal((await get(job)).state, 'InProgress', `put ${n} waits`);
        // The process is held to be dead, and the task is taken up anew; what the first attempt had under way arrives
        // afterwards.
        world.buckets.set(job.exportBucketId, whole);
        await recoverTasks(world.catalog, 'one');
        await until(world, async () => (await get(job)).finishedAtMs !== null);
        gone.reject(new Error('dead'));
        assert.equal((await get(job)).state, 'Successful', `put ${n}`);
        const objects = await exportedObjects(whole, job.prefix);
        for (const put of late) await put().catch(() => undefined);
        assert.deepEqual(await exportedObjects(whole, job.prefix), objects, 'what comes late changes nothing');
        assertWhole(objects, contents);
        assert.equal(objects.size, puts - 1);
      } finally {
        // Also where something failed: the world would wait for that put.
        gone.reject(new Error('over'));
      }
    }
  });
});
