import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainWorld, inWorld, MemoryManifests } from '../../../test/support/domain-world.ts';
import { findApiKeyByPublicKey, ha1Context, insertApiKey } from '../../catalog/api-keys.ts';
import { writeCheckpointSchedule } from '../../catalog/checkpoint-schedules.ts';
import { Damage, Fault } from '../../lib/errors.ts';
import { rebuildCatalog } from './rebuild.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };

/** A world whose catalog is lost: the same repository, nothing else. */
async function afterLoss(lost: DomainWorld, encrypted: boolean): Promise<DomainWorld> {
  const world = await DomainWorld.open({ encrypted, clock: lost.clock, manifests: lost.manifests });
  world.copies.push(...lost.copies);
  return world;
}

const rebuild = async (world: DomainWorld) =>
  await rebuildCatalog(world.context, { manifests: world.manifests, catalogCopies: world.ports.catalogCopies });

async function withHistory(
  world: DomainWorld,
): Promise<{ name: Parameters<typeof world.domain.clusters.get>[0]; kept: string; changed: string; gone: string }> {
  const name = await world.withCluster();
  const organization = (await world.domain.organizations.list({ visibleTo: 'everything', page })).items[0];
  await world.catalog.transact(async (writer) => {
    await insertApiKey(writer, {
      id: 'b'.repeat(24),
      organizationId: organization?.id ?? '',
      publicKey: 'abcdefgh',
      sealedHa1: world.context.secretBox.seal('the ha1', ha1Context('b'.repeat(24))),
      privateKeyTail: '123456789012',
      description: 'test',
      createdAtMs: 1,
      deletedAtMs: null,
    });
  });
  world.startWorker();
  const kept = await world.takeWhole(name);
  const changed = await world.takeWhole(name);
  const gone = await world.takeWhole(name);
  await world.domain.snapshots.updateRetention({
    ...name,
    snapshotId: changed,
    retentionUnit: 'YEARS',
    retentionValue: 2,
  });
  await world.domain.snapshots.delete({ ...name, snapshotId: gone });
  await world.clock.advance(5_000);
  await world.worker?.stop();
  return { name, kept, changed, gone };
}

test('changes are copied to the repository, a burst of them once', async () => {
  await inWorld({}, async (world) => {
    world.startWorker();
    await world.withCluster();
    await world.clock.advance(5_000);
    assert.equal(world.copies.length, 1);
    await world.domain.organizations.create({ name: 'Another' });
    await world.clock.advance(5_000);
    assert.equal(world.copies.length, 2);
    await world.clock.advance(60_000);
    assert.equal(world.copies.length, 2);
  });
});

test('an encrypted repository gives the whole catalog back, secrets too', async () => {
  await inWorld({ encrypted: true }, async (lost) => {
    const { name, kept, changed, gone } = await withHistory(lost);
    const before = await lost.domain.snapshots.list({ ...name, page });
    const world = await afterLoss(lost, true);
    const report = await rebuild(world);
    assert.deepEqual([report.snapshots, report.clusters, report.apiKeys, report.damaged], [2, 1, 1, []]);
    const after = await world.domain.snapshots.list({ ...name, page });
    const comparable = (snapshots: typeof before) =>
      snapshots.items.map(({ requestedAtMs: _asked, startedAtMs: _started, taskId: _task, ...rest }) => rest);
    assert.deepEqual(
      comparable(after).toSorted((a, b) => (a.id < b.id ? 1 : -1)),
      comparable(before).toSorted((a, b) => (a.id < b.id ? 1 : -1)),
    );
    assert.deepEqual(after.items.map((item) => item.id).toSorted(), [kept, changed].toSorted());
    assert.ok(!after.items.some((item) => item.id === gone));
    const apiKey = await findApiKeyByPublicKey(world.catalog.reader, 'abcdefgh');
    assert.equal(world.context.secretBox.open(apiKey?.sealedHa1 ?? '', ha1Context('b'.repeat(24))), 'the ha1');
    world.startWorker();
    await world.domain.snapshots.take(name);
    await world.run();
    assert.match(world.take(0).request.uri, /backup:secret@/);
    assert.deepEqual(world.take(0).request.parent?.snapshotId, before.items[0]?.id);
    await world.close();
  });
});

test('a plain repository holds no secret: clusters are to be registered again, their snapshots are there', async () => {
  await inWorld({}, async (lost) => {
    const { name } = await withHistory(lost);
    assert.ok(!JSON.stringify(lost.copies).includes('secret@'));
    assert.ok(!JSON.stringify(lost.copies).includes('the ha1'));
    const world = await afterLoss(lost, false);
    const report = await rebuild(world);
    assert.deepEqual([report.apiKeys, report.clustersToRegister], [0, [{ projectId: name.projectId, name: 'shop' }]]);
    assert.equal((await world.domain.snapshots.list({ ...name, page })).totalCount, 2);
    await world.register(name.projectId, 'shop');
    assert.equal((await world.domain.snapshots.list({ ...name, page })).totalCount, 2);
    await world.close();
  });
});

test('schedules and the compliance policy come back, and bind as before', async () => {
  await inWorld({ encrypted: true }, async (lost) => {
    const { name } = await withHistory(lost);
    const policy = { authorizedEmail: 'auditor@example.com', restoreWindowDays: 3 };
    await lost.domain.compliancePolicies.put({ projectId: name.projectId, policy, overwrite: true, user: 'me' });
    await lost.domain.schedules.update({ ...name, patch: { referenceHour: 4, referenceMinute: 5 } });
    const before = await lost.domain.schedules.get(name);
    lost.startWorker();
    await lost.clock.advance(5_000);
    await lost.worker?.stop();
    const world = await afterLoss(lost, true);
    await rebuild(world);
    assert.deepEqual(await world.domain.schedules.get(name), before);
    assert.deepEqual(
      await world.domain.compliancePolicies.get(name.projectId),
      await lost.domain.compliancePolicies.get(name.projectId),
    );
    await assert.rejects(world.domain.schedules.delete(name), /compliance policy/);
    await world.close();
  });
});

test('manifests alone are enough, and a second rebuild changes nothing', async () => {
  await inWorld({}, async (lost) => {
    const { name } = await withHistory(lost);
    lost.copies.length = 0;
    const world = await afterLoss(lost, false);
    const first = await rebuild(world);
    assert.deepEqual(
      [first.copiedAt, first.organizations, first.projects, first.clusters, first.snapshots],
      [null, 1, 1, 1, 2],
    );
    assert.equal((await world.domain.snapshots.list({ ...name, page })).totalCount, 2);
    const second = await rebuild(world);
    assert.deepEqual([second.organizations, second.projects, second.clusters, second.snapshots], [0, 0, 0, 0]);
    await world.close();
  });
});

test('a deletion that was cut off is carried on', async () => {
  await inWorld({}, async (lost) => {
    const { name, gone } = await withHistory(lost);
    const facts = lost.manifests.facts.values().next().value;
    assert.ok(facts !== undefined);
    lost.manifests.facts.set(gone, { ...facts, header: { ...facts.header, snapshotId: gone } });
    const world = await afterLoss(lost, false);
    assert.equal((await rebuild(world)).snapshots, 2);
    assert.equal((await world.domain.snapshots.list({ ...name, page })).totalCount, 2);
    world.startWorker();
    await world.run();
    assert.ok(!world.manifests.facts.has(gone));
    await world.close();
  });
});

test('a manifest that cannot be read is named, the others are taken up', async () => {
  await inWorld({}, async (lost) => {
    const { kept } = await withHistory(lost);
    class DamagedManifests extends MemoryManifests {
      override async read(name: Parameters<MemoryManifests['read']>[0]) {
        if (name.snapshotId === kept) throw new Damage({ op: 'read', subject: kept, message: 'its hash is wrong' });
        return await super.read(name);
      }
    }
    const manifests = new DamagedManifests();
    for (const [id, facts] of lost.manifests.facts) manifests.facts.set(id, facts);
    const world = await DomainWorld.open({ clock: lost.clock, manifests });
    const report = await rebuild(world);
    assert.deepEqual([report.snapshots, report.damaged], [1, [{ snapshotId: kept, problem: 'its hash is wrong' }]]);
    await world.close();
  });
});

test('a copy of a version that is not known is refused', async () => {
  await inWorld({}, async (world) => {
    world.copies.push({ kind: 'catalog', version: 2 });
    await assert.rejects(rebuild(world), Fault);
  });
});

test('what is kept for good, the legacy schedule and private endpoints come back', async () => {
  await inWorld({}, async (lost) => {
    const { name, kept } = await withHistory(lost);
    const place = { projectId: name.projectId, cloudProvider: 'AWS' as const };
    await lost.domain.snapshots.updateExpiry({ ...name, snapshotId: kept, doNotDelete: true });
    await lost.domain.legacy.updateSchedule({ ...name, changes: { snapshotIntervalHours: 24 } });
    const { clusterId } = await lost.domain.legacy.schedule(name);
    const interval = { clusterId, intervalMinutes: 30, servedUntilMs: 7 };
    await lost.catalog.transact(async (writer) => await writeCheckpointSchedule(writer, interval));
    const endpoint = await lost.domain.privateEndpoints.create({ ...place, regionName: 'US_EAST_1' });
    lost.startWorker('copier');
    await lost.clock.advance(5_000);
    const world = await afterLoss(lost, false);
    try {
      await rebuild(world);
      await rebuild(world);
      assert.equal((await world.domain.snapshots.get({ ...name, snapshotId: kept })).doNotDelete, true);
      assert.equal((await world.domain.legacy.schedule(name)).snapshotIntervalHours, 24);
      assert.equal((await world.domain.legacy.schedule(name)).clusterCheckpointIntervalMin, 30);
      assert.deepEqual(await world.domain.privateEndpoints.get({ ...place, endpointId: endpoint.id }), endpoint);
    } finally {
      await world.close();
    }
  });
});
