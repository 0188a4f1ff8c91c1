import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { withExportBucket } from '../../../test/support/export-bucket.ts';
import type { ClusterName } from '../names.ts';
import { scheduleDuty } from '../schedules/serve-due.ts';

const HOUR_MS = 3_600_000;
const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };

async function serveDue(world: DomainWorld): Promise<void> {
  await scheduleDuty(world.context).run(new AbortController().signal);
  await world.run();
  world.completeTake(world.takes.length - 1);
  await world.run();
  for (const one of world.exports) one.succeed({ collections: 1 });
  await world.run();
}

const exported = async (world: DomainWorld, name: ClusterName): Promise<string[]> =>
  (await world.domain.exportJobs.list({ ...name, page })).items.map((job) => job.snapshotId);

test('every scheduled snapshot of the frequency is exported, also one that shows another', async () => {
  await inWorld({}, async (world) => {
    const name = await world.withCluster();
    const exportBucketId = await withExportBucket(world, name.projectId);
    world.startWorker();
    const patch = { autoExportEnabled: true, export: { exportBucketId, frequencyType: 'daily' as const } };
    const schedule = await world.domain.schedules.update({ ...name, patch });
    assert.deepEqual([schedule.autoExportEnabled, schedule.export?.frequencyType], [true, 'daily']);
    await world.takeWhole(name);
    await world.clock.leap(6 * HOUR_MS);
    await serveDue(world);
    assert.deepEqual(await exported(world, name), [], 'neither one on demand nor an hourly one');
    await world.clock.leap(18 * HOUR_MS);
    await serveDue(world);
    for (let day = 2; day <= 7; day++) {
      await world.clock.leap(24 * HOUR_MS);
      await serveDue(world);
    }
    const days = (await world.domain.snapshots.list({ ...name, page })).items.slice(0, 7);
    assert.ok(
      days.some((snapshot) => snapshot.frequencyType === 'weekly'),
      'one of the seven days was also due weekly',
    );
    assert.deepEqual(
      (await exported(world, name)).toSorted(),
      days.map((snapshot) => snapshot.id).toSorted(),
      'and is exported as a daily one too',
    );
    assert.deepEqual(world.exports[0]?.request.completed.customData, []);

    await world.domain.schedules.update({ ...name, patch: { autoExportEnabled: false } });
    await world.clock.leap(24 * HOUR_MS);
    await serveDue(world);
    assert.equal((await exported(world, name)).length, 7);
  });
});
