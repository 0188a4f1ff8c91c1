import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import { readSecretBox } from '../catalog/secret-key.ts';
import { readSetting, requireSame } from '../catalog/settings.ts';
import { catalogPathOf, secretKeyPathOf } from '../config.ts';
import type { DomainContext } from '../domain/context.ts';
import { createDomain, type DomainPorts } from '../domain/create-domain.ts';
import type { Domain } from '../domain/domain.ts';
import type { Repository } from '../repository/repository.ts';
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

export async function openParts(options: OpenOptions, tools: Tools, wakeWorker: () => void): Promise<Parts> {
  const secretBox = await readSecretBox(secretKeyPathOf(options.dataDir), tools.random);
  const access = await accessOf(options, tools);
  const repository = await openRepositoryOf(options, tools, access);
  const catalog = await openCatalog({ path: catalogPathOf(options.dataDir), clock: tools.clock });
  try {
    if ((await readSetting(catalog.reader, 'repositoryId')) === null) {
      const hint = 'Run the same command again';
      throw initFault(options.dataDir, `making ${options.dataDir} was cut off before its end`, hint);
    }
    await requireSame(catalog.reader, 'repositoryId', repository.repositoryId, 'the repository');
    await requireSame(catalog.reader, 'secretKeyFingerprint', secretBox.fingerprint(), 'secret.key');
    const { clock, ids, log } = tools;
    const context: DomainContext = { catalog, clock, ids, secretBox, log, wakeWorker };
    const copyRepositories = await openCopyRepositories(repository, options, access);
    const ports = createPorts({ repository, copyRepositories, access, catalog }, tools, options);
    return { catalog, repository, context, ports, domain: createDomain(context, ports) };
  } catch (error) {
    await catalog.close();
    throw error;
  }
}
