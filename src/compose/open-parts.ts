import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import { Reserve } from '../catalog/reserve.ts';
import { readSecretBox } from '../catalog/secret-key.ts';
import { readSetting, requireSame } from '../catalog/settings.ts';
import { catalogPathOf, reservePathOf, secretKeyPathOf } from '../config.ts';
import { createContext, type DomainContext } from '../domain/context.ts';
import { createDomain, type DomainPorts } from '../domain/create-domain.ts';
import type { Domain } from '../domain/domain.ts';
import { must } from '../lib/assert.ts';
import { parseHostRule } from '../lib/host-rules.ts';
import { readClusterIdentities } from '../mongo/connection/cluster-identities.ts';
import { type ConnectionPolicy, setConnectionPolicy } from '../mongo/connection/connect.ts';
import type { Repository } from '../repository/repository.ts';
import type { Duty } from '../tasks/timer.ts';
import { initFault } from './init-fault.ts';
import type { OpenOptions } from './open-options.ts';
import { accessOf, openCopyRepositories, openRepositoryOf } from './places.ts';
import { createPorts } from './ports.ts';
import type { Tools } from './tools.ts';

export interface Parts {
  catalog: Catalog;
  repository: Repository;
  context: DomainContext;
  ports: DomainPorts;
  domain: Domain;
}

function reserveOf(dataDir: string, { random, log }: Tools): Reserve {
  const onRelease = (): void =>
    log.error(
      { dataDir },
      'the disk of the data directory is full: the reserve was given up, so that the catalog can go on',
    );
  return new Reserve(reservePathOf(dataDir), { random, onRelease });
}

/** Makes the reserve anew, once there is room again. */
export function reserveDuty(dataDir: string, tools: Tools): Duty {
  const reserve = reserveOf(dataDir, tools);
  return { name: 'keep the reserve', run: async () => await reserve.keep(), nextDueMs: async () => null };
}

export async function openParts(options: OpenOptions, tools: Tools, wakeWorker: () => void): Promise<Parts> {
  const secretBox = await readSecretBox(secretKeyPathOf(options.dataDir), tools.random);
  const access = await accessOf(options, tools);
  const policy = await connectionPolicyOf(options);
  const repository = await openRepositoryOf(options, tools, access);
  const reserve = reserveOf(options.dataDir, tools);
  const catalog = await openCatalog({ path: catalogPathOf(options.dataDir), clock: tools.clock, reserve });
  try {
    await reserve.keep();
    setConnectionPolicy(policy);
    if ((await readSetting(catalog.reader, 'repositoryId')) === null) {
      const hint = 'Run the same command again';
      throw initFault(options.dataDir, `making ${options.dataDir} was cut off before its end`, hint);
    }
    await requireSame(catalog.reader, 'repositoryId', repository.repositoryId, 'the repository');
    await requireSame(catalog.reader, 'secretKeyFingerprint', secretBox.fingerprint(), 'secret.key');
    const { clock, ids, log } = tools;
    const context = createContext({ catalog, clock, ids, secretBox, log }, wakeWorker);
    const copyRepositories = await openCopyRepositories(repository, options, access);
    const ports = createPorts({ repository, copyRepositories, access, catalog, policy }, tools, options);
    return { catalog, repository, context, ports, domain: createDomain(context, ports) };
  } catch (error) {
    await catalog.close();
    throw error;
  }
}

/** Where this process may connect and as whom it may sign in. */
async function connectionPolicyOf({ clusterAllow = [], clusterIdentities }: OpenOptions): Promise<ConnectionPolicy> {
  const rules = clusterAllow.map((text) => must(parseHostRule(text), 'the configuration was read'));
  const identities = clusterIdentities === undefined ? undefined : await readClusterIdentities(clusterIdentities);
  return { allow: rules.length === 0 ? undefined : rules, identities };
}
