import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Caller,
  type OrganizationRole,
  type ProjectRole,
  roleNamed,
  rolesInOrganization,
  rolesInProject,
  visibleOrganizations,
  visibleProjects,
} from './roles.ts';

const home = { projectId: 'p1', organizationId: 'o1' };

function callerWith(...roles: (ProjectRole | OrganizationRole)[]): Caller {
  return {
    kind: 'apiKey',
    id: 'k1',
    name: 'abcdefgh',
    organizationId: 'o1',
    roles: roles.map((role) =>
      role.startsWith('ORG_')
        ? { role: role as OrganizationRole, organizationId: 'o1', projectId: null }
        : { role: role as ProjectRole, projectId: 'p1', organizationId: null },
    ),
  };
}

const backupRoles: ProjectRole[] = [
  'GROUP_READ_ONLY',
  'GROUP_BACKUP_MANAGER',
  'GROUP_BACKUP_CREATOR',
  'GROUP_BACKUP_EXPORT_OPERATOR',
  'GROUP_BACKUP_RECOVERY_OPERATOR',
];

test('what a role brings in its project', () => {
  const table: [(ProjectRole | OrganizationRole)[], ProjectRole[], ProjectRole[]][] = [
    [['GROUP_READ_ONLY'], ['GROUP_READ_ONLY'], ['GROUP_BACKUP_CREATOR', 'GROUP_OWNER', 'GROUP_BACKUP_MANAGER']],
    [['GROUP_BACKUP_CREATOR'], ['GROUP_READ_ONLY', 'GROUP_BACKUP_CREATOR'], ['GROUP_BACKUP_MANAGER']],
    [['GROUP_BACKUP_RECOVERY_OPERATOR'], ['GROUP_READ_ONLY'], ['GROUP_BACKUP_CREATOR', 'GROUP_BACKUP_EXPORT_OPERATOR']],
    [['GROUP_BACKUP_MANAGER'], backupRoles, ['GROUP_OWNER', 'GROUP_CLUSTER_MANAGER']],
    [['GROUP_ATLAS_ADMIN'], [...backupRoles, 'GROUP_CLUSTER_MANAGER'], ['GROUP_OWNER']],
    [['GROUP_OWNER'], [...backupRoles, 'GROUP_ATLAS_ADMIN', 'GROUP_CLUSTER_MANAGER'], []],
    [['ORG_OWNER'], [...backupRoles, 'GROUP_OWNER'], []],
    [['ORG_READ_ONLY'], ['GROUP_READ_ONLY'], ['GROUP_BACKUP_CREATOR']],
    [['ORG_MEMBER', 'ORG_GROUP_CREATOR'], [], ['GROUP_READ_ONLY']],
    [[], [], ['GROUP_READ_ONLY']],
  ];
  for (const [given, has, lacks] of table) {
    const roles = rolesInProject(callerWith(...given), home);
    for (const role of has) assert.ok(roles.has(role), `${given} brings ${role}`);
    for (const role of lacks) assert.ok(!roles.has(role), `${given} does not bring ${role}`);
  }
});

test('no role reaches into another project or organization', () => {
  const everything = callerWith('GROUP_OWNER', 'ORG_OWNER');
  assert.equal(rolesInProject(everything, { projectId: 'p2', organizationId: 'o2' }).size, 0);
  assert.equal(rolesInProject(callerWith('GROUP_OWNER'), { projectId: 'p2', organizationId: 'o1' }).size, 0);
  assert.equal(rolesInOrganization(everything, 'o2').size, 0);
});

test('a credential is a member of its own organization', () => {
  assert.deepEqual([...rolesInOrganization(callerWith('GROUP_READ_ONLY'), 'o1')], ['ORG_MEMBER']);
  assert.ok(rolesInOrganization(callerWith('ORG_OWNER'), 'o1').has('ORG_READ_ONLY'));
});

test('lists show whole organizations to those who may read them whole, else single projects', () => {
  assert.deepEqual(visibleProjects(callerWith('GROUP_READ_ONLY', 'ORG_MEMBER')), {
    organizationIds: [],
    projectIds: ['p1'],
  });
  assert.deepEqual(visibleProjects(callerWith('ORG_OWNER')), { organizationIds: ['o1'], projectIds: [] });
  assert.deepEqual(visibleOrganizations(callerWith('GROUP_READ_ONLY')), {
    organizationIds: ['o1'],
    projectIds: ['p1'],
  });
});

test('roles are known by constant and by the names of the reference pages', () => {
  assert.equal(roleNamed('GROUP_BACKUP_MANAGER'), 'GROUP_BACKUP_MANAGER');
  assert.equal(roleNamed('Project Atlas Admin'), 'GROUP_ATLAS_ADMIN');
  assert.equal(roleNamed(' project read only'), 'GROUP_READ_ONLY');
  assert.equal(roleNamed('Organization Owner'), 'ORG_OWNER');
  assert.equal(roleNamed('toString'), null);
});
