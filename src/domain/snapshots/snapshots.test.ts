import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld } from '../../../test/support/domain-world.ts';
import { pinnedSnapshots } from '../../catalog/tasks.ts';
import { Damage, Fault } from '../../lib/errors.ts';
import { Refusal } from '../refusals/refusals.ts';
import { expiryDuty } from './expiry.ts';

const DAY_MS = 86_400_000;
const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const never = new AbortController().signal;

test('the life of a snapshot, field by field', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    const requestedAtMs = world.clock.nowMs();
    const queued = await world.domain.snapshots.take({
      ...cluster,
      description: 'before the release',
      retentionInDays: 3,
    });
    assert.equal(queued.status, 'queued');
    assert.equal(queued.expiresAtMs, requestedAtMs + 3 * DAY_MS);
    assert.deepEqual(
      [queued.createdAtMs, queued.mongodVersion, queued.storageSizeBytes, queued.finishedAtMs],
      [null, null, null, null],
    );
    world.startWorker();
    await world.run();
    const named = { ...cluster, snapshotId: queued.id };
    const started = await world.domain.snapshots.get(named);
    assert.deepEqual([started.status, started.mongodVersion, started.createdAtMs], ['inProgress', '6.0.5', null]);
    assert.equal(world.take(0).request.uri, 'mongodb://backup:secret@localhost:27017/?replicaSet=rs0');
    assert.equal(world.take(0).request.parent, null);
    await world.clock.advance(60_000);
    const { header } = world.completeTake(0);
    const finishedAtMs = world.clock.nowMs();
    await world.run();
    const completed = await world.domain.snapshots.get(named);
    assert.equal(completed.status, 'completed');
    assert.equal(completed.createdAtMs, header.clusterTime.t * 1000);
    assert.equal(completed.expiresAtMs, finishedAtMs + 3 * DAY_MS);
    assert.equal(header.retention.description, 'before the release');
    assert.deepEqual(
      [completed.storageSizeBytes, completed.writtenStoredBytes, completed.dataBytes, completed.documents],
      [4_500, 4_000, 10_000, 100],
    );
    assert.deepEqual(await world.domain.snapshots.list({ ...cluster, page }), { items: [completed], totalCount: 1 });
  });
});

test('a second on-demand snapshot is refused while one is queued or in progress', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    const { take } = world.domain.snapshots;
    await take(cluster);
    await assert.rejects(take(cluster), refused('UNFINISHED_ON_DEMAND_SNAPSHOT'));
    world.startWorker();
    await world.run();
    await assert.rejects(take(cluster), refused('UNFINISHED_ON_DEMAND_SNAPSHOT'));
    world.completeTake(0);
    await world.run();
    assert.equal((await take(cluster)).status, 'queued');
  });
});

test('the parent is the newest completed snapshot, and is pinned while the next one is taken', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    const first = await world.takeWhole(cluster);
    await world.domain.snapshots.take(cluster);
    await world.run();
    const { parent, clusterId } = world.take(1).request;
    assert.deepEqual(parent, { clusterId, snapshotId: first });
    assert.deepEqual(await pinnedSnapshots(world.catalog.reader), [{ clusterId, snapshotId: first }]);
    // Deleted while pinned: gone for everybody to see, its manifest stays until it is no longer read.
    await world.domain.snapshots.delete({ ...cluster, snapshotId: first });
    await world.run();
    await assert.rejects(world.domain.snapshots.get({ ...cluster, snapshotId: first }), refused('SNAPSHOT_NOT_FOUND'));
    assert.ok(world.manifests.facts.has(first));
    world.completeTake(1);
    await world.clock.advance(10_000);
    assert.ok(!world.manifests.facts.has(first));
    assert.deepEqual(await pinnedSnapshots(world.catalog.reader), []);
  });
});

test('a failed snapshot says why, and leaves no manifest', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    const { id } = await world.domain.snapshots.take(cluster);
    await world.run();
    world
      .take(0)
      .fail(new Fault({ op: 'scan', subject: 'shop.orders', message: 'the disk is on fire', hint: 'Put it out' }));
    await world.run();
    const failed = await world.domain.snapshots.get({ ...cluster, snapshotId: id });
    assert.deepEqual([failed.status, failed.failureReason], ['failed', 'the disk is on fire. Put it out']);
    assert.equal(failed.createdAtMs, null);
    await world.domain.snapshots.delete({ ...cluster, snapshotId: id });
    assert.equal((await world.domain.snapshots.list({ ...cluster, page })).totalCount, 0);
  });
});

test('cut off between manifest and row: the next attempt takes the manifest over', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    const worker = world.startWorker();
    const { id } = await world.domain.snapshots.take(cluster);
    await world.run();
    world.writeManifest(0);
    await worker.stop();
    assert.equal((await world.domain.snapshots.get({ ...cluster, snapshotId: id })).status, 'inProgress');
    world.startWorker('two');
    await world.run();
    assert.equal(world.takes.length, 1);
    assert.equal((await world.domain.snapshots.get({ ...cluster, snapshotId: id })).status, 'completed');
  });
});

test('a worker that had lost its lease wrote the manifest first: it counts', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    const worker = world.startWorker();
    const { id } = await world.domain.snapshots.take(cluster);
    await world.run();
    await worker.stop();
    world.startWorker('two');
    await world.run();
    world.writeManifest(1);
    world.take(1).fail(new Fault({ op: 'put', subject: 'manifest', message: 'there is one already' }));
    await world.run();
    assert.equal((await world.domain.snapshots.get({ ...cluster, snapshotId: id })).status, 'completed');
  });
});

test('a passing fault is tried four times more, then it has failed', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    const { id } = await world.domain.snapshots.take(cluster);
    await world.run();
    const passing = () => new Fault({ op: 'read', subject: 'rs0', message: 'no primary', retryable: true });
    for (const attempt of [0, 1, 2, 3, 4]) {
      assert.equal((await world.domain.snapshots.get({ ...cluster, snapshotId: id })).status, 'inProgress');
      world.take(attempt).fail(passing());
      await world.clock.advance(20_000);
    }
    assert.equal((await world.domain.snapshots.get({ ...cluster, snapshotId: id })).status, 'failed');
  });
});

test('a snapshot whose task is cancelled has failed, with that reason, queued or running', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    const first = await world.domain.snapshots.take(cluster);
    await world.domain.tasks.cancel(first.taskId ?? '');
    world.startWorker();
    const second = await world.domain.snapshots.take(cluster);
    await world.run();
    assert.equal(world.takes.length, 1);
    const cancelled = await world.domain.tasks.cancel(second.taskId ?? '');
    assert.equal(cancelled.cancelRequested, true);
    await world.run();
    for (const { id } of [first, second]) {
      const snapshot = await world.domain.snapshots.get({ ...cluster, snapshotId: id });
      assert.deepEqual([snapshot.status, snapshot.failureReason], ['failed', 'cancelled on request']);
    }
  });
});

test('retention: only of completed ones, counted from completion, within sense', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    const { id } = await world.domain.snapshots.take(cluster);
    await world.run();
    const update = async (retentionUnit: 'DAYS' | 'MONTHS', retentionValue: number) =>
      await world.domain.snapshots.updateRetention({ ...cluster, snapshotId: id, retentionUnit, retentionValue });
    await assert.rejects(update('DAYS', 3), refused('CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION'));
    await assert.rejects(
      world.domain.snapshots.delete({ ...cluster, snapshotId: id }),
      refused('CANNOT_DELETE_IN_PROGRESS_SNAPSHOT'),
    );
    world.completeTake(0);
    const finishedAtMs = world.clock.nowMs();
    await world.clock.advance(5 * 60_000);
    assert.equal((await update('DAYS', 10)).expiresAtMs, finishedAtMs + 10 * DAY_MS);
    assert.equal((await update('MONTHS', 3)).expiresAtMs, Date.UTC(2027, 1, 22) + (finishedAtMs % DAY_MS));
    for (const value of [0, -1, 1.5, 100_000]) {
      await assert.rejects(update('DAYS', value), refused('BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID'));
    }
    await assert.rejects(
      world.domain.snapshots.take({ ...cluster, retentionInDays: 0 }),
      refused('BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID'),
    );
  });
});

test('expired snapshots go, but never the last good one while newer ones fail', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    const expire = async () => {
      await expiryDuty(world.context).run(never);
      await world.run();
    };
    const old = await world.takeWhole(cluster, 1);
    const good = await world.takeWhole(cluster, 1);
    await world.domain.snapshots.take({ ...cluster, retentionInDays: 5 });
    await world.run();
    world.take(2).fail(new Damage({ op: 'scan', subject: 'a', message: 'broken' }));
    await world.clock.leap(2 * DAY_MS);
    await expire();
    const left = async () => (await world.domain.snapshots.list({ ...cluster, page })).items.map((item) => item.id);
    assert.ok((await left()).includes(good));
    assert.ok(!(await left()).includes(old));
    assert.ok(!world.manifests.facts.has(old));
    // Also after the failed one itself was forgotten.
    await world.clock.leap(10 * DAY_MS);
    await expire();
    assert.deepEqual(await left(), [good]);
    const newer = await world.takeWhole(cluster, 1);
    await expire();
    assert.deepEqual(await left(), [newer]);
  });
});

test('a snapshot that nothing failed after goes when its time is over', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    await world.takeWhole(cluster, 1);
    const duty = expiryDuty(world.context);
    const dueMs = await duty.nextDueMs(world.clock.nowMs());
    await world.clock.leap((dueMs ?? 0) - world.clock.nowMs());
    await duty.run(never);
    await world.run();
    assert.equal((await world.domain.snapshots.list({ ...cluster, page })).totalCount, 0);
    assert.equal(world.manifests.facts.size, 0);
  });
});

test('the closest snapshot before a point', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    await world.takeWhole(cluster);
    const second = await world.takeWhole(cluster);
    const { clusterTimeT } = await world.domain.snapshots.get({ ...cluster, snapshotId: second });
    const seconds = clusterTimeT ?? 0;
    const closest = async (point: { seconds: number; increment?: number }) =>
      (await world.domain.snapshots.list({ ...cluster, page, closestBefore: point })).items.map((item) => item.id);
    assert.deepEqual(await closest({ seconds }), [second]);
    assert.notDeepEqual(await closest({ seconds, increment: 0 }), [second]);
    assert.equal((await closest({ seconds, increment: 0 })).length, 1);
    assert.deepEqual(await closest({ seconds: 1 }), []);
  });
});

test('names that do not exist are refused by what is missing', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    const other = await world.withCluster('other');
    world.startWorker();
    const snapshotId = await world.takeWhole(other);
    const { get, take } = world.domain.snapshots;
    await assert.rejects(get({ ...cluster, snapshotId }), refused('SNAPSHOT_NOT_FOUND'));
    await assert.rejects(get({ ...cluster, clusterName: 'none', snapshotId }), refused('CLUSTER_NOT_FOUND'));
    await assert.rejects(get({ ...cluster, projectId: '0'.repeat(24), snapshotId }), refused('GROUP_NOT_FOUND'));
    await assert.rejects(take({ ...cluster, clusterName: 'none' }), refused('CLUSTER_NOT_FOUND'));
  });
});
