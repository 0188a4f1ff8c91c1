import type { AddAccessRequest } from '../../../contract/api-keys.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type {
  CreateServiceAccountRequest,
  serviceAccountOperations,
  UpdateServiceAccountRequest,
} from '../../../contract/service-accounts.ts';
import type { Place } from '../../domain/credentials/credentials.ts';
import type { Asking } from '../../domain/credentials/still-admitted.ts';
import type { Domain } from '../../domain/domain.ts';
import type { PageRequest } from '../../domain/names.ts';
import { askingOf, type HandlersOf, type ListAnswer } from '../call.ts';
import { mapped } from '../listing.ts';
import { accountAccessBody, accountSecretBody, serviceAccountBody } from '../wire/callers.ts';

/** The same from both places: what an account may do and who may see it follows from the place. */
const accounts = {
  async list(domain: Domain, place: Place, page: PageRequest): Promise<ListAnswer> {
    const found = await domain.serviceAccounts.list({ place, page });
    return mapped(found, (account) => serviceAccountBody(account, place));
  },

  async create(domain: Domain, place: Place, body: ShapeOf<typeof CreateServiceAccountRequest>): Promise<object> {
    const { name, description, roles: roleNames, secretExpiresAfterHours } = body;
    const request = { place, name, description, roleNames, secretExpiresAfterHours };
    const { secret, ...account } = await domain.serviceAccounts.create(request);
    return serviceAccountBody(account, place, secret);
  },

  async get(domain: Domain, place: Place, clientId: string): Promise<object> {
    return serviceAccountBody(await domain.serviceAccounts.get({ place, clientId }), place);
  },

  async update(
    domain: Domain,
    place: Place,
    clientId: string,
    { name, description, roles }: ShapeOf<typeof UpdateServiceAccountRequest>,
  ): Promise<object> {
    const change = {
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      ...(roles === undefined ? {} : { roleNames: roles }),
    };
    return serviceAccountBody(await domain.serviceAccounts.update({ place, clientId, ...change }), place);
  },

  async remove(domain: Domain, place: Place, clientId: string): Promise<undefined> {
    await domain.serviceAccounts.remove({ place, clientId });
  },

  async createSecret(domain: Domain, place: Place, clientId: string, hours: number): Promise<object> {
    const request = { place, clientId, secretExpiresAfterHours: hours };
    const { secret, ...made } = await domain.serviceAccounts.createSecret(request);
    return accountSecretBody(made, secret);
  },

  async deleteSecret(domain: Domain, place: Place, clientId: string, secretId: string): Promise<undefined> {
    await domain.serviceAccounts.deleteSecret({ place, clientId, secretId });
  },
};

const access = {
  async list(domain: Domain, place: Place, clientId: string, page: PageRequest): Promise<ListAnswer> {
    const { id } = await domain.serviceAccounts.get({ place, clientId });
    const found = await domain.accessLists.list({ owner: { kind: 'serviceAccount', id }, page });
    return mapped(found, accountAccessBody);
  },

  async add(
    domain: Domain,
    place: Place,
    clientId: string,
    request: { entries: ShapeOf<typeof AddAccessRequest>; page: PageRequest; asking: Asking },
  ): Promise<ListAnswer> {
    const { id } = await domain.serviceAccounts.forChange({ place, clientId });
    await domain.accessLists.add({
      owner: { kind: 'serviceAccount', id },
      entries: request.entries,
      asking: request.asking,
    });
    return await access.list(domain, place, clientId, request.page);
  },

  async remove(
    domain: Domain,
    place: Place,
    clientId: string,
    request: { entry: string; asking: Asking },
  ): Promise<undefined> {
    const { id } = await domain.serviceAccounts.forChange({ place, clientId });
    await domain.accessLists.remove({ owner: { kind: 'serviceAccount', id }, ...request });
  },
};

const organization = ({ orgId }: { orgId: string }) => ({ organizationId: orgId });
const project = ({ groupId }: { groupId: string }) => ({ projectId: groupId });

export const serviceAccountHandlers: HandlersOf<typeof serviceAccountOperations> = {
  listOrgServiceAccounts: ({ params, page, domain }) => accounts.list(domain, organization(params), page),
  createOrgServiceAccount: ({ params, body, domain }) => accounts.create(domain, organization(params), body),
  getOrgServiceAccount: ({ params, domain }) => accounts.get(domain, organization(params), params.clientId),
  updateOrgServiceAccount: ({ params, body, domain }) =>
    accounts.update(domain, organization(params), params.clientId, body),
  deleteOrgServiceAccount: ({ params, domain }) => accounts.remove(domain, organization(params), params.clientId),
  createOrgServiceAccountSecret: ({ params, body, domain }) =>
    accounts.createSecret(domain, organization(params), params.clientId, body.secretExpiresAfterHours),
  deleteOrgServiceAccountSecret: ({ params, domain }) =>
    accounts.deleteSecret(domain, organization(params), params.clientId, params.secretId),
  listOrgServiceAccountAccessList: ({ params, page, domain }) =>
    access.list(domain, organization(params), params.clientId, page),
  createOrgServiceAccountAccessList: ({ params, body, page, domain, ...call }) =>
    access.add(domain, organization(params), params.clientId, { entries: body, page, asking: askingOf(call) }),
  deleteOrgServiceAccountAccessListEntry: ({ params, domain, ...call }) =>
    access.remove(domain, organization(params), params.clientId, { entry: params.ipAddress, asking: askingOf(call) }),

  async getOrgServiceAccountGroups({ params, page, domain }) {
    const { roles } = await domain.serviceAccounts.get({ place: organization(params), clientId: params.clientId });
    const projectIds = [...new Set(roles.flatMap(({ projectId }) => (projectId === null ? [] : [projectId])))];
    const from = (page.pageNum - 1) * page.itemsPerPage;
    const items = projectIds.slice(from, from + page.itemsPerPage).map((groupId) => ({ groupId }));
    return page.includeCount ? { items, totalCount: projectIds.length } : { items };
  },

  listGroupServiceAccounts: ({ params, page, domain }) => accounts.list(domain, project(params), page),
  createGroupServiceAccount: ({ params, body, domain }) => accounts.create(domain, project(params), body),
  getGroupServiceAccount: ({ params, domain }) => accounts.get(domain, project(params), params.clientId),
  updateGroupServiceAccount: ({ params, body, domain }) =>
    accounts.update(domain, project(params), params.clientId, body),
  deleteGroupServiceAccount: ({ params, domain }) => accounts.remove(domain, project(params), params.clientId),

  async inviteGroupServiceAccount({ params, body, domain }) {
    const place = project(params);
    const request = { ...place, clientId: params.clientId, roleNames: body.roles };
    return serviceAccountBody(await domain.serviceAccounts.assign(request), place);
  },

  createGroupServiceAccountSecret: ({ params, body, domain }) =>
    accounts.createSecret(domain, project(params), params.clientId, body.secretExpiresAfterHours),
  deleteGroupServiceAccountSecret: ({ params, domain }) =>
    accounts.deleteSecret(domain, project(params), params.clientId, params.secretId),
  listGroupServiceAccountAccessList: ({ params, page, domain }) =>
    access.list(domain, project(params), params.clientId, page),
  createGroupServiceAccountAccessList: ({ params, body, page, domain, ...call }) =>
    access.add(domain, project(params), params.clientId, { entries: body, page, asking: askingOf(call) }),
  deleteGroupServiceAccountAccessListEntry: ({ params, domain, ...call }) =>
    access.remove(domain, project(params), params.clientId, { entry: params.ipAddress, asking: askingOf(call) }),
};
