import type { ResourceSamples } from './resource-samples.ts';

export const cloudProviderAccessSamples: ResourceSamples = {
  operations: {
    listGroupCloudProviderAccess: { who: 'GROUP_OWNER ORG_OWNER' },
    createGroupCloudProviderAccess: { who: 'GROUP_OWNER ORG_OWNER', body: { providerName: 'AWS' } },
    getGroupCloudProviderAccess: { who: 'GROUP_OWNER ORG_OWNER' },
    authorizeGroupCloudProviderAccessRole: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: {
        providerName: 'AWS',
        iamAssumedRoleArn: 'arn:aws:iam::123456789012:role/exports',
      },
    },
    deauthorizeGroupCloudProviderAccessRole: { who: 'GROUP_OWNER ORG_OWNER' },
  },
  verdicts: {},
};
