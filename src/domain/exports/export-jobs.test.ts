import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { withExportBucket } from '../../../test/support/export-bucket.ts';
import { findExportJob } from '../../catalog/export-jobs.ts';
import { pinnedSnapshots } from '../../catalog/tasks.ts';
import { EXPORT_WRITE } from '../../engine/export/export-snapshot.ts';
import { must } from '../../lib/assert.ts';
import { Damage, Fault } from '../../lib/errors.ts';
import type { ClusterName } from '../names.ts';
import { Refusal } from '../refusals/refusals.ts';
import type { ExportJob, ExportJobRequest } from './export-jobs.ts';
import { exportTransitions } from './export-state.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

interface Exportable {
  world: DomainWorld;
  cluster: ClusterName;
  request: ExportJobRequest;
  get(job: Pick<ExportJob, 'id'>): Promise<ExportJob>;
}

async function inExportable(work: (it: Exportable) => Promise<void>): Promise<void> {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    const exportBucketId = await withExportBucket(world, cluster.projectId);
    world.startWorker();
    const snapshotId = await world.takeWhole(cluster);
    const request = { ...cluster, snapshotId, exportBucketId, customData: [{ key: 'why', value: 'audit' }] };
    const get = async ({ id }: { id: string }) => await world.domain.exportJobs.get({ ...cluster, exportJobId: id });
    await work({ world, cluster, request, get });
  });
}

const engineCall = (world: DomainWorld, index: number) => must(world.exports[index], `export ${index} has begun`);

test('an export job is queued, runs with its snapshot pinned, and succeeds with what it counted', async () => {
  await inExportable(async ({ world, cluster, request, get }) => {
    const nowMs = world.clock.nowMs();
    const queued = await world.domain.exportJobs.create(request);
    assert.deepEqual(
      [queued.state, queued.exportedCollections, queued.totalCollections, queued.finishedAtMs, queued.stateReason],
      ['Queued', 0, 0, null, null],
    );
    assert.deepEqual(queued.customData, request.customData);
    const snapshot = await world.domain.snapshots.get({ ...cluster, snapshotId: request.snapshotId });
    const minute = new Date(snapshot.createdAtMs ?? 0).toISOString().slice(0, 16).replace(':', '');
    const project = await world.domain.projects.get(cluster.projectId);
    const folders = `exported_snapshots/${project.organizationId}/${project.id}/shop/${minute}/${Math.floor(nowMs / 1000)}`;
    assert.equal(queued.prefix, folders);
    await assert.rejects(world.domain.exportJobs.create(request), refused('SNAPSHOT_EXPORT_IN_PROGRESS'));

    await world.run();
    const { request: given } = engineCall(world, 0);
    assert.equal((await get(queued)).state, 'InProgress');
    assert.deepEqual([given.prefix, given.resumed, given.snapshotId], [queued.prefix, false, request.snapshotId]);
    assert.deepEqual(given.completed, {
      ...{ orgId: project.organizationId, orgName: 'Acme', groupId: project.id, groupName: project.name },
      ...{ clusterUniqueId: snapshot.clusterId, clusterName: 'shop', snapshotMs: snapshot.createdAtMs },
      ...{ labels: [], customData: request.customData },
    });
    assert.ok((await pinnedSnapshots(world.catalog.reader)).some((pin) => pin.snapshotId === request.snapshotId));
    given.report({ phase: 'exporting', documentsDone: 5, bytesDone: 6, collectionsDone: 1, collectionsTotal: 3 });
    await world.run();
    const running = await get(queued);
    assert.deepEqual([running.exportedCollections, running.totalCollections], [1, 3]);

    engineCall(world, 0).succeed({ collections: 3 });
    await world.run();
    const done = await get(queued);
    assert.deepEqual([done.state, done.exportedCollections, done.totalCollections], ['Successful', 3, 3]);
    assert.ok(done.finishedAtMs !== null && done.stateReason === null);
    assert.deepEqual(await pinnedSnapshots(world.catalog.reader), []);
  });
});

test('a snapshot that is deleted while it is exported keeps its manifest until the export has ended', async () => {
  await inExportable(async ({ world, cluster, request }) => {
    await world.domain.exportJobs.create(request);
    await world.run();
    await world.domain.snapshots.delete({ ...cluster, snapshotId: request.snapshotId });
    await world.clock.advance(20_000);
    assert.ok(world.manifests.facts.has(request.snapshotId));
    engineCall(world, 0).succeed({ collections: 0 });
    await world.clock.advance(20_000);
    assert.ok(!world.manifests.facts.has(request.snapshotId));
  });
});

test('what fails for good fails the job with its reason, and the next job works', async () => {
  const fault = (op: string) => new Fault({ op, subject: 'x', message: 'access denied', hint: 'Grant it' });
  const cases: [Error, string][] = [
    [fault(EXPORT_WRITE), 'EXPORT_BUCKET_UNAVAILABLE'],
    [new Damage({ op: 'read blob', subject: 'x', message: 'access denied' }), 'EXPORT_SNAPSHOT_DAMAGED'],
    [fault('transcode'), 'EXPORT_FAILED'],
  ];
  await inExportable(async ({ world, request, get }) => {
    const prefixes = new Set<string>();
    for (const [index, [error, errorCode]] of cases.entries()) {
      const job = await world.domain.exportJobs.create(request);
      prefixes.add(job.prefix);
      await world.run();
      engineCall(world, index).fail(error);
      await world.run();
      const failed = await get(job);
      assert.deepEqual([failed.state, failed.stateReason?.errorCode], ['Failed', errorCode]);
      assert.match(failed.stateReason?.message ?? '', /access denied/);
      assert.ok(failed.finishedAtMs !== null);
    }
    assert.equal(prefixes.size, cases.length, 'no two jobs write under one prefix');
    const job = await world.domain.exportJobs.create(request);
    await world.run();
    engineCall(world, cases.length).succeed({ collections: 1 });
    await world.run();
    assert.equal((await get(job)).state, 'Successful');
  });
});

test('an export that left something out is successful, and says what', async () => {
  await inExportable(async ({ world, request, get }) => {
    const job = await world.domain.exportJobs.create(request);
    await world.run();
    const kind = 'document' as const;
    const named = [{ namespace: 'shop.orders', kind, name: '{"$numberInt":"7"}', problem: 'no text' }];
    engineCall(world, 0).succeed({ collections: 1, leftOut: { named, count: 3 } });
    await world.run();
    const done = await get(job);
    assert.deepEqual([done.state, done.stateReason?.errorCode], ['Successful', 'EXPORT_INCOMPLETE']);
    assert.match(done.stateReason?.message ?? '', /document \{"\$numberInt":"7"\} of shop\.orders .*and 2 more/);
  });
});

test('two exports of one second lie under two prefixes', async () => {
  await inExportable(async ({ world, request, get }) => {
    const first = await world.domain.exportJobs.create(request);
    await world.domain.tasks.cancel(must(first.taskId, 'a job has a task'));
    const second = await world.domain.exportJobs.create(request);
    assert.equal(Number(second.prefix.split('/').at(-1)), Number(first.prefix.split('/').at(-1)) + 1);
    assert.deepEqual([(await get(first)).state, (await get(first)).stateReason], ['Cancelled', null]);
  });
});

test('a bucket that is away is tried again, and the second attempt knows that it is one', async () => {
  await inExportable(async ({ world, request, get }) => {
    const job = await world.domain.exportJobs.create(request);
    await world.run();
    const message = 'the network is down';
    engineCall(world, 0).fail(new Fault({ op: EXPORT_WRITE, subject: 'x', message, retryable: true }));
    await world.run();
    const waiting = await get(job);
    assert.deepEqual([waiting.state, waiting.stateReason], ['InProgress', null]);
    await world.clock.advance(10_000);
    assert.equal(engineCall(world, 1).request.resumed, true);
    engineCall(world, 1).succeed({ collections: 1 });
    await world.run();
    const row = await findExportJob(world.catalog.reader, job.id);
    assert.deepEqual([row?.state, row?.errorCode], ['Successful', null]);
  });
});

test('an export that runs is cancelled through its task', async () => {
  await inExportable(async ({ world, request, get }) => {
    const job = await world.domain.exportJobs.create(request);
    await world.run();
    await world.domain.tasks.cancel(must(job.taskId, 'a job has a task'));
    await world.run();
    assert.equal((await get(job)).state, 'Cancelled');
    await world.domain.exportBuckets.delete({ projectId: request.projectId, exportBucketId: request.exportBucketId });
  });
});

test('a sharded cluster shows a component for each shard, made once', async () => {
  await inExportable(async ({ world, request, get }) => {
    const facts = must(world.manifests.facts.get(request.snapshotId), 'the manifest');
    const replicaSet = (shardName: string, configServer: boolean) => ({
      ...{ id: shardName.padEnd(24, '0'), shardName, configServer, replicaSetName: `rs-${shardName}` },
      ...{ replicaSetId: null, position: { t: 1, i: 1, term: 1 }, mongodVersion: '6.0.5' },
      ...{ featureCompatibilityVersion: '6.0', collections: 0, documents: 0, bytes: 0 },
    });
    facts.header.replicaSets = [replicaSet('a', false), replicaSet('b', false), replicaSet('config', true)];
    const job = await world.domain.exportJobs.create(request);
    assert.deepEqual(job.components, []);
    await world.run();
    const { components } = await get(job);
    assert.deepEqual(
      components.map(({ replicaSetName }) => replicaSetName),
      ['rs-a', 'rs-b'],
    );
    engineCall(world, 0).fail(new Fault({ op: EXPORT_WRITE, subject: 'x', message: 'away', retryable: true }));
    await world.clock.advance(10_000);
    engineCall(world, 1).succeed({ collections: 1 });
    await world.run();
    assert.deepEqual((await get(job)).components, components);
  });
});

test('names stand in the prefix where the schedule wants them', async () => {
  await inExportable(async ({ world, cluster, request }) => {
    await world.domain.schedules.update({ ...cluster, patch: { namesInExportPrefix: true } });
    const job = await world.domain.exportJobs.create(request);
    assert.ok(job.prefix.startsWith('exported_snapshots/Acme/of_shop/shop/'), job.prefix);
  });
});

test('a name that ends with a dot keeps it, but for Azure, which would drop it by itself', async () => {
  for (const [cloudProvider, name] of [
    ['AWS', 'Acme_Inc.'],
    ['AZURE', 'Acme_Inc'],
  ] as const)
    await inExportable(async ({ world, cluster, request }) => {
      await world.domain.schedules.update({ ...cluster, patch: { namesInExportPrefix: true } });
      await world.catalog.transact(async (writer) => {
        await writer.updateTable('organizations').set({ name: 'Acme Inc.' }).execute();
        await writer.updateTable('exportBuckets').set({ cloudProvider }).execute();
      });
      const { prefix } = await world.domain.exportJobs.create(request);
      assert.equal(prefix.split('/')[1], name);
    });
});

test('what has ended stays as it ended', () => {
  for (const state of ['Successful', 'Failed', 'Cancelled'] as const)
    assert.ok(Object.values(exportTransitions[state]).every((next) => next === 'impossible'));
});
