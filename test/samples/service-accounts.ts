import type { ResourceSamples } from './resource-samples.ts';

const account = { name: 'ci', description: 'of the pipeline', secretExpiresAfterHours: 24 };
const list = [{ ipAddress: '198.51.100.4' }, { cidrBlock: '10.0.0.0/8' }];

export const serviceAccountsSamples: ResourceSamples = {
  operations: {
    listOrgServiceAccounts: { who: 'every role' },
    createOrgServiceAccount: { who: 'ORG_OWNER', body: { ...account, roles: ['ORG_MEMBER'] } },
    getOrgServiceAccount: { who: 'every role' },
    updateOrgServiceAccount: { who: 'ORG_OWNER', body: { description: 'of the other pipeline' } },
    deleteOrgServiceAccount: { who: 'ORG_OWNER' },
    createOrgServiceAccountSecret: { who: 'ORG_OWNER', body: { secretExpiresAfterHours: 8 } },
    deleteOrgServiceAccountSecret: { who: 'ORG_OWNER' },
    listOrgServiceAccountAccessList: { who: 'every role' },
    createOrgServiceAccountAccessList: { who: 'ORG_OWNER', body: list },
    deleteOrgServiceAccountAccessListEntry: { who: 'ORG_OWNER' },
    getOrgServiceAccountGroups: { who: 'every role' },
    listGroupServiceAccounts: { who: 'GROUP_OWNER ORG_OWNER' },
    createGroupServiceAccount: { who: 'GROUP_OWNER ORG_OWNER', body: { ...account, roles: ['GROUP_READ_ONLY'] } },
    getGroupServiceAccount: { who: 'GROUP_OWNER ORG_OWNER' },
    updateGroupServiceAccount: { who: 'GROUP_OWNER ORG_OWNER', body: { roles: ['GROUP_BACKUP_CREATOR'] } },
    deleteGroupServiceAccount: { who: 'GROUP_OWNER ORG_OWNER' },
    inviteGroupServiceAccount: { who: 'GROUP_OWNER ORG_OWNER', body: { roles: ['GROUP_READ_ONLY'] } },
    createGroupServiceAccountSecret: { who: 'GROUP_OWNER ORG_OWNER', body: { secretExpiresAfterHours: 8 } },
    deleteGroupServiceAccountSecret: { who: 'GROUP_OWNER ORG_OWNER' },
    listGroupServiceAccountAccessList: { who: 'GROUP_OWNER ORG_OWNER' },
    createGroupServiceAccountAccessList: { who: 'GROUP_OWNER ORG_OWNER', body: list },
    deleteGroupServiceAccountAccessListEntry: { who: 'GROUP_OWNER ORG_OWNER' },
  },
  verdicts: {},
};
