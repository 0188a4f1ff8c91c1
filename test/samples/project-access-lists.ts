import { type ResourceSamples, readers } from './resource-samples.ts';

export const projectAccessListsSamples: ResourceSamples = {
  operations: {
    listGroupAccessListEntries: { who: readers },
    createGroupAccessListEntry: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: [{ cidrBlock: '10.0.0.0/8', comment: 'office' }],
    },
    getGroupAccessListEntry: { who: readers },
    deleteGroupAccessListEntry: { who: 'GROUP_OWNER ORG_OWNER' },
    getGroupAccessListStatus: { who: readers },
  },
  verdicts: {},
};
