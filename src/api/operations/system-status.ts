import type { systemStatusOperations } from '../../../contract/system-status.ts';
import type { Caller } from '../../auth/roles.ts';
import type { Domain } from '../../domain/domain.ts';
import type { HandlersOf } from '../call.ts';

export const systemStatusHandlers: HandlersOf<typeof systemStatusOperations> = {
  async getSystemStatus({ caller, domain, links, remoteAddress, service }) {
    return {
      apiKey: caller.kind === 'apiKey' ? apiKeyBody(caller, await accessListOf(caller, domain)) : null,
      // Clients know this name as that of the API, not of its maker.
      appName: 'MongoDB Atlas',
      build: service.version,
      ipAddress: remoteAddress,
      links: [links.self('')],
      throttling: false,
    };
  },
};

/** As many entries as a list has at most on one page; more are behind the operation of their own. */
const page = { pageNum: 1, itemsPerPage: 500, includeCount: false };

async function accessListOf({ id }: Caller, domain: Domain): Promise<object[]> {
  const { items } = await domain.accessLists.list({ owner: { kind: 'apiKey', id }, page });
  return items.map(({ cidrBlock, address }) => ({ cidrBlock, ipAddress: address }));
}

function apiKeyBody(caller: Caller, accessList: object[]): object {
  return {
    accessList,
    id: caller.id,
    publicKey: caller.name,
    roles: caller.roles.map(({ role, projectId, organizationId }) =>
      projectId === null ? { orgId: organizationId, roleName: role } : { groupId: projectId, roleName: role },
    ),
  };
}
