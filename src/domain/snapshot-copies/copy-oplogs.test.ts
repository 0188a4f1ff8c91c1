import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { Fault } from '../../lib/errors.ts';
import type { ClusterName } from '../names.ts';
import type { SchedulePatch } from '../policies/schedule.ts';
import { Refusal } from '../refusals/refusals.ts';
import { copyOplogsDuty } from './copy-oplogs-task.ts';

const never = new AbortController().signal;
const zoneId = 'e'.repeat(24);
const setting = { regionName: 'EU_WEST_1', zoneId, frequencies: ['HOURLY' as const], shouldCopyOplogs: true };
const both: SchedulePatch = { copySettings: [setting, { ...setting, regionName: 'US_EAST_1' }] };

async function withOplogCopies(
  patch: SchedulePatch,
  work: (world: DomainWorld, name: ClusterName) => Promise<void>,
): Promise<void> {
  await inWorld({ regions: ['EU_WEST_1', 'US_EAST_1'] }, async (world) => {
    const name = await world.withCluster();
    world.startWorker();
    await world.domain.clusters.update({ ...name, change: { pitEnabled: true } });
    await world.domain.schedules.update({ ...name, patch });
    await look(world);
    await work(world, name);
  });
}

async function look(world: DomainWorld): Promise<void> {
  await copyOplogsDuty(world.context).run(never);
  await world.run();
}

const later = async (world: DomainWorld) => {
  await world.clock.advance(60_000);
  await world.run();
};

const copied = (world: DomainWorld) => [...world.oplogsCopiedTo.keys()];

test('a setting that asks for it has the oplog in its region, kept up to date by one task', async () => {
  await withOplogCopies({ copySettings: [setting] }, async (world, name) => {
    assert.deepEqual(copied(world), ['EU_WEST_1/rs0']);
    assert.equal((await world.domain.schedules.get(name)).copySettings[0]?.shouldCopyOplogs, true);
    world.oplogsCopiedTo.clear();
    await look(world);
    assert.deepEqual(copied(world), [], 'not before its time');
    await later(world);
    assert.deepEqual(copied(world), ['EU_WEST_1/rs0']);
  });
});

test('a region that fails keeps no other waiting, and is tried again', async () => {
  await withOplogCopies({}, async (world, name) => {
    world.beforeOplogCopy = async (region) => {
      if (region === 'EU_WEST_1') throw new Fault({ op: 'put', subject: 'x', message: 'away', retryable: true });
    };
    await world.domain.schedules.update({ ...name, patch: both });
    await look(world);
    assert.deepEqual(copied(world), ['US_EAST_1/rs0']);
    world.beforeOplogCopy = async () => {};
    for (let tries = 0; tries < 5 && copied(world).length < 2; tries++) await later(world);
    assert.deepEqual(copied(world).toSorted(), ['EU_WEST_1/rs0', 'US_EAST_1/rs0']);
  });
});

for (const [what, change] of [
  [
    'the setting says so no more',
    async (world, name) => {
      await world.domain.schedules.update({
        ...name,
        patch: { copySettings: [{ ...setting, shouldCopyOplogs: false }] },
      });
    },
  ],
  [
    'the setting is removed',
    async (world, name) => {
      await world.domain.schedules.update({ ...name, patch: { copySettings: [] } });
    },
  ],
  [
    'continuous backup is switched off',
    async (world, name) => {
      await world.domain.clusters.update({ ...name, change: { pitEnabled: false } });
    },
  ],
] satisfies [string, (world: DomainWorld, name: ClusterName) => Promise<void>][]) {
  test(`when ${what} the copied oplog goes`, async () => {
    await withOplogCopies({ copySettings: [setting] }, async (world, name) => {
      await change(world, name);
      await later(world);
      assert.deepEqual(copied(world), []);
      await look(world);
      await later(world);
      assert.deepEqual(copied(world), []);
    });
  });
}

test('a policy that protects copies protects those of the oplog', async () => {
  await withOplogCopies({ copySettings: [setting] }, async (world, name) => {
    const policy = { authorizedEmail: 'a@b.c', copyProtectionEnabled: true };
    await world.domain.compliancePolicies.put({ projectId: name.projectId, policy, overwrite: true, user: 'u' });
    const settings = [[], [{ ...setting, shouldCopyOplogs: false }]];
    for (const copySettings of settings)
      await assert.rejects(
        world.domain.schedules.update({ ...name, patch: { copySettings } }),
        (error) =>
          error instanceof Refusal &&
          error.code === 'CANNOT_DELETE_COPY_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY_ENABLED',
      );
    await later(world);
    assert.deepEqual(copied(world), ['EU_WEST_1/rs0']);
  });
});

test('there is no oplog to copy without continuous backup', async () => {
  await inWorld({ regions: ['EU_WEST_1'] }, async (world) => {
    const name = await world.withCluster();
    const update = world.domain.schedules.update({ ...name, patch: { copySettings: [setting] } });
    await assert.rejects(update, (error) => error instanceof Refusal && /needs continuous backup/.test(error.message));
  });
});
