import { createCredentialMint } from '../auth/credential-mint.ts';
import { openCatalog } from '../catalog/catalog.ts';
import { readSecretBox } from '../catalog/secret-key.ts';
import { readSetting, requireSame } from '../catalog/settings.ts';
import { catalogPathOf, secretKeyPathOf } from '../config.ts';
import { createContext } from '../domain/context.ts';
import { createAccessLists } from '../domain/credentials/access-lists.ts';
import { createApiKeys } from '../domain/credentials/api-keys.ts';
import { createServiceAccounts } from '../domain/credentials/service-accounts.ts';
import type { Domain } from '../domain/domain.ts';
import { createOrganizations } from '../domain/organizations/create-organizations.ts';
import { createProjects } from '../domain/projects/create-projects.ts';
import { silentLogger } from '../lib/logger.ts';
import { initFault } from './init-fault.ts';
import { requireDataDirectory } from './service.ts';
import { createTools } from './tools.ts';

/** What concerns callers, and nothing of what is backed up. */
export type CallersDomain = Pick<Domain, 'organizations' | 'projects' | 'apiKeys' | 'serviceAccounts' | 'accessLists'>;

/**
 * For whoever runs the host: catalog and secret key alone, so that the way back in is open while the repository is away
 * or its passphrase not at hand. The copy of the catalog that a change asks for is the service's to write.
 */
export async function openCallers(dataDir: string): Promise<{ domain: CallersDomain; close(): Promise<void> }> {
  const { clock, random, ids } = createTools(silentLogger);
  await requireDataDirectory(dataDir);
  const secretBox = await readSecretBox(secretKeyPathOf(dataDir), random);
  const catalog = await openCatalog({ path: catalogPathOf(dataDir), clock });
  try {
    if ((await readSetting(catalog.reader, 'repositoryId')) === null)
      throw initFault(dataDir, `making ${dataDir} was cut off before its end`, 'Run the same command again');
    await requireSame(catalog.reader, 'secretKeyFingerprint', secretBox.fingerprint(), 'secret.key');
    const context = createContext({ catalog, clock, ids, secretBox, log: silentLogger }, () => {});
    const mint = createCredentialMint(random);
    return {
      domain: {
        organizations: createOrganizations(context),
        projects: createProjects(context),
        apiKeys: createApiKeys(context, mint),
        serviceAccounts: createServiceAccounts(context, mint),
        accessLists: createAccessLists(context),
      },
      close: async () => await catalog.close(),
    };
  } catch (error) {
    await catalog.close();
    throw error;
  }
}
