import {
  decodeOrganizationSettings,
  insertOrganization,
  listOrganizations,
  updateOrganizationSettings,
} from '../../catalog/organizations.ts';
import type { DomainContext } from '../context.ts';
import { keepingAnOwner } from '../credentials/given-roles.ts';
import { requireStillAdmitted } from '../credentials/still-admitted.ts';
import { requireOrganization } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';
import type { Organizations } from './organizations.ts';

/** Atlas's bounds. */
const SECRET_HOURS_LEAST = 8;
const SECRET_HOURS_MOST = 8760;

export function createOrganizations(context: DomainContext): Organizations {
  const { catalog, clock, ids } = context;
  return {
    list: async (query) => await listOrganizations(catalog.reader, query),

    get: async (organizationId) => {
      return await requireOrganization(catalog.reader, organizationId);
    },

    create: async ({ name }) => {
      const organization = { id: ids.next(), name, createdAtMs: clock.nowMs() };
      await catalog.transact(async (writer) => {
        await insertOrganization(writer, organization);
      });
      return organization;
    },

    settings: async (organizationId) => {
      const { settings } = await requireOrganization(catalog.reader, organizationId);
      return decodeOrganizationSettings(settings);
    },

    updateSettings: async (organizationId, change, asking) => {
      const hours = change.maxServiceAccountSecretValidityInHours;
      if (hours !== undefined && (hours < SECRET_HOURS_LEAST || hours > SECRET_HOURS_MOST)) {
        const field = 'maxServiceAccountSecretValidityInHours';
        const description = `must be from ${SECRET_HOURS_LEAST} to ${SECRET_HOURS_MOST}`;
        throw refuse('VALIDATION_ERROR', [`${field} ${description}`], [{ field, description }]);
      }
      return await catalog.transact(async (writer) => {
        const organization = await requireOrganization(writer, organizationId);
        const merged = { ...decodeOrganizationSettings(organization.settings), ...change };
        await keepingAnOwner(writer, context, organizationId, async () => {
          await updateOrganizationSettings(writer, organizationId, merged);
          await requireStillAdmitted(writer, asking);
        });
        return merged;
      });
    },
  };
}
