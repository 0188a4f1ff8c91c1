import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { withExportBucket } from '../../../test/support/export-bucket.ts';
import { writeCheckpointSchedule } from '../../catalog/checkpoint-schedules.ts';
import { insertCheckpoint } from '../../catalog/checkpoints.ts';
import { insertExportComponents } from '../../catalog/export-jobs.ts';
import type { Tables } from '../../catalog/schema.ts';
import { sqliteColumns } from '../../catalog/sqlite.ts';
import { tables } from '../../catalog/tables.ts';
import { hasQueuedTask } from '../../catalog/tasks.ts';
import { must } from '../../lib/assert.ts';
import { scheduleDuty } from '../schedules/serve-due.ts';
import { copyExpiryDuty } from '../snapshot-copies/copy-expiry.ts';
import { expiryDuty } from '../snapshots/expiry.ts';
import { collectCatalogCopy } from './catalog-copy.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const never = new AbortController().signal;
const regions = ['US_EAST_1'];
const own = { frequencyType: 'hourly', retentionUnit: 'days' as const, retentionValue: 30 };
const copied = {
  copyPolicyItemsEnabled: true,
  copySettings: [{ regionName: 'US_EAST_1', zoneId: 'e'.repeat(24), copyPolicyItems: [own] }],
};

type Table = keyof Tables;
type Row = Record<string, string | number | null>;

async function copyNow(world: DomainWorld): Promise<string> {
  return JSON.stringify({ ...(await collectCatalogCopy(world.context, { withSecrets: false })), copiedAt: '' });
}

/** No copy waits. */
async function forgetCopies({ catalog }: DomainWorld): Promise<void> {
  await catalog.transact(async (writer) => {
    await writer.deleteFrom('tasks').where('kind', '=', 'copyCatalog').execute();
  });
}

const copyWaits = async ({ catalog }: DomainWorld) => await hasQueuedTask(catalog.reader, 'copyCatalog');

/** A row at least in every table that is copied. */
async function fill(world: DomainWorld): Promise<void> {
  const { domain, catalog } = world;
  const name = await world.withCluster();
  const { projectId } = name;
  const { organizationId } = await domain.projects.get(projectId);
  const place = { organizationId };
  const roleNames = ['ORG_OWNER'];
  await domain.apiKeys.create({ place, description: 'test', roleNames });
  await domain.serviceAccounts.create({ place, name: 'a', description: 'b', roleNames, secretExpiresAfterHours: 8 });
  await domain.accessLists.add({ owner: { kind: 'project', id: projectId }, entries: [{ ipAddress: '192.0.2.1' }] });
  await domain.privateEndpoints.create({ projectId, cloudProvider: 'AWS', regionName: 'US_EAST_1' });
  await domain.cloudProviderAccess.create({ projectId, cloudProvider: 'AWS' });
  const exportBucketId = await withExportBucket(world, projectId);
  await domain.schedules.update({ ...name, patch: copied });
  await domain.legacy.updateSchedule({ ...name, changes: { snapshotRetentionDays: 3 } });
  const { id: clusterId } = await domain.clusters.get(name);
  const interval = { clusterId, intervalMinutes: 30, servedUntilMs: 7 };
  await catalog.transact(async (writer) => await writeCheckpointSchedule(writer, interval));
  world.startWorker();
  const snapshotId = await takeScheduled(world);
  await domain.exportJobs.create({ ...name, snapshotId, exportBucketId, customData: [] });
  const target = { targetProjectId: projectId, targetClusterName: name.clusterName };
  await domain.restoreJobs.create({ ...name, deliveryType: 'automated', snapshotId, ...target });
  await world.run();
  must(world.exports[0], 'an export').succeed({ collections: 1 });
  world.restore(0).succeed({ documents: 1, bytes: 1, leftOut: { named: [], count: 0 } });
  await world.run();
  await catalog.transact(async (writer) => {
    const [id, atMs] = [world.context.ids.next(), world.clock.nowMs()];
    const checkpoint = {
      id,
      clusterId,
      startedAtMs: atMs,
      completedAtMs: atMs,
      timestampMs: atMs,
      restorable: 1 as const,
    };
    const part = { checkpointId: id, position: 0, replicaSetName: 'rs0', shardName: 's0', tokenDiscovered: 1 as const };
    await insertCheckpoint(writer, { ...checkpoint, state: 'completed' }, [
      { ...part, typeName: 'REPLICA_SET', tokenSeconds: 1, tokenIncrement: 2 },
    ]);
    const [job] = await writer.selectFrom('exportJobs').select('id').execute();
    const exportJobId = must(job, 'an export job').id;
    await insertExportComponents(writer, [{ exportJobId, position: 0, exportId: id, replicaSetName: 'rs0' }]);
  });
  const onDemandPolicyItem = { retentionUnit: 'days' as const, retentionValue: 1 };
  const policy = { authorizedEmail: 'auditor@example.com', onDemandPolicyItem };
  await domain.compliancePolicies.put({ projectId, policy, overwrite: true, user: 'me' });
  await world.worker?.stop();
}

async function takeScheduled(world: DomainWorld): Promise<string> {
  await world.clock.leap(24 * HOUR_MS);
  await scheduleDuty(world.context).run(never);
  await world.run();
  const index = world.takes.length - 1;
  world.completeTake(index);
  await world.run();
  await world.run();
  return world.take(index).request.snapshotId;
}

/** Sets a column of the first row; false where the tables forbid that value. */
async function set({ catalog }: DomainWorld, table: Table, key: Row, change: Row): Promise<boolean> {
  try {
    await catalog.transact(async (writer) => {
      // The tables are gone through by name here, which the types of queries are not made for.
      let update = writer.updateTable(table as 'settings').set(change);
      for (const [column, value] of Object.entries(key)) update = update.where(column as 'name', '=', String(value));
      await update.execute();
    });
    return true;
  } catch (error) {
    assert.match(String(error), /constraint failed/);
    return false;
  }
}

const camelCase = (column: string) => column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function other(value: string | number | null): string | number {
  if (typeof value === 'number') return value === 0 ? 1 : value - 1;
  if (value === 'completed') return 'failed';
  return value === null ? 1 : value.replace(/^(\[\]|\{\})$/, '[1]').replace(/^[^[{].*$/, '$&x');
}

test('the verdict on every column of every table is what the copy says of it', async () => {
  await inWorld({ regions }, async (world) => {
    await fill(world);
    for (const [name, verdict] of Object.entries(tables)) {
      const table = name as Table;
      const row: Row | undefined = await world.catalog.reader
        .selectFrom(table as 'settings')
        .selectAll()
        .limit(1)
        .executeTakeFirst();
      if (row === undefined) {
        assert.equal(verdict.copied, 'no', `${table} has a row`);
        continue;
      }
      // A row keeps its id, and what it belongs to.
      const kept = verdict.copied === 'columns' ? ['id', 'clusterId'] : [];
      for (const column of (await sqliteColumns(world.catalog.reader, snakeCase(table))).map(camelCase)) {
        if (kept.includes(column)) continue;
        const value = must(row[column] === undefined ? undefined : { is: row[column] }, column).is;
        const key = Object.fromEntries(
          Object.entries(row).filter(([name, at]) => name !== column && typeof at === 'string'),
        );
        await forgetCopies(world);
        const before = await copyNow(world);
        if (!(await set(world, table, key, { [column]: other(value) }))) continue;
        const changed = (await copyNow(world)) !== before;
        const waits = await copyWaits(world);
        await set(world, table, key, { [column]: value });
        assert.equal(await copyNow(world), before, `${table}.${column} is set back`);
        const left = 'but' in verdict && (verdict.but as readonly string[]).includes(column);
        if (left) assert.ok(!waits, `${table}.${column} alone asks for no copy`);
        else assert.ok(waits || !changed, `${table}.${column} is copied and asks for no copy`);
        if (verdict.copied === 'no') assert.ok(!waits, `${table} is not copied and asks for a copy`);
      }
    }
  });
});

/** What the domain does asks for a copy each time, and the copy that is made ends it. */
async function asksForCopy(world: DomainWorld, what: string, work: () => Promise<unknown>): Promise<void> {
  await forgetCopies(world);
  const before = await copyNow(world);
  await work();
  assert.notEqual(await copyNow(world), before, `${what} changes the copy`);
  assert.ok(await copyWaits(world), `${what} asks for a copy`);
}

test('a schedule made on first read, the expiry of a copy, a deletion of copies alone ask for a copy', async () => {
  await inWorld({ regions }, async (world) => {
    const name = await world.withCluster();
    await world.catalog.transact(async (writer) => {
      await writer.deleteFrom('policyItems').execute();
      await writer.deleteFrom('schedules').execute();
    });
    await asksForCopy(world, 'a schedule made on first read', async () => await world.domain.schedules.get(name));
    await world.domain.schedules.update({ ...name, patch: copied });
    const worker = world.startWorker();
    const deleted = await takeScheduled(world);
    const expiring = await takeScheduled(world);
    await world.clock.leap(10 * DAY_MS);
    await expiryDuty(world.context).run(never);
    await world.run();
    await world.run();
    await worker.stop();
    const shown = await world.domain.snapshots.list({
      ...name,
      page: { pageNum: 1, itemsPerPage: 9, includeCount: false },
    });
    assert.deepEqual(shown.items.map(({ id }) => id).sort(), [deleted, expiring].sort());
    await asksForCopy(
      world,
      'a deletion of copies alone',
      async () => await world.domain.snapshots.delete({ ...name, snapshotId: deleted }),
    );
    await world.clock.leap(40 * DAY_MS);
    await asksForCopy(world, 'the expiry of a copy', async () => await copyExpiryDuty(world.context).run(never));
  });
});

test('the making of a copy, and what only was looked at, ask for none', async () => {
  await inWorld({ regions }, async (world) => {
    await fill(world);
    const worker = world.startWorker();
    await world.clock.advance(10_000);
    const made = world.copies.length;
    await world.clock.advance(60_000);
    assert.equal(world.copies.length, made);
    await worker.stop();
    const [projectId] = (await world.catalog.reader.selectFrom('projects').select('id').execute()).map(({ id }) => id);
    await world.domain.clusters.get({ projectId: must(projectId, 'there is a project'), clusterName: 'shop' });
    assert.ok(!(await copyWaits(world)));
  });
});

test('a write that changes no row, and one that is rolled back, ask for none', async () => {
  await inWorld({}, async (world) => {
    await world.withCluster();
    await forgetCopies(world);
    await world.catalog.transact(async (writer) => {
      await writer.deleteFrom('accessListEntries').execute();
      await writer.updateTable('projects').set({ name: 'another' }).where('id', '=', 'none').execute();
    });
    const rollBack = async (): Promise<void> =>
      await world.catalog.transact(async (writer) => {
        await writer.updateTable('projects').set({ name: 'another' }).execute();
        throw new Error('rolled back');
      });
    await assert.rejects(rollBack, /rolled back/);
    assert.ok(!(await copyWaits(world)));
  });
});
