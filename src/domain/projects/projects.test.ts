import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld } from '../../../test/support/domain-world.ts';
import { rolesOfPrincipal } from '../../catalog/role-assignments.ts';
import { Refusal } from '../refusals/refusals.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

test('a project is made with its owner, changed in parts, and its name is its own', async () => {
  await inWorld({}, async ({ domain, catalog }) => {
    const { id: organizationId } = await domain.organizations.create({ name: 'Acme' });
    const owner = { kind: 'apiKey', id: 'a'.repeat(24) } as const;
    const made = await domain.projects.create({ organizationId, name: 'Shop', owner });
    const [role] = await rolesOfPrincipal(catalog.reader, 'apiKey', owner.id);
    assert.deepEqual([role?.roleName, role?.projectId], ['GROUP_OWNER', made.id]);
    await domain.projects.create({ organizationId, name: 'Lab' });
    await assert.rejects(domain.projects.create({ organizationId, name: 'Shop' }), refused('GROUP_ALREADY_EXISTS'));
    await assert.rejects(domain.projects.create({ organizationId, name: 'a#b' }), refused('VALIDATION_ERROR'));
    const { update, get } = domain.projects;
    await assert.rejects(update({ projectId: made.id, name: 'Lab' }), refused('GROUP_ALREADY_EXISTS'));
    await update({ projectId: made.id, name: 'Store', settings: { switches: { isDataExplorerEnabled: true } } });
    await update({ projectId: made.id, settings: { managedSlowMs: true, switches: { isSchemaAdvisorEnabled: true } } });
    const changed = await get(made.id);
    assert.equal(changed.name, 'Store');
    assert.deepEqual(changed.settings, {
      managedSlowMs: true,
      switches: { isDataExplorerEnabled: true, isSchemaAdvisorEnabled: true },
    });
  });
});

test('a project goes only when it holds nothing: no cluster, and no backup that was kept', async () => {
  await inWorld({}, async (world) => {
    const { domain } = world;
    const name = await world.withCluster();
    const { projectId } = name;
    world.startWorker();
    const snapshotId = await world.takeWhole(name);
    await assert.rejects(domain.projects.delete(projectId), refused('CANNOT_CLOSE_GROUP_ACTIVE_ATLAS_CLUSTERS'));
    await domain.clusters.terminate({ ...name, retainBackups: true });
    await assert.rejects(domain.projects.delete(projectId), refused('CANNOT_CLOSE_GROUP_ACTIVE_BACKUPS'));
    await domain.snapshots.delete({ ...name, snapshotId });
    const { name: projectName, organizationId } = await domain.projects.get(projectId);
    await domain.projects.delete(projectId);
    await assert.rejects(domain.projects.get(projectId), refused('GROUP_NOT_FOUND'));
    await assert.rejects(domain.projects.getByName(projectName), refused('GROUP_NAME_NOT_FOUND'));
    await assert.rejects(domain.projects.delete(projectId), refused('GROUP_NOT_FOUND'));
    assert.equal((await domain.projects.list({ visibleTo: 'everything', page })).totalCount, 0);
    await domain.projects.create({ organizationId, name: projectName });
  });
});

test('settings of an organization are changed in parts and within bounds', async () => {
  await inWorld({}, async ({ domain }) => {
    const { id } = await domain.organizations.create({ name: 'Acme' });
    assert.deepEqual(await domain.organizations.settings(id), {});
    await domain.organizations.updateSettings(id, { apiAccessListRequired: true });
    await domain.organizations.updateSettings(id, { maxServiceAccountSecretValidityInHours: 24 });
    assert.deepEqual(await domain.organizations.settings(id), {
      apiAccessListRequired: true,
      maxServiceAccountSecretValidityInHours: 24,
    });
    for (const maxServiceAccountSecretValidityInHours of [7, 8761]) {
      const change = { maxServiceAccountSecretValidityInHours };
      await assert.rejects(domain.organizations.updateSettings(id, change), refused('VALIDATION_ERROR'));
    }
  });
});
