import { Option } from 'commander';
import type { CallersDomain } from '../compose/operator.ts';
import type { AccessListOwner } from '../domain/credentials/credentials.ts';
import { createLogger } from '../lib/logger.ts';
import { everyItem } from './every-item.ts';
import { parseId } from './options.ts';
import { UsageError } from './usage-error.ts';

export const organizationOption = (): Option =>
  new Option('--org <id>', 'the organization; needed only where there are several').argParser(parseId);

export async function chooseOrganization(
  domain: CallersDomain,
  id: string | undefined,
): Promise<{ id: string; name: string }> {
  if (id !== undefined) return await domain.organizations.get(id);
  const all = await everyItem((page) => domain.organizations.list({ visibleTo: 'everything', page }));
  const [only, ...others] = all;
  if (only === undefined) throw new UsageError('There is no organization yet: run `tidemark init` first.');
  if (others.length === 0) return only;
  const names = all.map((each) => `${each.name} (${each.id})`).join(', ');
  throw new UsageError(`There are several organizations, so say which with --org: ${names}.`);
}

/** An API key or a service account, as the operator of the host sees it. */
export interface KnownCaller {
  kind: 'apiKey' | 'serviceAccount';
  id: string;
  /** The public key or the client id. */
  name: string;
  description: string;
  roles: string[];
  accessList: string[];
}

export async function everyCaller(domain: CallersDomain, organizationId: string): Promise<KnownCaller[]> {
  const place = { organizationId };
  const keys = await everyItem((page) => domain.apiKeys.list({ place, page }));
  const accounts = await everyItem((page) => domain.serviceAccounts.list({ place, page }));
  const all = [
    ...keys.map((key) => ({ ...key, kind: 'apiKey' as const, name: key.publicKey })),
    ...accounts.map((account) => ({ ...account, kind: 'serviceAccount' as const, name: account.clientId })),
  ];
  return await Promise.all(
    all.map(async ({ kind, id, name, description, roles }) => ({
      kind,
      id,
      name,
      description,
      roles: roles.map(({ roleName }) => roleName),
      accessList: await accessListOf(domain, { kind, id }),
    })),
  );
}

export async function accessListOf(domain: CallersDomain, owner: AccessListOwner): Promise<string[]> {
  const entries = await everyItem((page) => domain.accessLists.list({ owner, page }));
  return entries.map(({ cidrBlock }) => cidrBlock);
}

/** The operator of the host passes by what the API guards: that stands in the log, as what callers change does. */
export function logAccessChange(action: string, facts: object): void {
  createLogger('info').info({ action, ...facts }, 'access was changed on the host');
}
