import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect } from '../../../test/support/collect.ts';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { Damage } from '../../lib/errors.ts';
import type { ClusterName } from '../names.ts';
import type { SchedulePatch } from '../policies/schedule.ts';
import { Refusal } from '../refusals/refusals.ts';
import { rebuildCatalog } from '../repositories/rebuild.ts';
import { scheduleDuty } from '../schedules/serve-due.ts';
import { expiryDuty } from '../snapshots/expiry.ts';
import { copyExpiryDuty } from './copy-expiry.ts';

const nothing = { named: [], count: 0 };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const never = new AbortController().signal;
const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const zoneId = 'e'.repeat(24);

async function withCopies(
  patch: SchedulePatch,
  work: (world: DomainWorld, name: ClusterName) => Promise<void>,
): Promise<void> {
  await inWorld({ regions: ['EU_WEST_1', 'US_EAST_1'] }, async (world) => {
    const name = await world.withCluster();
    await world.domain.schedules.update({ ...name, patch });
    world.startWorker();
    await work(world, name);
  });
}

async function takeScheduled(world: DomainWorld): Promise<string> {
  await world.clock.leap(6 * HOUR_MS);
  await scheduleDuty(world.context).run(never);
  await world.run();
  const index = world.takes.length - 1;
  world.completeTake(index);
  await world.run();
  await world.run();
  return world.take(index).request.snapshotId;
}

async function expire(world: DomainWorld): Promise<void> {
  await expiryDuty(world.context).run(never);
  await copyExpiryDuty(world.context).run(never);
  await world.run();
}

/** What a rebuild makes of the repository, should the catalog be lost now. */
async function afterRebuild(lost: DomainWorld, work: (world: DomainWorld) => Promise<void>): Promise<void> {
  await inWorld(
    { clock: lost.clock, manifests: lost.manifests, regions: ['EU_WEST_1', 'US_EAST_1'] },
    async (world) => {
      world.copies.push(...lost.copies);
      await rebuildCatalog(world.context, { manifests: world.manifests, catalogCopies: world.ports.catalogCopies });
      await work(world);
    },
  );
}

const list = async (world: DomainWorld, name: ClusterName) =>
  (await world.domain.snapshots.list({ ...name, page })).items.map(({ id, copyRegions }) => [id, ...copyRegions]);

const hourlyOnly: SchedulePatch = { copySettings: [{ regionName: 'EU_WEST_1', zoneId, frequencies: ['HOURLY'] }] };

test('a snapshot of a frequency that a setting names is copied, others are not', async () => {
  await withCopies(hourlyOnly, async (world, name) => {
    const hourly = await takeScheduled(world);
    const onDemand = await world.takeWhole(name);
    assert.deepEqual(world.copiedTo, [`EU_WEST_1/${hourly}`]);
    assert.deepEqual(await list(world, name), [[onDemand], [hourly, 'EU_WEST_1']]);
  });
});

test('copies by frequency go with their snapshot, also when its time was changed', async () => {
  await withCopies(hourlyOnly, async (world, name) => {
    const snapshotId = await takeScheduled(world);
    await world.domain.snapshots.updateRetention({ ...name, snapshotId, retentionUnit: 'DAYS', retentionValue: 10 });
    await world.clock.leap(8 * DAY_MS);
    await expire(world);
    assert.deepEqual(await list(world, name), [[snapshotId, 'EU_WEST_1']]);
    await world.clock.leap(2 * DAY_MS);
    await expire(world);
    assert.deepEqual(await list(world, name), []);
    assert.deepEqual(world.copiedTo, []);
  });
});

test('copies with their own retention outlive their snapshot, are shown, and can be restored', async () => {
  const own = { frequencyType: 'hourly', retentionUnit: 'days' as const, retentionValue: 30 };
  const patch = {
    copyPolicyItemsEnabled: true,
    copySettings: [{ regionName: 'US_EAST_1', zoneId, copyPolicyItems: [own] }],
  };
  await withCopies(patch, async (world, name) => {
    const snapshotId = await takeScheduled(world);
    await world.clock.leap(8 * DAY_MS);
    await expire(world);
    assert.ok(!world.manifests.facts.has(snapshotId));
    assert.deepEqual(await list(world, name), [[snapshotId, 'US_EAST_1']]);
    await world.clock.advance(5_000);
    await afterRebuild(world, async (rebuilt) =>
      assert.deepEqual(
        await list(rebuilt, name),
        [[snapshotId, 'US_EAST_1']],
        'the catalog copy knows it, no manifest does',
      ),
    );
    const shown = await world.domain.snapshots.get({ ...name, snapshotId });
    assert.equal(shown.expiresAtMs - (shown.finishedAtMs ?? 0), 30 * DAY_MS);
    const keptLonger = { ...name, snapshotId, retentionUnit: 'DAYS' as const, retentionValue: 40 };
    await assert.rejects(world.domain.snapshots.updateRetention(keptLonger), refused('SNAPSHOT_NOT_FOUND'));
    await world.domain.restoreJobs.create({
      ...name,
      deliveryType: 'automated',
      snapshotId,
      targetProjectId: name.projectId,
      targetClusterName: name.clusterName,
    });
    await world.run();
    assert.equal(world.restore(0).request.regionName, 'US_EAST_1');
    world.restore(0).succeed({ documents: 1, bytes: 1, leftOut: nothing });
    await world.run();
    await world.clock.leap(30 * DAY_MS);
    await expire(world);
    assert.deepEqual([await list(world, name), world.copiedTo], [[], []]);
  });
});

test('a damaged original is restored from its copy, a sound one is not', async () => {
  await withCopies(hourlyOnly, async (world, name) => {
    const snapshotId = await takeScheduled(world);
    const request = {
      ...name,
      deliveryType: 'automated' as const,
      snapshotId,
      targetProjectId: name.projectId,
      targetClusterName: name.clusterName,
    };
    const { id: restoreJobId } = await world.domain.restoreJobs.create(request);
    await world.run();
    assert.equal(world.restore(0).request.regionName, undefined);
    world.restore(0).fail(new Damage({ op: 'read blob', subject: 'x', message: 'a blob is missing' }));
    await world.run();
    assert.equal(world.restore(1).request.regionName, 'EU_WEST_1');
    world.restore(1).succeed({ documents: 1, bytes: 1, leftOut: nothing });
    await world.run();
    assert.equal((await world.domain.restoreJobs.get({ ...name, restoreJobId })).state, 'completed');
  });
});

test('a damaged original is downloaded from its copy, from the beginning or from where it was lost', async () => {
  await withCopies(hourlyOnly, async (world, name) => {
    const snapshotId = await takeScheduled(world);
    const damage = new Damage({ op: 'read blob', subject: 'x', message: 'a blob is missing' });
    const sums = {
      sha1: '1'.repeat(40),
      leftOut: [],
      sha256: '2'.repeat(64),
      writer: 'test',
      replicaSetName: 'rs0',
      isShard: false,
    };
    const { id: restoreJobId } = await world.domain.restoreJobs.create({
      ...name,
      deliveryType: 'download',
      snapshotId,
    });
    await world.run();
    assert.equal(world.preparation(0).request.regionName, undefined);
    world.preparation(0).fail(damage);
    await world.run();
    assert.equal(world.preparation(1).request.regionName, 'EU_WEST_1');
    world.preparation(1).succeed([{ ...sums, bytes: 10 }]);
    await world.run();
    const job = await world.domain.restoreJobs.get({ ...name, restoreJobId });
    const [, , token = '', fileName = ''] = job.downloads[0]?.path?.split('/') ?? [];
    // The original was mended meanwhile, and now it is the copy that is lost.
    const asked: (string | undefined)[] = [];
    world.readFile = async function* ({ regionName }) {
      asked.push(regionName);
      yield Buffer.from('0123');
      if (regionName !== undefined) throw damage;
      yield Buffer.from('45678');
      yield Buffer.from('9');
    };
    const { stream } = await world.domain.downloads.open({ token, fileName });
    const { bytes, end } = await stream({ from: 2, to: 10, stop: new AbortController() });
    assert.equal(Buffer.concat(await collect(bytes)).toString(), '23456789');
    await end(true);
    assert.deepEqual(asked, ['EU_WEST_1', undefined]);
  });
});

test('what a copy has not either, and a damaged slice of the oplog, is not looked for elsewhere for ever', async () => {
  await withCopies(hourlyOnly, async (world, name) => {
    const snapshotId = await takeScheduled(world);
    const attempt = async (error: Damage, preparations: number) => {
      const before = world.preparations.length;
      const { id } = await world.domain.restoreJobs.create({ ...name, deliveryType: 'download', snapshotId });
      for (let n = 0; n < preparations; n++) {
        await world.run();
        world.preparation(before + n).fail(error);
      }
      await world.run();
      assert.equal(world.preparations.length - before, preparations);
      assert.equal((await world.domain.restoreJobs.get({ ...name, restoreJobId: id })).failureReason, error.message);
    };
    await attempt(new Damage({ op: 'read blob', subject: 'x', message: 'a blob is missing' }), 2);
    await attempt(new Damage({ op: 'read slice', subject: 'x', message: 'a slice is missing' }), 1);
  });
});

test('only so many of the newest are kept', async () => {
  const patch = { copySettings: [{ regionName: 'EU_WEST_1', zoneId, lastNumberOfSnapshots: 2 }] };
  await withCopies(patch, async (world) => {
    const taken: string[] = [];
    for (let count = 0; count < 3; count++) taken.push(await takeScheduled(world));
    assert.deepEqual(
      world.copiedTo.toSorted(),
      taken.slice(1).map((id) => `EU_WEST_1/${id}`),
    );
  });
});

test('who deletes a snapshot deletes its copies', async () => {
  await withCopies(hourlyOnly, async (world, name) => {
    const snapshotId = await takeScheduled(world);
    await world.domain.snapshots.delete({ ...name, snapshotId });
    await world.run();
    assert.deepEqual([await list(world, name), world.copiedTo], [[], []]);
  });
});

test('a copy that is deleted while it is made leaves nothing', async () => {
  await withCopies(hourlyOnly, async (world, name) => {
    const held = Promise.withResolvers<void>();
    world.beforeCopy = () => held.promise;
    const snapshotId = await takeScheduled(world);
    await world.domain.snapshots.delete({ ...name, snapshotId });
    held.resolve();
    await world.run();
    await world.run();
    assert.deepEqual([await list(world, name), world.copiedTo], [[], []]);
  });
});

test('copies of a removed setting stay until they are ordered to go', async () => {
  await withCopies(hourlyOnly, async (world, name) => {
    await takeScheduled(world);
    const { domain } = world;
    const gone = [{ regionName: 'EU_WEST_1' }];
    const update = (patch: SchedulePatch) => domain.schedules.update({ ...name, patch });
    await assert.rejects(update({ deleteCopiedBackups: gone }), refused('VALIDATION_ERROR'));
    await update({ copySettings: [] });
    await world.run();
    assert.equal(world.copiedTo.length, 1);
    await update({ deleteCopiedBackups: gone });
    await world.run();
    assert.deepEqual(world.copiedTo, []);
  });
});

test('a policy that protects copies keeps them from being removed', async () => {
  await withCopies(hourlyOnly, async (world, name) => {
    await takeScheduled(world);
    const policy = { authorizedEmail: 'a@b.c', copyProtectionEnabled: true };
    await world.domain.compliancePolicies.put({ projectId: name.projectId, policy, overwrite: true, user: 'u' });
    const patch = { copySettings: [], deleteCopiedBackups: [{ regionName: 'EU_WEST_1' }] };
    await assert.rejects(
      world.domain.schedules.update({ ...name, patch }),
      refused('CANNOT_DELETE_COPY_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY_ENABLED'),
    );
    assert.equal((await world.domain.schedules.get(name)).copySettings.length, 1);
  });
});

test('copy settings that are refused', async () => {
  await withCopies({}, async (world, name) => {
    const item = { frequencyType: 'daily', retentionUnit: 'days' as const, retentionValue: 3 };
    const setting = { regionName: 'EU_WEST_1', zoneId, frequencies: ['DAILY' as const] };
    const cases: SchedulePatch[] = [
      { copySettings: [{ ...setting, regionName: 'MARS' }] },
      { copySettings: [setting, setting] },
      { copySettings: [{ ...setting, zoneId: undefined }] },
      { copySettings: [{ ...setting, shouldCopyOplogs: true }] },
      { copySettings: [{ ...setting, frequencies: [] }] },
      { copySettings: [{ ...setting, lastNumberOfSnapshots: 3 }] },
      { copySettings: [{ ...setting, frequencies: [], lastNumberOfSnapshots: 501 }] },
      { copySettings: [{ ...setting, copyPolicyItems: [item] }] },
      { copyPolicyItemsEnabled: true, copySettings: [setting] },
      { copyPolicyItemsEnabled: true, copySettings: [{ ...setting, frequencies: [], copyPolicyItems: [item, item] }] },
      { updateCopySnapshots: true },
      { deleteCopySnapshots: true },
    ];
    for (const patch of cases)
      await assert.rejects(
        world.domain.schedules.update({ ...name, patch }),
        refused('VALIDATION_ERROR'),
        JSON.stringify(patch),
      );
  });
});

test('copies follow changed copy items when that is ordered', async () => {
  const item = { frequencyType: 'hourly', retentionUnit: 'days' as const, retentionValue: 30 };
  const setting = (retentionValue: number) => ({
    regionName: 'US_EAST_1',
    zoneId,
    copyPolicyItems: [{ ...item, retentionValue }],
  });
  await withCopies({ copyPolicyItemsEnabled: true, copySettings: [setting(30)] }, async (world, name) => {
    await takeScheduled(world);
    const update = (patch: SchedulePatch) => world.domain.schedules.update({ ...name, patch });
    await update({ copySettings: [setting(2)], updateCopySnapshots: true });
    await world.clock.leap(3 * DAY_MS);
    await expire(world);
    assert.deepEqual(world.copiedTo, []);
    const other = { ...setting(2), copyPolicyItems: [{ ...item, frequencyType: 'yearly' }] };
    await update({ copySettings: [setting(30)] });
    await takeScheduled(world);
    assert.equal(world.copiedTo.length, 1);
    await update({ copySettings: [other], deleteCopySnapshots: true });
    // The next snapshot is being taken, from this one on: it ends first.
    world.completeTake(world.takes.length - 1);
    await world.clock.advance(6_000);
    assert.deepEqual(world.copiedTo, []);
  });
});
