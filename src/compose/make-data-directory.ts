import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createCredentialMint } from '../auth/credential-mint.ts';
import { allApiKeys } from '../catalog/api-keys.ts';
import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import { allOrganizations } from '../catalog/organizations.ts';
import { takeProcessLock } from '../catalog/process-lock.ts';
import { makeSecretBox } from '../catalog/secret-key.ts';
import { readSetting, requireSame, writeSetting } from '../catalog/settings.ts';
import { catalogPathOf, lockPathOf, secretKeyPathOf } from '../config.ts';
import { createContext, type DomainContext, queueCatalogCopy } from '../domain/context.ts';
import { createDomain, createTaskHandlers } from '../domain/create-domain.ts';
import { createApiKeys } from '../domain/credentials/api-keys.ts';
import { createServiceAccounts } from '../domain/credentials/service-accounts.ts';
import { flushCatalogCopy } from '../domain/repositories/flush-catalog-copy.ts';
import { type RebuildReport, rebuildCatalog } from '../domain/repositories/rebuild.ts';
import { must } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { makeUsableDirectory } from '../lib/make-directory.ts';
import type { Repository } from '../repository/repository.ts';
import { initFault } from './init-fault.ts';
import type { OpenOptions } from './open-options.ts';
import { accessOf, createOrAdoptRepository, openRepositoryOf, writePlace } from './places.ts';
import { createPorts } from './ports.ts';
import { createTools, type Tools } from './tools.ts';

const SERVICE_ACCOUNT_SECRET_HOURS = 24 * 365;

/** Somebody waits for an answer: a store that is not there is said to be so within seconds. */
const PROMPT = { attemptsMax: 3, idleMs: 10_000 };

export interface InitOptions extends OpenOptions {
  organizationName?: string;
  projectName?: string;
}

/** What `tidemark init` shows, once: the two secrets are kept nowhere in this form. */
export interface InitializedDataDirectory {
  repositoryId: string;
  encrypted: boolean;
  organizationId: string;
  projectId: string;
  apiKey: { publicKey: string; privateKey: string };
  serviceAccount: { clientId: string; secret: string; secretExpiresAtMs: number };
}

/**
 * Makes a data directory: secret key, repository (encrypted with the passphrase where there is one), catalog, a first
 * organization and project, an API key and a service account that own the organization. Refuses a directory that is in
 * use, and a repository that holds snapshots. What a run that was cut off left is taken up.
 */
export async function initDataDirectory(options: InitOptions): Promise<InitializedDataDirectory> {
  const tools = createTools(options.log ?? silentLogger);
  await requireNoRepository(options.dataDir);
  await makeUsableDirectory(options.dataDir, 'dataDir');
  const secretBox = await makeSecretBox(secretKeyPathOf(options.dataDir), tools.random);
  const catalog = await openNewCatalog(options.dataDir, tools.clock);
  try {
    const access = { ...(await accessOf(options, tools)), policy: PROMPT };
    const repository = await createOrAdoptRepository(options, tools, access);
    const { clock, ids, log } = tools;
    const context = createContext({ catalog, clock, ids, secretBox, log }, () => {});
    const ports = createPorts({ repository, copyRepositories: new Map(), access, catalog }, tools, options);
    const domain = createDomain(context, ports);
    const organization = await domain.organizations.create({ name: options.organizationName ?? 'Tidemark' });
    const organizationId = organization.id;
    const project = await domain.projects.create({ organizationId, name: options.projectName ?? 'default' });
    const apiKey = await createFirstKey(context, tools, organizationId);
    const serviceAccount = await createFirstAccount(context, tools, organizationId);
    await writePlace(options);
    await writeIdentity(context, repository);
    await flushCatalogCopy(context, createTaskHandlers(context, ports), tools.random);
    const { repositoryId, encrypted } = repository;
    return { repositoryId, encrypted, organizationId, projectId: project.id, apiKey, serviceAccount };
  } finally {
    await catalog.close();
  }
}

/**
 * The identity is the last thing that an init or a rebuild writes. A catalog without one is what a run that was cut off
 * left: nothing is lost with it.
 */
async function openNewCatalog(dataDir: string, clock: Clock): Promise<Catalog> {
  const path = catalogPathOf(dataDir);
  const found = await openCatalog({ path, clock });
  const identity = await readSetting(found.reader, 'repositoryId');
  await found.close();
  if (identity !== null) throw initFault(dataDir, `there is a Tidemark in ${dataDir} already`, 'Run `tidemark serve`');
  for (const suffix of ['', '-wal', '-shm']) await rm(`${path}${suffix}`, { force: true });
  return await openCatalog({ path, clock });
}

const FIRST_CALLER = { description: 'made by tidemark init', roleNames: ['ORG_OWNER'] };

async function createFirstKey(
  context: DomainContext,
  { random }: Tools,
  organizationId: string,
): Promise<InitializedDataDirectory['apiKey']> {
  const apiKeys = createApiKeys(context, createCredentialMint(random));
  const { publicKey, privateKey } = await apiKeys.create({ place: { organizationId }, ...FIRST_CALLER });
  return { publicKey, privateKey };
}

async function createFirstAccount(
  context: DomainContext,
  { random }: Tools,
  organizationId: string,
): Promise<InitializedDataDirectory['serviceAccount']> {
  const { clientId, secret, secrets } = await createServiceAccounts(context, createCredentialMint(random)).create({
    place: { organizationId },
    name: 'tidemark',
    ...FIRST_CALLER,
    secretExpiresAfterHours: SERVICE_ACCOUNT_SECRET_HOURS,
  });
  const [kept] = secrets;
  const secretExpiresAtMs = must(kept?.expiresAtMs, 'a secret that was made so expires');
  return { clientId, secret, secretExpiresAtMs };
}

export interface RebuiltDataDirectory extends RebuildReport {
  /** Made where no API key could be brought back: their secrets are in copies of encrypted repositories only. */
  apiKey: { publicKey: string; privateKey: string } | null;
}

/** The secret key would travel with every copy of the repository. */
async function requireNoRepository(dataDir: string): Promise<void> {
  if ((await stat(join(dataDir, 'repository.json')).catch(() => null)) === null) return;
  const hint = 'Name another directory; for a new catalog on this repository run `tidemark repository rebuild --from`';
  throw initFault(dataDir, `${dataDir} is a repository itself, and cannot be a data directory too`, hint);
}

/**
 * Makes the catalog anew from the repository, in a data directory that lost it; adds what is missing to one that did
 * not. Nothing may be serving from it.
 */
export async function rebuildDataDirectory(options: OpenOptions): Promise<RebuiltDataDirectory> {
  const tools = createTools(options.log ?? silentLogger);
  await makeUsableDirectory(options.dataDir, 'dataDir');
  const access = await accessOf(options, tools);
  const repository = await openRepositoryOf(options, tools, access);
  const secretBox = await makeSecretBox(secretKeyPathOf(options.dataDir), tools.random);
  const lock = takeProcessLock(lockPathOf(options.dataDir));
  let catalog: Catalog | undefined;
  try {
    catalog = await openCatalog({ path: catalogPathOf(options.dataDir), clock: tools.clock });
    await requireSame(catalog.reader, 'repositoryId', repository.repositoryId, 'the repository');
    const { clock, ids, log } = tools;
    const context = createContext({ catalog, clock, ids, secretBox, log }, () => {});
    const ports = createPorts({ repository, copyRepositories: new Map(), access, catalog }, tools, options);
    const report = await rebuildCatalog(context, ports, options.signal);
    const apiKey = await apiKeyAfterRebuild(context, tools);
    await writePlace(options);
    await writeIdentity(context, repository);
    await flushCatalogCopy(context, createTaskHandlers(context, ports), tools.random);
    return { ...report, apiKey };
  } finally {
    await catalog?.close();
    lock.release();
  }
}

async function apiKeyAfterRebuild(context: DomainContext, tools: Tools): Promise<RebuiltDataDirectory['apiKey']> {
  const { catalog } = context;
  if ((await allApiKeys(catalog.reader)).some((apiKey) => apiKey.deletedAtMs === null)) return null;
  const [organization] = await allOrganizations(catalog.reader);
  if (organization === undefined) return null;
  return await createFirstKey(context, tools, organization.id);
}

/** Binds the catalog to its repository and secret key, and asks for a copy of it all, whatever was written before. */
async function writeIdentity(context: DomainContext, repository: Repository): Promise<void> {
  await context.catalog.transact(async (writer) => {
    await writeSetting(writer, 'repositoryId', repository.repositoryId);
    await writeSetting(writer, 'secretKeyFingerprint', context.secretBox.fingerprint());
    await queueCatalogCopy(writer, context);
  });
}
