import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operations } from '../../contract/operations.ts';
import { problemsOf } from '../../contract/validate.ts';
import { insertOrganization } from '../../src/catalog/organizations.ts';
import { insertProject } from '../../src/catalog/projects.ts';
import { scheduleDuty } from '../../src/domain/schedules/serve-due.ts';
import { sampleIds } from '../samples/rows.ts';
import { apiFixture } from '../support/api-fixture.ts';
import { type DomainWorld, inWorld } from '../support/domain-world.ts';

/**
 * The calls that the Atlas CLI and Terraform make about schedules and compliance policies, one by one, over the real
 * rules.
 */

const project = `/api/atlas/v2/groups/${sampleIds.project}`;
const schedule = `${project}/clusters/shop/backup/schedule`;
const policyPath = `${project}/backupCompliancePolicy`;

type Api = Awaited<ReturnType<typeof apiFixture>>;

async function inService(work: (api: Api, world: DomainWorld) => Promise<void>): Promise<void> {
  await inWorld({}, async (world) => {
    const createdAtMs = world.clock.nowMs();
    await world.catalog.transact(async (writer) => {
      await insertOrganization(writer, { id: sampleIds.organization, name: 'Acme', createdAtMs, settings: '{}' });
      const { organization: organizationId, project: id } = sampleIds;
      await insertProject(writer, { id, organizationId, name: 'Shop', createdAtMs, settings: '{}' });
    });
    await world.register(sampleIds.project, 'shop');
    await work(await apiFixture({ domain: world.domain }), world);
  });
}

/** The status and either the body or the error code, after holding a good answer to its schema. */
async function asked(
  api: Api,
  version: string,
  method: 'GET' | 'PATCH' | 'PUT' | 'DELETE',
  url: string,
  body?: object,
) {
  const response = await api.call(method, url, { version, ...(body === undefined ? {} : { body }) });
  if (response.statusCode >= 400) return { status: response.statusCode, code: response.json().errorCode, json: null };
  const path = url.split('?')[0];
  const [operation] = Object.values(operations).filter(
    (each) =>
      each.method === method &&
      each.path.replace('{groupId}', sampleIds.project).replace('{clusterName}', 'shop') === path,
  );
  const shape = operation?.versions.find((each) => each.date === version)?.response;
  if (shape === null || shape === undefined) return { status: response.statusCode, code: null, json: null };
  assert.deepEqual(problemsOf(shape, response.json()), [], response.body);
  return { status: response.statusCode, code: null, json: response.json() };
}

const itemOf = (frequencyType: string, frequencyInterval: number, retentionUnit: string, retentionValue: number) => ({
  frequencyType,
  frequencyInterval,
  retentionUnit,
  retentionValue,
});

test('atlas backups schedule describe, update and delete', async () => {
  await inService(async (api) => {
    // describe, and update with one flag: the old version, the read-only cluster name in the body.
    const described = await asked(api, '2023-01-01', 'GET', schedule);
    assert.equal(described.status, 200);
    assert.deepEqual(
      [described.json.policies.length, described.json.policies[0].policyItems.length, described.json.copySettings],
      [1, 5, []],
    );
    assert.ok(!('export' in described.json) && !('autoCopySettingsEnabled' in described.json));
    const renamed = { clusterName: 'shop', useOrgAndGroupNamesInExportPrefix: true };
    const updated = await asked(api, '2023-01-01', 'PATCH', schedule, renamed);
    assert.deepEqual(updated.json, { ...described.json, useOrgAndGroupNamesInExportPrefix: true });
    // --policy: the whole list back, one item replaced under its id.
    const [policy] = updated.json.policies;
    const [hourly, ...others] = policy.policyItems;
    const replaced = { ...hourly, retentionValue: 6 };
    const policies = [{ id: policy.id, policyItems: [replaced, ...others] }];
    const changed = await asked(api, '2023-01-01', 'PATCH', schedule, { clusterName: 'shop', policies });
    assert.deepEqual(changed.json.policies, policies);
    // One part of the reference time alone, as the CLI sends it for one flag.
    const half = await asked(api, '2023-01-01', 'PATCH', schedule, { referenceHourOfDay: 3 });
    assert.deepEqual([half.status, half.code], [400, 'INVALID_REFERENCE_TIME_OF_DAY_MISSING_FIELDS']);
    // delete speaks the newer version.
    const deleted = await asked(api, '2024-08-05', 'DELETE', schedule);
    assert.equal(deleted.status, 200);
    assert.deepEqual(deleted.json.policies, [{ id: policy.id, policyItems: [] }]);
    assert.ok(!('nextSnapshot' in deleted.json));
    assert.equal(deleted.json.referenceHourOfDay, described.json.referenceHourOfDay);
  });
});

test('mongodbatlas_cloud_backup_schedule: create, read, update, delete and import', async () => {
  await inService(async (api) => {
    // create: DELETE, GET, PATCH, GET.
    assert.equal((await asked(api, '2024-08-05', 'DELETE', schedule)).status, 200);
    const emptied = (await asked(api, '2024-08-05', 'GET', schedule)).json;
    const created = {
      policies: [
        {
          id: emptied.policies[0].id,
          policyItems: [
            itemOf('hourly', 12, 'days', 1),
            itemOf('daily', 1, 'days', 2),
            itemOf('weekly', 4, 'weeks', 3),
            itemOf('weekly', 6, 'weeks', 5),
            itemOf('monthly', 5, 'months', 4),
            itemOf('monthly', 40, 'months', 5),
            itemOf('yearly', 1, 'years', 1),
          ],
        },
      ],
      referenceHourOfDay: 3,
      referenceMinuteOfHour: 45,
      restoreWindowDays: 4,
      autoExportEnabled: false,
      export: null,
      updateSnapshots: true,
      copySettings: [],
    };
    const patched = await asked(api, '2024-08-05', 'PATCH', schedule, created);
    assert.equal(patched.status, 200);
    assert.ok(!('updateSnapshots' in patched.json));
    const read = (await asked(api, '2024-08-05', 'GET', schedule)).json;
    assert.deepEqual(read, patched.json);
    const items: { id: string }[] = read.policies[0].policyItems;
    assert.deepEqual(
      items.map(({ id: _, ...rest }) => rest),
      created.policies[0]?.policyItems,
    );
    assert.equal(new Set(items.map(({ id }) => id)).size, 7);
    // update: GET, PATCH with the known ids, GET.
    const [first, second] = items;
    const kept = { policies: [{ id: read.policies[0].id, policyItems: [{ ...first, frequencyInterval: 2 }, second] }] };
    const updated = await asked(api, '2024-08-05', 'PATCH', schedule, kept);
    assert.deepEqual(updated.json.policies, kept.policies);
    // No items configured: `policies` is sent as null and leaves them.
    const untouched = await asked(api, '2024-08-05', 'PATCH', schedule, { policies: null, restoreWindowDays: 5 });
    assert.deepEqual([untouched.json.policies, untouched.json.restoreWindowDays], [kept.policies, 5]);
    assert.equal((await asked(api, '2024-08-05', 'DELETE', schedule)).status, 200);
    assert.deepEqual((await asked(api, '2024-08-05', 'GET', schedule)).json.policies[0].policyItems, []);
  });
});

test('what is wrong with a schedule is said in the words of Atlas', async () => {
  await inService(async (api) => {
    const { policies } = (await asked(api, '2024-08-05', 'GET', schedule)).json;
    const [{ id, policyItems }] = policies;
    const unknown = 'f'.repeat(24);
    const cases: [object, string][] = [
      [{ policies: [] }, 'INVALID_NUM_OF_POLICIES'],
      [{ policies: [...policies, ...policies] }, 'INVALID_NUM_OF_POLICIES'],
      [{ policies: [{ id: unknown, policyItems }] }, 'INVALID_POLICY_ID'],
      [{ policies: [{ id, policyItems: [] }] }, 'INVALID_NUM_OF_POLICY_ITEMS'],
      [{ policies: [{ id, policyItems: [{ ...policyItems[0], id: unknown }] }] }, 'INVALID_POLICY_ITEM_ID'],
      [
        { policies: [{ policyItems: [{ ...policyItems[1], id: policyItems[0].id }] }] },
        'INVALID_FREQUENCY_TYPE_CHANGE',
      ],
      [{ policies: [{ policyItems: [{ frequencyType: 'daily' }] }] }, 'MISSING_POLICY_ITEM_PARAMETERS'],
      [{ policies: [{ policyItems: [itemOf('hourly', 3, 'days', 2)] }] }, 'INVALID_BACKUP_POLICY'],
      [{ policies: [{ policyItems: [itemOf('daily', 1, 'days', 0)] }] }, 'BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID'],
      [{ policies: [{ policyItems: [itemOf('daily', 1, 'decades', 2)] }] }, 'VALIDATION_ERROR'],
      [{ policies: [null] }, 'VALIDATION_ERROR'],
      [{ restoreWindowDays: 0 }, 'INVALID_RESTORE_WINDOW'],
      [{ referenceHourOfDay: 24, referenceMinuteOfHour: 0 }, 'INVALID_REFERENCE_HOUR_OF_DAY'],
      [{ referenceHourOfDay: 2, referenceMinuteOfHour: 60 }, 'INVALID_REFERENCE_MINUTE_OF_HOUR'],
      [{ autoExportEnabled: true }, 'VALIDATION_ERROR'],
      [{ autoExportEnabled: true, export: { exportBucketId: unknown, frequencyType: 'daily' } }, 'VALIDATION_ERROR'],
      [{ extraRetentionSettings: [{ frequencyType: 'DAILY', retentionDays: 3 }] }, 'VALIDATION_ERROR'],
      [{ copySettings: [{ cloudProvider: 'AWS', regionName: 'NOWHERE', zoneId: unknown }] }, 'VALIDATION_ERROR'],
    ];
    const before = (await asked(api, '2024-08-05', 'GET', schedule)).json;
    for (const [body, code] of cases) {
      for (const version of ['2023-01-01', '2024-08-05']) {
        const answer = await asked(api, version, 'PATCH', schedule, body);
        assert.deepEqual([answer.status, answer.code], [400, code], JSON.stringify(body));
      }
    }
    assert.deepEqual((await asked(api, '2024-08-05', 'GET', schedule)).json, before);
  });
});

test('a snapshot that the schedule takes is shown with the items that it counts for', async () => {
  await inService(async (api, world) => {
    world.startWorker();
    const { nextSnapshot, policies } = (await asked(api, '2024-08-05', 'GET', schedule)).json;
    await world.clock.leap(Date.parse(nextSnapshot) - world.clock.nowMs());
    await scheduleDuty(world.context).run(new AbortController().signal);
    await world.run();
    world.completeTake(0);
    await world.run();
    const listed = (await api.call('GET', `${project}/clusters/shop/backup/snapshots`)).json();
    const [snapshot] = listed.results;
    assert.deepEqual(
      [snapshot.snapshotType, snapshot.frequencyType, snapshot.policyItems, snapshot.status, listed.totalCount],
      ['scheduled', 'hourly', [policies[0].policyItems[0].id], 'completed', 1],
    );
  });
});

const enabling = {
  authorizedEmail: 'auditor@example.com',
  authorizedUserFirstName: 'Ada',
  authorizedUserLastName: 'Auditor',
  copyProtectionEnabled: false,
  encryptionAtRestEnabled: false,
  pitEnabled: false,
  projectId: sampleIds.project,
};

test('atlas backups compliancePolicy enable, then each command that reads it and sends it all back', async () => {
  await inService(async (api) => {
    const version = '2023-10-01';
    assert.deepEqual((await asked(api, version, 'GET', policyPath)).status, 404);
    const enabled = await asked(api, version, 'PUT', `${policyPath}?overwriteBackupPolicies=true`, enabling);
    assert.deepEqual([enabled.status, enabled.json.state], [200, 'ENABLING']);
    const { scheduledPolicyItems, onDemandPolicyItem, restoreWindowDays, deletable } = enabled.json;
    assert.deepEqual([scheduledPolicyItems, onDemandPolicyItem, restoreWindowDays, deletable], [[], null, 0, false]);
    // --watch
    const watched = await asked(api, version, 'GET', policyPath);
    assert.equal(watched.json.state, 'ACTIVE');
    // policies ondemand create, scheduled create, copyProtection enable: the whole document back, read-only fields too.
    const onDemand = { ...watched.json, onDemandPolicyItem: itemOf('ondemand', 0, 'days', 3) };
    const second = (await asked(api, version, 'PUT', policyPath, onDemand)).json;
    assert.deepEqual([second.state, second.onDemandPolicyItem.retentionValue], ['UPDATING', 3]);
    const weekly = { ...second, scheduledPolicyItems: [itemOf('weekly', 1, 'weeks', 6)] };
    const third = (await asked(api, version, 'PUT', policyPath, weekly)).json;
    assert.equal(third.scheduledPolicyItems[0].retentionValue, 6);
    assert.equal(third.onDemandPolicyItem.id, second.onDemandPolicyItem.id);
    const fourth = (await asked(api, version, 'PUT', policyPath, { ...third, copyProtectionEnabled: true })).json;
    assert.equal(fourth.scheduledPolicyItems[0].id, third.scheduledPolicyItems[0].id);
    // The cluster's schedule was raised, and what is rarer with it.
    const { policies } = (await asked(api, '2024-08-05', 'GET', schedule)).json;
    const raised = policies[0].policyItems.find((item: { frequencyType: string }) => item.frequencyType === 'weekly');
    assert.deepEqual([raised.retentionUnit, raised.retentionValue], ['weeks', 6]);
    // The older version lacks the names as required fields.
    const { authorizedUserFirstName: _first, ...unnamed } = fourth;
    assert.equal((await asked(api, version, 'PUT', policyPath, unnamed)).code, 'MISSING_ATTRIBUTE');
    assert.equal((await asked(api, '2023-01-01', 'PUT', policyPath, unnamed)).status, 200);
    assert.equal((await asked(api, '2023-01-01', 'GET', policyPath)).json.authorizedUserFirstName, 'Ada');
  });
});

test('mongodbatlas_backup_compliance_policy: create, update and a delete that is refused', async () => {
  await inService(async (api) => {
    const without = `${policyPath}?overwriteBackupPolicies=false`;
    const strict = { ...enabling, scheduledPolicyItems: [itemOf('daily', 1, 'days', 30)] };
    const refused = await asked(api, '2023-10-01', 'PUT', without, strict);
    assert.deepEqual(
      [refused.status, refused.code],
      [400, 'BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS'],
    );
    const met = { ...enabling, scheduledPolicyItems: [itemOf('daily', 1, 'days', 7)] };
    assert.equal((await asked(api, '2023-10-01', 'PUT', without, met)).status, 200);
    const read = await asked(api, '2023-10-01', 'GET', policyPath);
    assert.equal(read.json.scheduledPolicyItems.length, 1);
    const gone = await asked(api, '2024-11-13', 'DELETE', policyPath);
    assert.deepEqual([gone.status, gone.code], [400, 'CANNOT_DISABLE_BACKUP_COMPLIANCE_POLICY']);
    // Not even the organization's owner.
    const token = await api.tokenWith('ORG_OWNER');
    const owner = await api.call('DELETE', policyPath, { version: '2024-11-13', token });
    assert.equal(owner.statusCode, 400);
    const schedules = await api.call('DELETE', schedule, { version: '2024-08-05', token });
    assert.equal(schedules.json().errorCode, 'BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS');
  });
});

test('a policy of a project that has nothing yet can be weakened and disabled', async () => {
  await inWorld({}, async (world) => {
    const organization = await world.domain.organizations.create({ name: 'Acme' });
    const { id: projectId } = await world.domain.projects.create({ organizationId: organization.id, name: 'new' });
    const put = (change: object) =>
      world.domain.compliancePolicies.put({
        projectId,
        policy: { authorizedEmail: 'a@b.c', ...change },
        overwrite: true,
        user: 'u',
      });
    await put({ copyProtectionEnabled: true });
    assert.equal((await put({ copyProtectionEnabled: false })).deletable, true);
    await world.domain.compliancePolicies.disable(projectId);
    await assert.rejects(world.domain.compliancePolicies.get(projectId), /no backup compliance policy/);
  });
});
