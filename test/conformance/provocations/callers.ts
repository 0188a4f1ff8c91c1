import { sampleIds } from '../../samples/rows.ts';
import { asking, type Kit, nowhere, type Provocation, type Provocations } from './provocation.ts';

/** API keys, service accounts, their access lists, projects and organizations. */

async function apiKey({ did }: Kit, roles = ['ORG_READ_ONLY']): Promise<{ apiUserId: string }> {
  return { apiUserId: (await did('createOrgApiKey', { body: { desc: 'one', roles } })).id as unknown as string };
}

/** Of the project, or of the organization, from where it reaches further. */
async function account({ did }: Kit, { of, roles }: { of: 'group' | 'org'; roles?: string[] }) {
  const body = { name: 'ci', description: 'd', secretExpiresAfterHours: 24 };
  const made =
    of === 'group'
      ? await did('createGroupServiceAccount', { body: { ...body, roles: ['GROUP_READ_ONLY'] } })
      : await did('createOrgServiceAccount', { body: { ...body, roles: roles ?? ['ORG_MEMBER'] } });
  const { clientId, secrets } = made as unknown as { clientId: string; secrets: { id: string }[] };
  return { clientId, secretId: secrets[0]?.id ?? '' };
}

const missingEntry: Provocation = async (kit) => await kit.ask({ params: await apiKey(kit) });
const missingEntryOfAccount =
  (of: 'group' | 'org'): Provocation =>
  async (kit) =>
    await kit.ask({ params: await account(kit, { of }) });

/** One that has a role in the project and more beside it. */
const reachesFurther: Provocation = async (kit) => {
  const { clientId, secretId } = await account(kit, { of: 'org', roles: ['ORG_OWNER'] });
  await kit.did('inviteGroupServiceAccount', { params: { clientId } });
  return await kit.ask({ params: { clientId, secretId } });
};

/**
 * What is asked for is not the caller's own list here: an organization that asks for lists does it too, since the
 * sample's caller has none.
 */
const shutsOut =
  (prepared: (kit: Kit) => Promise<Parameters<Kit['ask']>[0]>): Provocation =>
  async (kit) => {
    const asked = await prepared(kit);
    await kit.world.domain.organizations.updateSettings(sampleIds.organization, { apiAccessListRequired: true });
    return await kit.ask(asked);
  };
const listed = '192.0.2.7';
const listedKey = async (kit: Kit) => {
  const params = await apiKey(kit);
  await kit.did('createOrgApiKeyAccessListEntry', { params, body: [{ ipAddress: listed }] });
  return { params: { ...params, ipAddress: listed } };
};
const listedAccount = (of: 'group' | 'org') => async (kit: Kit) => {
  const params = await account(kit, { of });
  const add = of === 'group' ? 'createGroupServiceAccountAccessList' : 'createOrgServiceAccountAccessList';
  await kit.did(add, { params, body: [{ ipAddress: listed }] });
  return { params: { ...params, ipAddress: listed } };
};

async function anotherProject({ world }: Kit): Promise<{ projectId: string }> {
  const { id } = await world.domain.projects.create({ name: 'Theirs', organizationId: sampleIds.organization });
  return { projectId: id };
}

const secretLimit =
  (of: 'group' | 'org'): Provocation =>
  async (kit) => {
    const params = await account(kit, { of });
    const make = of === 'group' ? 'createGroupServiceAccountSecret' : 'createOrgServiceAccountSecret';
    await kit.did(make, { params });
    return await kit.ask({ params });
  };

const missingSecret =
  (of: 'group' | 'org'): Provocation =>
  async (kit) =>
    await kit.ask({ params: { ...(await account(kit, { of })), secretId: nowhere } });

/** The only caller of the organization in the catalog is the one that is made here. */
const lastOwnerKey =
  (body?: object): Provocation =>
  async (kit) =>
    await kit.ask({ params: await apiKey(kit, ['ORG_OWNER']), ...(body === undefined ? {} : { body }) });
const lastOwnerAccount =
  (body?: object): Provocation =>
  async (kit) =>
    await kit.ask({
      params: await account(kit, { of: 'org', roles: ['ORG_OWNER'] }),
      ...(body === undefined ? {} : { body }),
    });

export const callerProvocations: Provocations = {
  updateOrgSettings: {
    FEATURE_UNSUPPORTED: asking({ body: { multiFactorAuthRequired: true } }),
    CHANGE_SHUTS_OUT_CALLER: asking({ body: { apiAccessListRequired: true } }),
  },
  createGroup: {
    NOT_ORG_GROUP_CREATOR: async (kit) => await kit.ask({ token: await kit.api.tokenWith('ORG_READ_ONLY') }),
    GROUP_ALREADY_EXISTS: async ({ ask, did }) => {
      await did('createGroup');
      return await ask();
    },
  },
  updateGroup: {
    GROUP_ALREADY_EXISTS: async ({ ask, did, api }) => {
      await did('createGroup');
      return await ask({ body: { name: 'Fresh' }, token: api.projectToken });
    },
  },
  deleteGroup: {
    CANNOT_CLOSE_GROUP_ACTIVE_ATLAS_CLUSTERS: asking(),
    CANNOT_CLOSE_GROUP_ACTIVE_BACKUPS: async ({ ask, did, completed }) => {
      await completed();
      await did('removeCluster');
      return await ask();
    },
    CANNOT_CLOSE_GROUP_ACTIVE_BACKUP_COMPLIANCE_POLICY: async ({ ask, did }) => {
      await did('updateGroupBackupCompliancePolicy');
      return await ask();
    },
  },
  createGroupAccessListEntry: { FEATURE_UNSUPPORTED: asking({ body: [{ awsSecurityGroup: 'sg-1' }] }) },
  getGroupAccessListEntry: { ACCESS_LIST_ENTRY_NOT_FOUND: asking() },
  deleteGroupAccessListEntry: { ACCESS_LIST_ENTRY_NOT_FOUND: asking() },
  getGroupAccessListStatus: { ACCESS_LIST_ENTRY_NOT_FOUND: asking() },
  getOrgApiKeyAccessListEntry: { ACCESS_LIST_ENTRY_NOT_FOUND: missingEntry },
  createOrgApiKeyAccessListEntry: { CHANGE_SHUTS_OUT_CALLER: shutsOut(async (kit) => ({ params: await apiKey(kit) })) },
  deleteOrgApiKeyAccessListEntry: {
    ACCESS_LIST_ENTRY_NOT_FOUND: missingEntry,
    CHANGE_SHUTS_OUT_CALLER: shutsOut(listedKey),
  },
  updateGroupApiKeyRoles: {
    API_KEY_REACHES_BEYOND_PROJECT: async (kit) => {
      const params = await apiKey(kit, ['ORG_OWNER']);
      await kit.did('addGroupApiKey', { params });
      return await kit.ask({ params, body: { desc: 'renamed' } });
    },
  },
  updateOrgApiKey: { CANNOT_REMOVE_LAST_OWNER: lastOwnerKey({ roles: ['ORG_MEMBER'] }) },
  deleteOrgApiKey: { CANNOT_REMOVE_LAST_OWNER: lastOwnerKey() },
  updateOrgServiceAccount: { CANNOT_REMOVE_LAST_OWNER: lastOwnerAccount({ roles: ['ORG_MEMBER'] }) },
  deleteOrgServiceAccount: { CANNOT_REMOVE_LAST_OWNER: lastOwnerAccount() },
  createOrgServiceAccountSecret: { SERVICE_ACCOUNT_SECRET_LIMIT_REACHED: secretLimit('org') },
  deleteOrgServiceAccountSecret: {
    SERVICE_ACCOUNT_SECRET_NOT_FOUND: missingSecret('org'),
    CANNOT_REMOVE_LAST_OWNER: lastOwnerAccount(),
  },
  createOrgServiceAccountAccessList: {
    CHANGE_SHUTS_OUT_CALLER: shutsOut(async (kit) => ({ params: await account(kit, { of: 'org' }) })),
  },
  deleteOrgServiceAccountAccessListEntry: {
    ACCESS_LIST_ENTRY_NOT_FOUND: missingEntryOfAccount('org'),
    CHANGE_SHUTS_OUT_CALLER: shutsOut(listedAccount('org')),
  },
  inviteGroupServiceAccount: {
    SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT: async (kit) => {
      const { projectId } = await anotherProject(kit);
      const asked = { name: 'theirs', description: 'd', secretExpiresAfterHours: 24, roleNames: ['GROUP_OWNER'] };
      const { clientId } = await kit.world.domain.serviceAccounts.create({ ...asked, place: { projectId } });
      return await kit.ask({ params: { clientId } });
    },
  },
  updateGroupServiceAccount: {
    SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT: async (kit) => {
      const { clientId } = await account(kit, { of: 'org', roles: ['ORG_OWNER'] });
      await kit.did('inviteGroupServiceAccount', { params: { clientId } });
      return await kit.ask({ params: { clientId }, body: { name: 'other' } });
    },
  },
  createGroupServiceAccountSecret: {
    SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT: reachesFurther,
    SERVICE_ACCOUNT_SECRET_LIMIT_REACHED: secretLimit('group'),
  },
  deleteGroupServiceAccountSecret: {
    SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT: reachesFurther,
    SERVICE_ACCOUNT_SECRET_NOT_FOUND: missingSecret('group'),
  },
  createGroupServiceAccountAccessList: {
    SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT: reachesFurther,
    CHANGE_SHUTS_OUT_CALLER: shutsOut(async (kit) => ({ params: await account(kit, { of: 'group' }) })),
  },
  deleteGroupServiceAccountAccessListEntry: {
    SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT: reachesFurther,
    ACCESS_LIST_ENTRY_NOT_FOUND: missingEntryOfAccount('group'),
    CHANGE_SHUTS_OUT_CALLER: shutsOut(listedAccount('group')),
  },
};
