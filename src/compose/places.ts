import { writeFile } from 'node:fs/promises';
import { repositoryPlaceOf, repositoryPlacePathOf } from '../config.ts';
import { Damage, Fault, Misconfigured } from '../lib/errors.ts';
import { keepPrivate } from '../lib/private-files.ts';
import { openCopyRepository } from '../repository/copy-snapshot.ts';
import { readDescription } from '../repository/description.ts';
import { listManifests } from '../repository/manifests.ts';
import { MANIFESTS_PREFIX } from '../repository/object-keys.ts';
import { createRepository, openRepository, type Repository, type RepositoryContext } from '../repository/repository.ts';
import { cancellable } from '../storage/cancellable.ts';
import { openStoreAt, type StoreAccess, storeAccess } from '../storage/open-store.ts';
import { requireConditionalPuts } from '../storage/require-conditional-puts.ts';
import { parseStoreUrl } from '../storage/store-url.ts';
import { initFault } from './init-fault.ts';
import type { OpenOptions } from './open-options.ts';
import type { Tools } from './tools.ts';

export async function accessOf({ objectStores }: OpenOptions, { clock, random }: Tools): Promise<StoreAccess> {
  return await storeAccess({ objectStoresFile: objectStores, env: process.env, clock, random });
}

export async function openCopyRepositories(
  repository: Repository,
  options: OpenOptions,
  access: StoreAccess,
): Promise<Map<string, Repository>> {
  const own = JSON.stringify(parseStoreUrl(repositoryPlaceOf(options.dataDir, options.repository)));
  const passphrase = options.passphrase === undefined ? {} : { passphrase: options.passphrase };
  const opened = new Map<string, Repository>();
  for (const [regionName, directory] of Object.entries(options.copyStores ?? {})) {
    const place = parseStoreUrl(directory, 'copyStores');
    if (JSON.stringify(place) === own) {
      const message = `the copy store of ${regionName} is the repository itself`;
      const hint = 'Copies belong somewhere else: give that region another directory or URL';
      throw new Misconfigured({ option: 'copyStores', subject: directory, message, hint });
    }
    const store = await openStoreAt(directory, access, 'copyStores');
    opened.set(regionName, await openCopyRepository(repository, store, passphrase));
  }
  return opened;
}

export function copyRepositoryIn(copyRepositories: ReadonlyMap<string, Repository>, regionName: string): Repository {
  const found = copyRepositories.get(regionName);
  if (found !== undefined) return found;
  throw new Fault({
    op: 'open copy store',
    subject: regionName,
    message: `no copy store is configured for ${regionName}`,
    retryable: true,
    hint: `Say where it is: --copy-store ${regionName}=DIRECTORY or =URL`,
  });
}

export async function createOrAdoptRepository(
  options: OpenOptions,
  tools: Tools,
  access: StoreAccess,
): Promise<Repository> {
  const context = await repositoryContext(options, tools, access, { existing: false });
  const passphrase = options.passphrase === undefined ? {} : { passphrase: options.passphrase };
  if ((await readDescription(context.store)) === null) {
    await requireNoManifests(context.store);
    await requireConditionalPuts(context.store);
    return await createRepository(context, passphrase);
  }
  const repository = await openRepository(context, passphrase);
  for await (const _manifest of listManifests(repository, {})) {
    const hint = 'To take them up run `tidemark repository rebuild`';
    throw initFault(options.dataDir, `the repository in ${options.dataDir} holds snapshots`, hint);
  }
  return repository;
}

/** A new description would have another id and other keys: what is there could never be read again. */
async function requireNoManifests(store: RepositoryContext['store']): Promise<void> {
  for await (const _manifest of store.list(MANIFESTS_PREFIX)) {
    throw new Damage({
      op: 'open repository',
      subject: 'repository.json',
      message: `${store.description} holds snapshots, but repository.json and its copy are missing`,
      hint: 'Put repository.json back from a copy of the repository, or from a copy store: it is the same there',
    });
  }
}

export async function openRepositoryOf(options: OpenOptions, tools: Tools, access: StoreAccess): Promise<Repository> {
  const passphrase = options.passphrase === undefined ? {} : { passphrase: options.passphrase };
  const repository = await openRepository(
    await repositoryContext(options, tools, access, { existing: true }),
    passphrase,
  );
  if (repository.notice !== null) tools.log.warn({ place: repository.store.description }, repository.notice);
  return repository;
}

async function repositoryContext(
  options: OpenOptions,
  { clock, random }: Tools,
  access: StoreAccess,
  { existing }: { existing: boolean },
): Promise<RepositoryContext> {
  const place = repositoryPlaceOf(options.dataDir, options.repository);
  const store = await openStoreAt(place, access, 'repository', { existing });
  return { store: options.signal === undefined ? store : cancellable(store, options.signal), clock, random };
}

/** So that later starts and commands need not be told again where the repository is. */
export async function writePlace({ dataDir, repository }: OpenOptions): Promise<void> {
  if (repository === undefined || repository === '') return;
  const place = parseStoreUrl(repository);
  const line = place.kind === 'directory' ? place.path : repository;
  await writeFile(repositoryPlacePathOf(dataDir), `${line}\n`, { mode: 0o600 });
  keepPrivate(repositoryPlacePathOf(dataDir));
}
