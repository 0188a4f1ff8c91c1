import { accessListOf } from '../../catalog/access-lists.ts';
import type { CatalogReader } from '../../catalog/catalog.ts';
import { decodeOrganizationSettings, findOrganization } from '../../catalog/organizations.ts';
import { cidrHolds } from '../../lib/cidr.ts';
import { refuse } from '../refusals/refusals.ts';

/** Who asks for a change of what callers may do, and from where. */
export interface Asking {
  kind: 'apiKey' | 'serviceAccount';
  id: string;
  organizationId: string;
  address: string;
}

/** Whether callers of the organization without an access list are refused. */
export async function requiresAccessLists(reader: CatalogReader, organizationId: string): Promise<boolean> {
  const organization = await findOrganization(reader, organizationId);
  return (
    organization !== undefined && (decodeOrganizationSettings(organization.settings).apiAccessListRequired ?? false)
  );
}

/**
 * In the transaction of a change, after it: refuses one by which whoever asks for it could not call again to take it
 * back.
 */
export async function requireStillAdmitted(reader: CatalogReader, asking: Asking | undefined): Promise<void> {
  if (asking === undefined) return;
  const { kind, id, organizationId, address } = asking;
  const entries = await accessListOf(reader, { kind, id });
  if (entries.length === 0) {
    if (await requiresAccessLists(reader, organizationId)) throw refuse('CHANGE_SHUTS_OUT_CALLER', [address]);
    return;
  }
  if (!entries.some(({ cidrBlock }) => cidrHolds(cidrBlock, address)))
    throw refuse('CHANGE_SHUTS_OUT_CALLER', [address]);
}
