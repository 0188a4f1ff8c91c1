import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { updateCluster } from '../../catalog/clusters.ts';
import type { ClusterName } from '../names.ts';
import type { SchedulePatch } from '../policies/schedule.ts';
import { Refusal } from '../refusals/refusals.ts';
import { expiryDuty } from '../snapshots/expiry.ts';
import { scheduleDuty } from './serve-due.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const never = new AbortController().signal;
const page = { pageNum: 1, itemsPerPage: 500, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

const items = async (world: DomainWorld, name: ClusterName) =>
  (await world.domain.schedules.get(name)).items.map(
    ({ frequencyType, frequencyInterval, retentionValue, retentionUnit }) =>
      `${frequencyType} ${frequencyInterval} keep ${retentionValue} ${retentionUnit}`,
  );
const patch = async (world: DomainWorld, name: ClusterName, change: SchedulePatch) =>
  await world.domain.schedules.update({ ...name, patch: change });
const snapshots = async (world: DomainWorld, name: ClusterName) =>
  (await world.domain.snapshots.list({ ...name, page })).items;

/** One round of the timer, and what is taken comes to its end. */
async function round(world: DomainWorld): Promise<void> {
  await scheduleDuty(world.context).run(never);
  await world.run();
  for (const [index, take] of world.takes.entries()) {
    if (!world.manifests.facts.has(take.request.snapshotId)) world.completeTake(index);
  }
  await world.run();
}

test('a new cluster has the schedule that Atlas gives, anchored at the minute of its registration', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    const schedule = await world.domain.schedules.get(name);
    assert.deepEqual(await items(world, name), [
      'hourly 6 keep 7 days',
      'daily 1 keep 7 days',
      'weekly 6 keep 4 weeks',
      'monthly 40 keep 12 months',
      'yearly 12 keep 1 years',
    ]);
    // The clock of the tests begins at 10:20:30.
    assert.deepEqual([schedule.referenceHour, schedule.referenceMinute, schedule.restoreWindowDays], [10, 20, 7]);
    assert.equal(new Date(schedule.nextSnapshotMs ?? 0).toISOString(), '2026-11-22T16:20:00.000Z');
    assert.deepEqual((await world.domain.schedules.get(name)).policyId, schedule.policyId);
  });
});

test('what is due is taken once, however many processes look and however often', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    const schedule = await world.domain.schedules.get(name);
    await round(world);
    assert.deepEqual(await snapshots(world, name), []);
    await world.clock.leap((schedule.nextSnapshotMs ?? 0) - world.clock.nowMs());
    const duties = [scheduleDuty(world.context), scheduleDuty(world.context), scheduleDuty(world.context)];
    await Promise.all(duties.map(async (duty) => await duty.run(never)));
    await round(world);
    const [taken, ...more] = await snapshots(world, name);
    assert.deepEqual(more, []);
    const hourly = schedule.items[0]?.id ?? '';
    assert.deepEqual(
      [taken?.status, taken?.snapshotType, taken?.frequencyType, taken?.policyItems],
      ['completed', 'scheduled', 'hourly', [hourly]],
    );
    // Kept for seven days from its completion on.
    assert.equal(taken?.expiresAtMs, (taken?.finishedAtMs ?? 0) + 7 * DAY_MS);
    assert.equal((await world.domain.schedules.get(name)).nextSnapshotMs, (schedule.nextSnapshotMs ?? 0) + 6 * HOUR_MS);
    const next = await duties[0]?.nextDueMs(world.clock.nowMs());
    assert.equal(next, (schedule.nextSnapshotMs ?? 0) + 6 * HOUR_MS);
  });
});

test('several that are due make one snapshot, attached to the item that keeps it longest', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    const schedule = await world.domain.schedules.get(name);
    // Saturday the 28th at 10:20: hourly, daily and weekly.
    await world.clock.leap(Date.parse('2026-11-28T10:19:00Z') - world.clock.nowMs());
    await round(world);
    const before = (await snapshots(world, name)).length;
    await world.clock.leap(2 * 60_000);
    await round(world);
    const [merged] = await snapshots(world, name);
    assert.equal((await snapshots(world, name)).length, before + 1);
    assert.equal(merged?.frequencyType, 'weekly');
    assert.deepEqual(
      merged?.policyItems,
      schedule.items.slice(0, 3).map((item) => item.id),
    );
    assert.equal(merged?.expiresAtMs, (merged?.finishedAtMs ?? 0) + 28 * DAY_MS);
  });
});

test('after a long downtime one snapshot is taken, for everything that was missed', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    await world.clock.leap(40 * DAY_MS);
    await round(world);
    await round(world);
    const taken = await snapshots(world, name);
    assert.equal(taken.length, 1);
    assert.equal(taken[0]?.policyItems.length, 5);
    assert.equal(taken[0]?.frequencyType, 'yearly');
  });
});

test('while one waits that has not begun, the next due time joins it', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    const duty = scheduleDuty(world.context);
    await world.clock.leap(6 * HOUR_MS);
    await duty.run(never);
    await world.clock.leap(18 * HOUR_MS);
    await duty.run(never);
    const taken = await snapshots(world, name);
    assert.deepEqual(
      taken.map((each) => [each.status, each.frequencyType, each.policyItems.length]),
      [['queued', 'hourly', 2]],
    );
    world.startWorker();
    await round(world);
    await world.clock.leap(6 * HOUR_MS);
    await round(world);
    assert.equal((await snapshots(world, name)).length, 2);
  });
});

test('a snapshot on demand beside the schedule is its own', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    await world.domain.snapshots.take(name);
    await world.clock.leap(6 * HOUR_MS);
    await round(world);
    assert.deepEqual((await snapshots(world, name)).map((each) => each.snapshotType).toSorted(), [
      'onDemand',
      'scheduled',
    ]);
  });
});

test('paused, disabled and removed clusters are left alone', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    const { clusterId } = await world.domain.schedules.get(name);
    const set = async (change: Parameters<typeof updateCluster>[2]) => {
      await world.catalog.transact(async (writer) => await updateCluster(writer, clusterId, change));
      await world.clock.leap(DAY_MS);
      await scheduleDuty(world.context).run(never);
    };
    await set({ paused: 1 });
    assert.equal((await world.domain.schedules.get(name)).nextSnapshotMs, null);
    await set({ paused: 0, backupEnabled: 0 });
    await assert.rejects(world.domain.schedules.get(name), refused('BACKUP_CONFIG_NOT_FOUND'));
    await set({ backupEnabled: 1, deletedAtMs: 1, sealedUri: null });
    assert.deepEqual(await snapshots(world, name), []);
  });
});

test('a change says only what changes; a list replaces the items, and its ids stay', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    const before = await world.domain.schedules.get(name);
    const moved = await patch(world, name, { referenceHour: 3, referenceMinute: 5 });
    assert.deepEqual(
      { ...moved, nextSnapshotMs: null },
      { ...before, referenceHour: 3, referenceMinute: 5, nextSnapshotMs: null },
    );
    assert.equal(new Date(moved.nextSnapshotMs ?? 0).toISOString(), '2026-11-22T15:05:00.000Z');
    const [hourly, daily] = before.items;
    const changed = await patch(world, name, {
      policies: [
        {
          id: before.policyId,
          policyItems: [
            { ...hourly, frequencyInterval: 12 },
            { frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 9 },
          ],
        },
      ],
    });
    assert.equal(changed.policyId, before.policyId);
    assert.equal(changed.items[0]?.id, hourly?.id);
    assert.notEqual(changed.items[1]?.id, daily?.id);
    assert.deepEqual(await items(world, name), ['hourly 12 keep 7 days', 'daily 1 keep 9 days']);
    await assert.rejects(patch(world, name, { restoreWindowDays: 0 }), refused('INVALID_RESTORE_WINDOW'));
    await assert.rejects(
      patch(world, name, { namesInExportPrefix: true, referenceHour: 4 }),
      refused('INVALID_REFERENCE_TIME_OF_DAY_MISSING_FIELDS'),
    );
    assert.equal((await world.domain.schedules.get(name)).namesInExportPrefix, false);
  });
});

test('with continuous backup the window binds, and a refused change leaves the schedule as it was', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    await patch(world, name, { restoreWindowDays: 99 });
    await patch(world, name, { restoreWindowDays: 5 });
    const { clusterId } = await world.domain.schedules.get(name);
    await world.catalog.transact(async (writer) => await updateCluster(writer, clusterId, { pitEnabled: 1 }));
    const before = await world.domain.schedules.get(name);
    await assert.rejects(patch(world, name, { restoreWindowDays: 99 }), /cannot be less than restore window/);
    assert.deepEqual(await world.domain.schedules.get(name), before);
  });
});

test('a deleted schedule keeps all but its items, asks for nothing, and can be filled again', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    const before = await world.domain.schedules.get(name);
    const after = await world.domain.schedules.delete(name);
    assert.deepEqual(after, { ...before, items: [], nextSnapshotMs: null });
    await world.clock.leap(100 * DAY_MS);
    await scheduleDuty(world.context).run(never);
    assert.deepEqual(await snapshots(world, name), []);
    await patch(world, name, { restoreWindowDays: 3 });
    assert.deepEqual(await items(world, name), []);
    const daily = { frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days' as const, retentionValue: 2 };
    await patch(world, name, { policies: [{ policyItems: [daily] }] });
    await scheduleDuty(world.context).run(never);
    // Nothing is due from the time in which it asked for nothing.
    assert.deepEqual(await snapshots(world, name), []);
  });
});

test('what was due when the schedule is changed is still taken', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    await world.clock.leap(7 * HOUR_MS);
    await patch(world, name, { referenceHour: 23, referenceMinute: 0 });
    assert.equal((await snapshots(world, name)).length, 1);
    await scheduleDuty(world.context).run(never);
    assert.equal((await snapshots(world, name)).length, 1);
  });
});

test('earlier snapshots follow a changed retention only when asked, and never one that its owner set', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    for (let count = 0; count < 2; count++) {
      await world.clock.leap(6 * HOUR_MS);
      await round(world);
    }
    const [second, first] = await snapshots(world, name);
    assert.ok(first !== undefined && second !== undefined);
    const { id: snapshotId } = first;
    await world.domain.snapshots.updateRetention({ ...name, snapshotId, retentionUnit: 'DAYS', retentionValue: 20 });
    const { items: current } = await world.domain.schedules.get(name);
    const longer = current.map((item, index) => (index === 0 ? { ...item, retentionValue: 5 } : item));
    const daysKept = async () =>
      (await snapshots(world, name)).map((each) => (each.expiresAtMs - (each.finishedAtMs ?? 0)) / DAY_MS);
    await patch(world, name, { policies: [{ policyItems: longer }] });
    assert.deepEqual(await daysKept(), [7, 20]);
    await patch(world, name, { policies: [{ policyItems: longer }], updateSnapshots: true });
    assert.deepEqual(await daysKept(), [5, 20]);
    // What is kept differently from its manifest is in the next copy of the catalog.
    await world.clock.advance(5_000);
    const copy = world.copies.at(-1) as { snapshots: { id: string }[] };
    assert.deepEqual(copy.snapshots.map((each) => each.id).toSorted(), [first.id, second.id].toSorted());
  });
});

test('snapshots of a removed item stay until their time is over, unless they are to go with it', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    await world.clock.leap(6 * HOUR_MS);
    await round(world);
    await world.clock.leap(18 * HOUR_MS); // hourly and daily
    await round(world);
    const { items: current } = await world.domain.schedules.get(name);
    const withoutHourly = { policies: [{ policyItems: current.slice(1) }] };
    const restored = await patch(world, name, withoutHourly);
    assert.equal((await snapshots(world, name)).length, 2);
    assert.equal(restored.items.length, 4);
    await patch(world, name, { policies: [{ policyItems: [...current.slice(1), { ...current[0], id: undefined }] }] });
    const { items: again } = await world.domain.schedules.get(name);
    await world.clock.leap(6 * HOUR_MS);
    await round(world);
    assert.equal((await snapshots(world, name)).length, 3);
    await patch(world, name, {
      policies: [{ policyItems: again.filter((item) => item.frequencyType !== 'hourly') }],
      deleteSnapshots: true,
    });
    // Only what belonged to the item that has just gone.
    assert.equal((await snapshots(world, name)).length, 2);
  });
});

test('scheduled snapshots go when their time is over, but not the last good one while newer ones fail', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    await world.clock.leap(6 * HOUR_MS);
    await round(world);
    const [good] = await snapshots(world, name);
    await world.clock.leap(6 * HOUR_MS);
    await scheduleDuty(world.context).run(never);
    await world.run();
    world.take(1).fail(new Error('the cluster is away'));
    await world.run();
    await world.clock.leap(30 * DAY_MS);
    const duty = expiryDuty(world.context);
    await duty.run(never);
    assert.ok((await snapshots(world, name)).some((each) => each.id === good?.id));
    await round(world);
    await duty.run(never);
    assert.ok(!(await snapshots(world, name)).some((each) => each.id === good?.id));
  });
});
