import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import { CAPTURE_WAIT_MS } from '../continuous-backup/await-captured.ts';
import type { ClusterName } from '../names.ts';
import { Refusal } from '../refusals/refusals.ts';
import type { RestoreRequest } from './restore-jobs.ts';

const nothing = { named: [], count: 0 };

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

async function withSnapshot(world: DomainWorld): Promise<{ cluster: ClusterName; snapshotId: string }> {
  const cluster = await world.withCluster();
  await world.register(cluster.projectId, 'staging');
  world.startWorker();
  return { cluster, snapshotId: await world.takeWhole(cluster) };
}

function automated(cluster: ClusterName, snapshotId: string, target = 'staging'): RestoreRequest {
  return {
    ...cluster,
    deliveryType: 'automated',
    snapshotId,
    targetProjectId: cluster.projectId,
    targetClusterName: target,
  };
}

test('a restore runs into the named cluster and says what came of it', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { restoreJobs, clusters, snapshots } = world.domain;
    const snapshot = await snapshots.get({ ...cluster, snapshotId });
    const job = await restoreJobs.create(automated(cluster, snapshotId));
    assert.deepEqual(
      [job.state, job.targetClusterName, job.snapshotCreatedAtMs, job.finishedAtMs],
      ['queued', 'staging', snapshot.createdAtMs, null],
    );
    await world.run();
    const target = { projectId: cluster.projectId, clusterName: 'staging' };
    assert.equal((await clusters.get(target)).restoreInProgress, true);
    assert.equal((await clusters.get(cluster)).restoreInProgress, false);
    assert.equal(world.restore(0).request.snapshotId, snapshotId);
    world.restore(0).succeed({ documents: 100, bytes: 10_000, leftOut: nothing });
    await world.run();
    const done = await restoreJobs.get({ ...cluster, restoreJobId: job.id });
    assert.deepEqual([done.state, done.restoredDocuments, done.finishedAtMs !== null], ['completed', 100, true]);
    assert.deepEqual((await restoreJobs.list({ ...cluster, page })).items, [done]);
    assert.equal((await restoreJobs.list({ ...target, page })).totalCount, 0);
    assert.equal((await clusters.get(target)).restoreInProgress, false);
  });
});

test('a snapshot that is deleted while it waits to be restored is restored all the same', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    await world.worker?.stop();
    await world.domain.restoreJobs.create(automated(cluster, snapshotId));
    await world.domain.snapshots.delete({ ...cluster, snapshotId });
    await assert.rejects(
      world.domain.restoreJobs.create(automated(cluster, snapshotId, 'shop')),
      refused('CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT'),
    );
    world.startWorker('two');
    await world.run();
    assert.ok(world.manifests.facts.has(snapshotId));
    world.restore(0).succeed({ documents: 1, bytes: 1, leftOut: nothing });
    await world.clock.advance(10_000);
    assert.ok(!world.manifests.facts.has(snapshotId));
  });
});

test('what cannot be restored is refused before anything is touched', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { create } = world.domain.restoreJobs;
    const good = automated(cluster, snapshotId);
    const { targetClusterName: _name, ...withoutTarget } = good;
    const { snapshotId: _id, ...withoutSnapshot } = good;
    const running = await world.domain.snapshots.take(cluster);
    const refusals: [RestoreRequest, string][] = [
      [{ ...good, deliveryType: 'pointInTime' }, 'INVALID_PIT_RESTORE_TIME'],
      [
        { ...good, deliveryType: 'pointInTime', pointInTimeUtcSeconds: 1_700_000_000 },
        'UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME',
      ],
      [withoutTarget, 'MISSING_ATTRIBUTE'],
      [withoutSnapshot, 'MISSING_ATTRIBUTE'],
      [{ ...good, snapshotId: '0'.repeat(24) }, 'SNAPSHOT_NOT_FOUND'],
      [{ ...good, clusterName: 'staging' }, 'SNAPSHOT_NOT_FOUND'],
      [{ ...good, snapshotId: running.id }, 'CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT'],
      [{ ...good, targetClusterName: 'none' }, 'CLUSTER_NOT_FOUND'],
      [{ ...good, targetProjectId: '0'.repeat(24) }, 'GROUP_NOT_FOUND'],
    ];
    for (const [request, code] of refusals) await assert.rejects(create(request), refused(code), code);
    assert.equal((await world.domain.restoreJobs.list({ ...cluster, page })).totalCount, 0);
  });
});

test('one restore into a cluster at a time, and none of it while a snapshot of it is taken', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { create } = world.domain.restoreJobs;
    await world.domain.snapshots.take(cluster);
    await world.run();
    await create(automated(cluster, snapshotId, 'shop'));
    await assert.rejects(create(automated(cluster, snapshotId, 'shop')), refused('ATLAS_CLUSTER_RESTORE_IN_PROGRESS'));
    await create(automated(cluster, snapshotId, 'staging'));
    await world.run();
    assert.equal(world.restores.length, 1);
    world.completeTake(1);
    await world.run();
    assert.equal(world.restores.length, 2);
  });
});

test('a failed restore says why; a cancel is Atlas’s refusal, and the task can be stopped', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { restoreJobs, tasks } = world.domain;
    const failing = await restoreJobs.create(automated(cluster, snapshotId));
    await world.run();
    await assert.rejects(
      restoreJobs.cancel({ ...cluster, restoreJobId: failing.id }),
      refused('CANNOT_CANCEL_AUTOMATED_RESTORE'),
    );
    await assert.rejects(
      restoreJobs.cancel({ ...cluster, restoreJobId: snapshotId }),
      refused('RESTORE_JOB_NOT_FOUND'),
    );
    world.restore(0).fail(new Fault({ op: 'restore', subject: 'staging', message: 'the target is full' }));
    await world.run();
    const failed = await restoreJobs.get({ ...cluster, restoreJobId: failing.id });
    assert.deepEqual([failed.state, failed.failureReason], ['failed', 'the target is full']);
    const stopped = await restoreJobs.create(automated(cluster, snapshotId));
    await world.run();
    await tasks.cancel(stopped.taskId ?? '');
    await world.run();
    const cancelled = await restoreJobs.get({ ...cluster, restoreJobId: stopped.id });
    assert.deepEqual([cancelled.state, cancelled.finishedAtMs !== null], ['cancelled', true]);
  });
});

test('a restore to the last seconds has what was read of them stored, and begins when it is', async () => {
  await inWorld({}, async (world) => {
    const { cluster } = await withSnapshot(world);
    const snapshotId = await world.takeWhole(cluster);
    const snapshot = await world.domain.snapshots.get({ ...cluster, snapshotId });
    const t = snapshot.clusterTimeT ?? 0;
    const at = (seconds: number) => BigInt(seconds) << 32n;
    const captured = (seconds: number) => {
      world.coverage = { runs: [{ first: at(t - 10), last: at(seconds) }], gaps: [], storedBytes: 1 };
      const told = { host: 'h', captured: at(seconds), lagSeconds: 0, replicaSets: null };
      must(world.tails[0], 'a tailer').request.onProgress(told);
    };
    const wanted = () => must(world.tails[0], 'a tailer').request.wantedUpTo();
    const request: RestoreRequest = {
      ...cluster,
      deliveryType: 'pointInTime',
      targetProjectId: cluster.projectId,
      targetClusterName: 'staging',
      pointInTimeUtcSeconds: t + 3,
    };
    const { create } = world.domain.restoreJobs;
    world.coverage = { runs: [{ first: at(t - 10), last: at(t) }], gaps: [], storedBytes: 1 };
    await assert.rejects(create(request), /continuous backup of the cluster is off/);
    await world.domain.clusters.update({ ...cluster, change: { pitEnabled: true } });
    await world.run();
    await assert.rejects(create(request), /nothing has been captured yet/);
    captured(t);
    await world.clock.advance(4_000);
    assert.equal(wanted(), null);

    const asked = create(request);
    await world.clock.advance(1_000);
    assert.equal(wanted(), at(t + 3));
    captured(t + 4);
    await world.clock.advance(1_000);
    assert.equal((await asked).snapshotId, snapshotId);

    captured(t + 5);
    await world.clock.advance(1_000);
    const idle = assert.rejects(create({ ...request, pointInTimeUtcSeconds: t + 6 }), (error) => {
      return error instanceof Refusal && /has written nothing since .*from then on/.test(error.detail);
    });
    await world.clock.advance(CAPTURE_WAIT_MS + 1_000);
    await idle;

    must(world.tails[0], 'a tailer').fail(new Fault({ op: 'tail', subject: 'x', message: 'no rights to read' }));
    await world.run();
    await assert.rejects(create({ ...request, pointInTimeUtcSeconds: t + 7 }), /not being captured now: .*no rights/);
  });
});

test('a restore to a point begins with the newest snapshot that leads there, and outside what is captured it is refused with what is restorable', async () => {
  await inWorld({}, async (world) => {
    const { cluster } = await withSnapshot(world);
    await world.clock.advance(60_000);
    const later = await world.takeWhole(cluster);
    await world.clock.advance(60_000);
    const snapshot = await world.domain.snapshots.get({ ...cluster, snapshotId: later });
    const t = snapshot.clusterTimeT ?? 0;
    const request: RestoreRequest = {
      ...cluster,
      deliveryType: 'pointInTime',
      targetProjectId: cluster.projectId,
      targetClusterName: 'staging',
      pointInTimeUtcSeconds: t + 3,
    };
    const { create } = world.domain.restoreJobs;
    await assert.rejects(create(request), refused('INVALID_PIT_RESTORE_TIME'), 'nothing is captured');
    const at = (seconds: number) => BigInt(seconds) << 32n;
    world.coverage = { runs: [{ first: at(t - 10), last: at(t + 3) }], gaps: [], storedBytes: 1 };
    const job = await create(request);
    assert.deepEqual([job.snapshotId, job.deliveryType, job.pointInTimeUtcSeconds], [later, 'pointInTime', t + 3]);
    await world.run();
    assert.deepEqual(world.restore(0).request.point, { ts: at(t + 3), inclusive: false });
    world.restore(0).succeed({ documents: 1, bytes: 1, leftOut: nothing });
    await world.run();
    await assert.rejects(create({ ...request, pointInTimeUtcSeconds: t + 4 }), (error) => {
      return (
        error instanceof Refusal && error.code === 'INVALID_PIT_RESTORE_TIME' && error.detail.includes('restorable is')
      );
    });
    await assert.rejects(
      create({ ...request, pointInTimeUtcSeconds: t + 10_000 }),
      refused('INVALID_PIT_RESTORE_TIME'),
    );
  });
});

const weather = () =>
  new Fault({ op: 'restore', subject: 'staging', message: 'the primary stood down', retryable: true });

test('a restore that weather cut off begins again by itself, and says meanwhile what it waits for', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { restoreJobs, tasks } = world.domain;
    const { id: restoreJobId, taskId } = await restoreJobs.create(automated(cluster, snapshotId));
    await world.run();
    await world.restore(0).request.clearing();
    world.restore(0).fail(weather());
    await world.run();
    const waiting = await tasks.get(taskId ?? '');
    assert.match(waiting.progress?.phase ?? '', /^waiting [12] s before try 2 of 20: the primary stood down$/);
    await world.clock.advance(3_000);
    assert.deepEqual(world.restore(1).request.run, { id: restoreJobId, attempt: 2 });
    // The target is unreachable now, and what the attempt before had done to it is not forgotten.
    world.restore(1).fail(weather());
    await world.run();
    assert.match(
      (await tasks.get(taskId ?? '')).failureReason ?? '',
      /; an earlier attempt left the target incomplete/,
    );
    await world.clock.advance(5_000);
    world.restore(2).succeed({ documents: 100, bytes: 10_000, leftOut: nothing });
    await world.run();
    const done = await restoreJobs.get({ ...cluster, restoreJobId });
    assert.deepEqual([done.state, done.restoredDocuments], ['completed', 100]);
  });
});

test('while it waits for its next try a restore can be cancelled, and says what is left', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { restoreJobs, tasks } = world.domain;
    const { id: restoreJobId, taskId } = await restoreJobs.create(automated(cluster, snapshotId));
    await world.run();
    await world.restore(0).request.clearing();
    world.restore(0).fail(new Fault({ op: 'restore', subject: 's', message: 'left incomplete', cause: weather() }));
    await world.run();
    await tasks.cancel(taskId ?? '');
    const cancelled = await restoreJobs.get({ ...cluster, restoreJobId });
    assert.equal(cancelled.state, 'cancelled');
    assert.match(cancelled.failureReason ?? '', /^cancelled on request; before that: left incomplete/);
    await world.clock.advance(600_000);
    assert.equal(world.restores.length, 1);
  });
});

test('a restore whose target was never touched gives up soon; one that left it incomplete goes on for long; a fact ends both', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { restoreJobs } = world.domain;
    const failsAfter = async (touch: boolean, thrown: () => Error) => {
      const from = world.restores.length;
      const { id: restoreJobId } = await restoreJobs.create(automated(cluster, snapshotId));
      await world.run();
      let at = from;
      for (; world.restores.length > at; at++) {
        if (touch && at === from) await world.restore(at).request.clearing();
        world.restore(at).fail(thrown());
        await world.run();
        await world.clock.leap(301_000);
        await world.run();
      }
      const { state, failureReason } = await restoreJobs.get({ ...cluster, restoreJobId });
      return [at - from, state, failureReason] as const;
    };
    const [untouched, , reason] = await failsAfter(false, weather);
    assert.equal(untouched, 5);
    assert.match(reason ?? '', /^the primary stood down \(tried 5 times in \d+ min\)$/);
    const [touched, state, last] = await failsAfter(true, weather);
    assert.deepEqual([touched, state], [20, 'failed']);
    assert.match(last ?? '', /left the target incomplete.*Mend the cause and restore again.*\(tried 20 times/);
    const full = () => new Fault({ op: 'restore', subject: 'staging', message: 'the target is full' });
    assert.deepEqual(await failsAfter(true, full), [1, 'failed', 'the target is full']);
  });
});

test('a restore that ended without what the target refused says what is missing', async () => {
  await inWorld({}, async (world) => {
    const { cluster, snapshotId } = await withSnapshot(world);
    const { restoreJobs } = world.domain;
    const { id: restoreJobId } = await restoreJobs.create(automated(cluster, snapshotId));
    await world.run();
    const named = [{ namespace: 'shop.docs', kind: 'index', name: 'n', problem: 'E11000' }] as const;
    const leftOut = { named: [...named], count: 3 };
    world.restore(0).succeed({ documents: 100, bytes: 10_000, leftOut });
    await world.run();
    const done = await restoreJobs.get({ ...cluster, restoreJobId });
    assert.deepEqual([done.state, done.failureReason, done.leftOut], ['completed', null, leftOut]);
  });
});
