import { createCredentialMint } from '../../src/auth/credential-mint.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { createApiKeys } from '../../src/domain/credentials/api-keys.ts';
import { createServiceAccounts } from '../../src/domain/credentials/service-accounts.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { IdSource } from '../../src/lib/ids.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { SecretBox } from '../../src/lib/secret-box.ts';

/** An API key and a service account that own the organization, made as the service makes them. */
export async function madeCallers(
  world: { catalog: Catalog; clock: Clock; ids: IdSource; secretBox: SecretBox },
  organizationId: string,
) {
  const context = { ...world, log: silentLogger };
  const mint = createCredentialMint(systemRandom);
  const owner = { place: { organizationId }, description: 'test', roleNames: ['ORG_OWNER'] };
  return {
    apiKey: await createApiKeys(context, mint).create(owner),
    account: await createServiceAccounts(context, mint).create({ ...owner, name: 'ci', secretExpiresAfterHours: 24 }),
  };
}
