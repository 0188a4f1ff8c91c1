import { deleteTokensOfSecret } from '../../catalog/access-tokens.ts';
import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { decodeOrganizationSettings } from '../../catalog/organizations.ts';
import type { ServiceAccountRow, ServiceAccountSecretRow } from '../../catalog/schema.ts';
import {
  deleteServiceAccountSecret,
  findServiceAccount,
  insertServiceAccountSecret,
  secretsOfServiceAccount,
} from '../../catalog/service-accounts.ts';
import type { DomainContext } from '../context.ts';
import { requireOrganization } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';
import type { AccountSecret, CredentialMint, Place, ServiceAccounts } from './credentials.ts';
import { givenRoles, keepingAnOwner } from './given-roles.ts';

const SECRETS_MAX = 2;
const HOUR_MS = 3_600_000;
/** Atlas's bounds of how long a secret may last. */
const HOURS_LEAST = 8;
const HOURS_MOST = 8760;

/** Runs a change in one transaction, and asks for a copy of the catalog with it. */
export type Changing = <T>(work: (writer: CatalogWriter) => Promise<T>) => Promise<T>;

/** Rotation: a second secret is made, whoever uses the account moves to it, the first is deleted. */
export function createAccountSecrets(
  context: DomainContext,
  mint: CredentialMint,
  changing: Changing,
): Pick<ServiceAccounts, 'createSecret' | 'deleteSecret'> {
  return {
    createSecret: async ({ place, clientId, secretExpiresAfterHours }) =>
      await changing(async (writer) => {
        const row = await requireAccount(writer, place, clientId);
        await refuseReachingFurther(writer, row, place);
        const secrets = await secretsOfServiceAccount(writer, row.id);
        const live = secrets.filter(
          (secret) => (secret.expiresAtMs ?? Number.POSITIVE_INFINITY) > context.clock.nowMs(),
        );
        if (live.length >= SECRETS_MAX) throw refuse('SERVICE_ACCOUNT_SECRET_LIMIT_REACHED', [`${SECRETS_MAX}`]);
        return await newSecret(writer, context, mint, { account: row, hours: secretExpiresAfterHours });
      }),

    deleteSecret: async ({ place, clientId, secretId }) => {
      await changing(async (writer) => {
        const row = await requireAccount(writer, place, clientId);
        await refuseReachingFurther(writer, row, place);
        const secrets = await secretsOfServiceAccount(writer, row.id);
        if (!secrets.some(({ id }) => id === secretId)) throw refuse('SERVICE_ACCOUNT_SECRET_NOT_FOUND', [secretId]);
        await keepingAnOwner(writer, context, row.organizationId, async () => {
          await deleteTokensOfSecret(writer, secretId);
          await deleteServiceAccountSecret(writer, secretId);
        });
      });
    },
  };
}

export async function newSecret(
  writer: CatalogWriter,
  { clock, ids }: DomainContext,
  mint: CredentialMint,
  { account, hours }: { account: ServiceAccountRow; hours: number },
): Promise<AccountSecret & { secret: string }> {
  await checkHours(writer, account.organizationId, hours);
  const nowMs = clock.nowMs();
  const { secret, ...kept } = mint.secret();
  const row: ServiceAccountSecretRow = {
    ...kept,
    id: ids.next(),
    serviceAccountId: account.id,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + hours * HOUR_MS,
    lastUsedAtMs: null,
  };
  await insertServiceAccountSecret(writer, row);
  return { ...secretView(row), secret };
}

async function checkHours(reader: CatalogReader, organizationId: string, hours: number): Promise<void> {
  const { settings } = await requireOrganization(reader, organizationId);
  const most = decodeOrganizationSettings(settings).maxServiceAccountSecretValidityInHours ?? HOURS_MOST;
  if (hours >= HOURS_LEAST && hours <= most) return;
  const field = 'secretExpiresAfterHours';
  const description = `must be from ${HOURS_LEAST} to ${most}`;
  throw refuse('VALIDATION_ERROR', [`${field} ${description}`], [{ field, description }]);
}

/**
 * From a project only those accounts are managed that are its own: made in it, without a role anywhere else. Otherwise
 * a project's owner could make a secret for an account of the organization's owner, and call as that; or for one that
 * the organization gives rights elsewhere later on. What has a role in the organization is the organization's.
 */
export async function refuseReachingFurther(
  reader: CatalogReader,
  account: Pick<ServiceAccountRow, 'id' | 'clientId'>,
  place: Place,
): Promise<void> {
  if (!('projectId' in place)) return;
  const roles = await givenRoles(reader, { kind: 'serviceAccount', id: account.id });
  if (roles.every(({ projectId }) => projectId === place.projectId)) return;
  throw refuse('SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT', [account.clientId, place.projectId]);
}

/**
 * A project gives roles to accounts of the organization and to its own. Another project's own account would be managed
 * from neither afterwards: whoever invited it would have taken it out of the hands of those who made it.
 */
export async function refuseAnothersOwn(
  reader: CatalogReader,
  account: Pick<ServiceAccountRow, 'id' | 'clientId'>,
  projectId: string,
): Promise<void> {
  const roles = await givenRoles(reader, { kind: 'serviceAccount', id: account.id });
  if (roles.some(({ organizationId }) => organizationId !== null)) return;
  if (roles.every((role) => role.projectId === projectId)) return;
  throw refuse('SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT', [account.clientId, projectId]);
}

export async function requireAccount(
  reader: CatalogReader,
  place: Place,
  clientId: string,
): Promise<ServiceAccountRow> {
  const row = await findServiceAccount(reader, place, clientId);
  if (row === undefined) throw refuse('SERVICE_ACCOUNT_NOT_FOUND', [clientId]);
  return row;
}

export function secretView({
  id,
  createdAtMs,
  expiresAtMs,
  lastUsedAtMs,
  secretTail,
}: ServiceAccountSecretRow): AccountSecret {
  return { id, createdAtMs, expiresAtMs, lastUsedAtMs, tail: secretTail };
}
