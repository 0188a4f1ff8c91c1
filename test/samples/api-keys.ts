import type { ResourceSamples } from './resource-samples.ts';

const list = [{ ipAddress: '198.51.100.4' }, { cidrBlock: '10.0.0.0/8' }];

export const apiKeysSamples: ResourceSamples = {
  operations: {
    listOrgApiKeys: { who: 'every role' },
    createOrgApiKey: { who: 'ORG_OWNER', body: { desc: 'ci', roles: ['ORG_READ_ONLY'] } },
    getOrgApiKey: { who: 'every role' },
    updateOrgApiKey: { who: 'ORG_OWNER', body: { desc: 'pipeline', roles: ['ORG_MEMBER'] } },
    deleteOrgApiKey: { who: 'ORG_OWNER' },
    listOrgApiKeyAccessListEntries: { who: 'every role' },
    createOrgApiKeyAccessListEntry: { who: 'ORG_OWNER', body: list },
    getOrgApiKeyAccessListEntry: { who: 'every role' },
    deleteOrgApiKeyAccessListEntry: { who: 'ORG_OWNER' },
    listGroupApiKeys: { who: 'GROUP_OWNER ORG_OWNER' },
    createGroupApiKey: { who: 'GROUP_OWNER ORG_OWNER', body: { desc: 'ci', roles: ['GROUP_BACKUP_MANAGER'] } },
    addGroupApiKey: { who: 'GROUP_OWNER ORG_OWNER', body: [{ roles: ['GROUP_READ_ONLY'] }] },
    updateGroupApiKeyRoles: { who: 'GROUP_OWNER ORG_OWNER', body: { roles: ['GROUP_OWNER'] } },
    removeGroupApiKey: { who: 'GROUP_OWNER ORG_OWNER' },
  },
  verdicts: {},
};
