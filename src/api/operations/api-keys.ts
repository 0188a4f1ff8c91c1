import type { apiKeyOperations } from '../../../contract/api-keys.ts';
import type { ApiKey } from '../../domain/credentials/credentials.ts';
import type { Domain } from '../../domain/domain.ts';
import { askingOf, type HandlersOf } from '../call.ts';
import { mapped } from '../listing.ts';
import { apiKeyBody, keyAccessBody } from '../wire/callers.ts';

type OrganizationParams = { orgId: string; apiUserId: string };

const ofOrganization = ({ orgId }: { orgId: string }) => ({ organizationId: orgId });
const ofProject = ({ groupId }: { groupId: string }) => ({ projectId: groupId });

function ownKey(domain: Domain, params: OrganizationParams): Promise<ApiKey> {
  return domain.apiKeys.get({ place: ofOrganization(params), apiKeyId: params.apiUserId });
}

async function ownList(domain: Domain, params: OrganizationParams): Promise<{ kind: 'apiKey'; id: string }> {
  const { id } = await ownKey(domain, params);
  return { kind: 'apiKey', id };
}

const listPath = ({ orgId, apiUserId }: OrganizationParams) => `/orgs/${orgId}/apiKeys/${apiUserId}/accessList`;

function changeOf({ desc, roles }: { desc?: string; roles?: string[] }) {
  return {
    ...(desc === undefined ? {} : { description: desc }),
    ...(roles === undefined ? {} : { roleNames: roles }),
  };
}

export const apiKeyHandlers: HandlersOf<typeof apiKeyOperations> = {
  async listOrgApiKeys({ params, page, domain, links }) {
    return mapped(await domain.apiKeys.list({ place: ofOrganization(params), page }), (key) => apiKeyBody(key, links));
  },

  async createOrgApiKey({ params, body, domain, links }) {
    const request = { place: ofOrganization(params), description: body.desc, roleNames: body.roles };
    const { privateKey, ...apiKey } = await domain.apiKeys.create(request);
    return apiKeyBody(apiKey, links, privateKey);
  },

  async getOrgApiKey({ params, domain, links }) {
    return apiKeyBody(await ownKey(domain, params), links);
  },

  async updateOrgApiKey({ params, body, domain, links }) {
    const request = { place: ofOrganization(params), apiKeyId: params.apiUserId, ...changeOf(body) };
    return apiKeyBody(await domain.apiKeys.update(request), links);
  },

  async deleteOrgApiKey({ params, domain }) {
    await domain.apiKeys.remove({ place: ofOrganization(params), apiKeyId: params.apiUserId });
    return undefined;
  },

  async listOrgApiKeyAccessListEntries({ params, page, domain, links }) {
    const found = await domain.accessLists.list({ owner: await ownList(domain, params), page });
    return mapped(found, (entry) => keyAccessBody(entry, listPath(params), links));
  },

  async createOrgApiKeyAccessListEntry({ params, body, page, domain, links, ...call }) {
    const owner = await ownList(domain, params);
    await domain.accessLists.add({ owner, entries: body, asking: askingOf(call) });
    return mapped(await domain.accessLists.list({ owner, page }), (entry) =>
      keyAccessBody(entry, listPath(params), links),
    );
  },

  async getOrgApiKeyAccessListEntry({ params, domain, links }) {
    const owner = await ownList(domain, params);
    return keyAccessBody(await domain.accessLists.get({ owner, entry: params.ipAddress }), listPath(params), links);
  },

  async deleteOrgApiKeyAccessListEntry({ params, domain, ...call }) {
    const owner = await ownList(domain, params);
    await domain.accessLists.remove({ owner, entry: params.ipAddress, asking: askingOf(call) });
    return undefined;
  },

  async listGroupApiKeys({ params, page, domain, links }) {
    return mapped(await domain.apiKeys.list({ place: ofProject(params), page }), (key) => apiKeyBody(key, links));
  },

  async createGroupApiKey({ params, body, domain, links }) {
    const request = { place: ofProject(params), description: body.desc, roleNames: body.roles };
    const { privateKey, ...apiKey } = await domain.apiKeys.create(request);
    return apiKeyBody(apiKey, links, privateKey);
  },

  async addGroupApiKey({ params, body, domain, links }) {
    const roleNames = body.flatMap(({ roles }) => roles);
    return apiKeyBody(
      await domain.apiKeys.assign({ ...ofProject(params), apiKeyId: params.apiUserId, roleNames }),
      links,
    );
  },

  async updateGroupApiKeyRoles({ params, body, domain, links }) {
    const request = { place: ofProject(params), apiKeyId: params.apiUserId, ...changeOf(body) };
    return apiKeyBody(await domain.apiKeys.update(request), links);
  },

  async removeGroupApiKey({ params, domain }) {
    await domain.apiKeys.remove({ place: ofProject(params), apiKeyId: params.apiUserId });
    return undefined;
  },
};
