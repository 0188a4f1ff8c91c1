import type { privateEndpointOperations } from '../../../contract/private-endpoints.ts';
import type { PrivateEndpoint, PrivateEndpointName } from '../../domain/private-endpoints/private-endpoints.ts';
import { refuse } from '../../domain/refusals/refusals.ts';
import type { HandlersOf } from '../call.ts';
import { mapped } from '../listing.ts';

type Params = { groupId: string; cloudProvider: string };

export const privateEndpointHandlers: HandlersOf<typeof privateEndpointOperations> = {
  async listGroupBackupPrivateEndpoints({ params, page, domain }) {
    return mapped(await domain.privateEndpoints.list({ ...placeOf(params), page }), privateEndpointBody);
  },

  async createGroupBackupPrivateEndpoint({ params, body, domain }) {
    const { regionName, vpcRegionName } = body;
    const endpoint = await domain.privateEndpoints.create({
      ...placeOf(params),
      regionName,
      ...(vpcRegionName === undefined ? {} : { vpcRegionName }),
    });
    return privateEndpointBody(endpoint);
  },

  async getGroupBackupPrivateEndpoint({ params, domain }) {
    return privateEndpointBody(await domain.privateEndpoints.get(nameOf(params)));
  },

  async deleteGroupBackupPrivateEndpoint({ params, domain }) {
    await domain.privateEndpoints.delete(nameOf(params));
    return undefined;
  },
};

/** Only object storage of AWS has such endpoints. */
function placeOf({ groupId, cloudProvider }: Params): { projectId: string; cloudProvider: 'AWS' } {
  if (cloudProvider !== 'AWS') throw refuse('FEATURE_UNSUPPORTED', [`private endpoints of ${cloudProvider}`]);
  return { projectId: groupId, cloudProvider };
}

function nameOf(params: Params & { endpointId: string }): PrivateEndpointName {
  return { ...placeOf(params), endpointId: params.endpointId };
}

function privateEndpointBody({ cloudProvider, id, regionName, vpcRegionName }: PrivateEndpoint): object {
  return { cloudProvider, id, regionName, status: 'INITIATED', vpcRegionName };
}
