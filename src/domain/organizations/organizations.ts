import { findOrganization, insertOrganization, listOrganizations } from '../../catalog/organizations.ts';
import type { DomainContext } from '../context.ts';
import type { Organizations } from '../domain.ts';
import { refuse } from '../refusals.ts';
import { queueCatalogCopy } from '../repositories/catalog-copy-task.ts';

export function createOrganizations(context: DomainContext): Organizations {
  const { catalog, clock, ids } = context;
  return {
    list: async (query) => await listOrganizations(catalog.reader, query),

    get: async (organizationId) => {
      const organization = await findOrganization(catalog.reader, organizationId);
      if (organization === undefined) throw refuse('RESOURCE_NOT_FOUND', [`/orgs/${organizationId}`]);
      return organization;
    },

    create: async ({ name }) => {
      const organization = { id: ids.next(), name, createdAtMs: clock.nowMs() };
      await catalog.transact(async (writer) => {
        await insertOrganization(writer, organization);
        await queueCatalogCopy(writer, context);
      });
      context.wakeWorker();
      return organization;
    },
  };
}
