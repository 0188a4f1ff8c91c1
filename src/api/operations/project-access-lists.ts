import type { projectAccessListOperations } from '../../../contract/project-access-lists.ts';
import type { AskedAccess } from '../../domain/credentials/credentials.ts';
import { refuse } from '../../domain/refusals/refusals.ts';
import type { HandlersOf } from '../call.ts';
import { invalid } from '../http-refusals.ts';
import { mapped } from '../listing.ts';
import { projectAccessBody } from '../wire/callers.ts';

const ownerOf = ({ groupId }: { groupId: string }) => ({ kind: 'project', id: groupId }) as const;

export const projectAccessListHandlers: HandlersOf<typeof projectAccessListOperations> = {
  async listGroupAccessListEntries({ params, page, domain, links }) {
    const found = await domain.accessLists.list({ owner: ownerOf(params), page });
    return mapped(found, (entry) => projectAccessBody(entry, params.groupId, links));
  },

  async createGroupAccessListEntry({ params, body, page, domain, links }) {
    const owner = ownerOf(params);
    await domain.accessLists.add({ owner, entries: body.map(askedAccess) });
    const found = await domain.accessLists.list({ owner, page });
    return mapped(found, (entry) => projectAccessBody(entry, params.groupId, links));
  },

  async getGroupAccessListEntry({ params, domain, links }) {
    const entry = await domain.accessLists.get({ owner: ownerOf(params), entry: params.entryValue });
    return projectAccessBody(entry, params.groupId, links);
  },

  async deleteGroupAccessListEntry({ params, domain }) {
    await domain.accessLists.remove({ owner: ownerOf(params), entry: params.entryValue });
    return undefined;
  },

  async getGroupAccessListStatus({ params, domain }) {
    await domain.accessLists.get({ owner: ownerOf(params), entry: params.entryValue });
    return { STATUS: 'PENDING' };
  },
};

function askedAccess(entry: {
  awsSecurityGroup?: string;
  cidrBlock?: string;
  comment?: string;
  deleteAfterDate?: string;
  ipAddress?: string;
}): AskedAccess {
  const { awsSecurityGroup, cidrBlock, comment, deleteAfterDate, ipAddress } = entry;
  if (awsSecurityGroup !== undefined) throw refuse('FEATURE_UNSUPPORTED', ['security groups belong to a cloud']);
  const deleteAfterMs = deleteAfterDate === undefined ? undefined : Date.parse(deleteAfterDate);
  if (Number.isNaN(deleteAfterMs)) throw invalid([{ field: 'deleteAfterDate', description: 'must be a time' }]);
  return {
    ...(cidrBlock === undefined ? {} : { cidrBlock }),
    ...(comment === undefined ? {} : { comment }),
    ...(deleteAfterMs === undefined ? {} : { deleteAfterMs }),
    ...(ipAddress === undefined ? {} : { ipAddress }),
  };
}
