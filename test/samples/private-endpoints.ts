import type { Domain } from '../../src/domain/domain.ts';
import type { PrivateEndpoint } from '../../src/domain/private-endpoints/private-endpoints.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import { addsOnly, noBackups } from './bound-project.ts';
import type { ResourceSamples } from './resource-samples.ts';
import { sampleIds } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const privateEndpointsSamples: ResourceSamples = {
  operations: {
    listGroupBackupPrivateEndpoints: { who: 'GROUP_OWNER ORG_OWNER' },
    createGroupBackupPrivateEndpoint: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: { cloudProvider: 'AWS', regionName: 'US_EAST_1', vpcRegionName: 'US_EAST_2' },
      comesDownTo: ['privateEndpoints.create'],
    },
    getGroupBackupPrivateEndpoint: { who: 'GROUP_OWNER ORG_OWNER' },
    deleteGroupBackupPrivateEndpoint: { who: 'GROUP_OWNER ORG_OWNER', comesDownTo: ['privateEndpoints.delete'] },
  },
  verdicts: {
    'privateEndpoints.create': addsOnly,
    'privateEndpoints.delete': noBackups,
  },
};

export function privateEndpointsNoun({ note }: SampleParts): Domain['privateEndpoints'] {
  const endpoint: PrivateEndpoint = {
    id: '0000000000000000000a1001',
    projectId: sampleIds.project,
    cloudProvider: 'AWS',
    regionName: 'US_EAST_1',
    vpcRegionName: 'US_EAST_2',
    createdAtMs: 0,
  };
  const named = ({ endpointId, projectId }: { endpointId: string; projectId: string }) => {
    if (endpointId !== endpoint.id) throw refuse('PRIVATE_ENDPOINT_NOT_FOUND', [endpointId, projectId]);
    return endpoint;
  };
  return {
    list: async ({ page }) => (page.includeCount ? { items: [endpoint], totalCount: 1 } : { items: [endpoint] }),
    get: async (query) => named(query),
    async create(request) {
      note('privateEndpoints.create', request);
      return endpoint;
    },
    async delete(request) {
      named(request);
      note('privateEndpoints.delete', request);
    },
  };
}
