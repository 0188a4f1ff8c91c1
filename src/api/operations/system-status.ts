import type { systemStatusOperations } from '../../../contract/system-status.ts';
import type { Caller } from '../../auth/roles.ts';
import type { HandlersOf } from '../call.ts';

export const systemStatusHandlers: HandlersOf<typeof systemStatusOperations> = {
  async getSystemStatus({ caller, links, service }) {
    return {
      apiKey: apiKeyBody(caller),
      // Clients know this name as that of the API, not of its maker.
      appName: 'MongoDB Atlas',
      build: service.version,
      links: [links.self('')],
      throttling: false,
    };
  },
};

/** Null for a service account. */
function apiKeyBody(caller: Caller): object | null {
  if (caller.kind !== 'apiKey') return null;
  return {
    accessList: [],
    id: caller.id,
    publicKey: caller.name,
    roles: caller.roles.map(({ role, projectId, organizationId }) =>
      projectId === null ? { orgId: organizationId, roleName: role } : { groupId: projectId, roleName: role },
    ),
  };
}
