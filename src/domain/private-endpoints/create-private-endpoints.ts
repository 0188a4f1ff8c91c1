import type { CatalogReader } from '../../catalog/catalog.ts';
import { mapPage } from '../../catalog/page.ts';
import {
  findPrivateEndpoint,
  insertPrivateEndpoint,
  listPrivateEndpoints,
  markPrivateEndpointDeleted,
  privateEndpointOfRegion,
} from '../../catalog/private-endpoints.ts';
import type { PrivateEndpointRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import { requireProject } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';
import type { PrivateEndpoint, PrivateEndpointName, PrivateEndpoints } from './private-endpoints.ts';

export function createPrivateEndpoints(context: DomainContext): PrivateEndpoints {
  const { catalog, clock, ids } = context;
  return {
    list: async (query) => {
      await requireProject(catalog.reader, query.projectId);
      return mapPage(await listPrivateEndpoints(catalog.reader, query), viewOf);
    },

    get: async (query) => viewOf(await requirePrivateEndpoint(catalog.reader, query)),

    create: async ({ projectId, cloudProvider, regionName, vpcRegionName }) => {
      return await catalog.transact(async (writer) => {
        await requireProject(writer, projectId);
        if ((await privateEndpointOfRegion(writer, { projectId, cloudProvider, regionName })) !== undefined)
          throw refuse('PRIVATE_ENDPOINT_ALREADY_EXISTS', [regionName, projectId]);
        const row: PrivateEndpointRow = {
          id: ids.next(),
          projectId,
          cloudProvider,
          regionName,
          vpcRegionName: vpcRegionName ?? regionName,
          createdAtMs: clock.nowMs(),
          deletedAtMs: null,
        };
        await insertPrivateEndpoint(writer, row);
        return viewOf(row);
      });
    },

    delete: async (query) => {
      await catalog.transact(async (writer) => {
        const { id } = await requirePrivateEndpoint(writer, query);
        await markPrivateEndpointDeleted(writer, id, clock.nowMs());
      });
    },
  };
}

async function requirePrivateEndpoint(
  reader: CatalogReader,
  { projectId, cloudProvider, endpointId }: PrivateEndpointName,
): Promise<PrivateEndpointRow> {
  await requireProject(reader, projectId);
  const row = await findPrivateEndpoint(reader, endpointId);
  const found =
    row !== undefined && row.projectId === projectId && row.cloudProvider === cloudProvider && row.deletedAtMs === null;
  if (!found) throw refuse('PRIVATE_ENDPOINT_NOT_FOUND', [endpointId, projectId]);
  return row;
}

function viewOf({ deletedAtMs: _deleted, ...shown }: PrivateEndpointRow): PrivateEndpoint {
  return shown;
}
