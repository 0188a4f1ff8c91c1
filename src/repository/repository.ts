import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { Fault, Misconfigured } from '../lib/errors.ts';
import { createIdSource } from '../lib/ids.ts';
import type { Random } from '../lib/random.ts';
import { ObjectExists, type ObjectStore } from '../storage/object-store.ts';
import { mendDescription, readDescription, tryToMend } from './description.ts';
import {
  decrypt,
  deriveKeys,
  encrypt,
  keyOfPassphrase,
  newDataKey,
  newScryptParameters,
  type RepositoryKeys,
} from './encryption.ts';
import {
  decodeRepositoryJson,
  encodeRepositoryJson,
  NEWEST_VERSION,
  REPOSITORY_JSON,
  type RepositoryEncryption,
  type RepositoryJson,
} from './format/repository-json.ts';
import { type Chunker, defaultChunkSizes } from './layers/boundaries.ts';
import { Sealer } from './sealing.ts';
import { WeighedCache } from './weighed-cache.ts';

const SHARED_PAYLOAD_BYTES_MAX = 32 << 20;

export interface RepositoryContext {
  store: ObjectStore;
  clock: Clock;
  random: Random;
}

/** An open repository: its parameters and, where it is encrypted, its keys. Holds no state that can grow stale. */
export class Repository {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly repositoryId: string;
  readonly createdAt: string;
  readonly encrypted: boolean;
  readonly chunker: Chunker;
  readonly sealer: Sealer;
  /** Payloads of shared blobs, whose extents are read one by one. Content-addressed: none can grow stale. */
  readonly sharedPayloads = new WeighedCache<Buffer>(SHARED_PAYLOAD_BYTES_MAX);
  /** What was found wrong with its description, and became of that; null where nothing was. */
  notice: string | null = null;
  #json: RepositoryJson;
  #described = false;

  constructor(context: RepositoryContext, description: RepositoryJson, keys: RepositoryKeys | null) {
    assert((description.encryption === null) === (keys === null), 'an encrypted repository is opened with its keys');
    this.store = context.store;
    this.clock = context.clock;
    this.random = context.random;
    this.repositoryId = description.repositoryId;
    this.createdAt = description.createdAt;
    this.encrypted = keys !== null;
    const seed = description.chunker.seed ?? keys?.boundary.readUInt32LE(0);
    assert(seed !== undefined, 'the boundary seed is in the file or derived');
    this.chunker = { ...description.chunker, seed };
    this.#json = description;
    this.sealer = new Sealer(keys, context.random, description.compressionLevel);
  }

  /** What `repository.json` and its copy are to hold. */
  get description(): Buffer {
    return encodeRepositoryJson(this.#json);
  }

  /** Called by who writes: sees to it, once, that description and copy are there and sound, with a checksum. */
  async secureDescription(): Promise<void> {
    if (this.#described) return;
    await mendDescription(this.store, this.description);
    this.#described = true;
  }

  /**
   * Called before a manifest of the newest version is put: from then on an older Tidemark refuses the repository, which
   * it could read only in part.
   */
  async becomeNewest(): Promise<void> {
    if (this.#json.version !== NEWEST_VERSION) {
      this.#json = { ...this.#json, version: NEWEST_VERSION };
      this.#described = false;
    }
    await this.secureDescription();
  }
}

/**
 * Refuses where there is a repository already. The passphrase encrypts it; there is no way back without it.
 * `scryptCost` is scrypt's `n`, less than usual only where nothing is to be kept secret.
 */
export async function createRepository(
  context: RepositoryContext,
  options: { passphrase?: string; chunker?: Partial<Chunker>; scryptCost?: number } = {},
): Promise<Repository> {
  const { clock, random, store } = context;
  const repositoryId = createIdSource(clock, random).next();
  const { passphrase, scryptCost } = options;
  const made = passphrase === undefined ? null : await makeKeys(passphrase, { repositoryId, random, scryptCost });
  const seed = options.chunker?.seed ?? random.bytes(4).readUInt32LE(0);
  const description: RepositoryJson = {
    version: NEWEST_VERSION,
    repositoryId,
    createdAt: new Date(clock.nowMs()).toISOString(),
    chunker: { ...defaultChunkSizes, ...options.chunker, seed: made === null ? seed : null },
    compressionLevel: 1,
    encryption: made?.encryption ?? null,
  };
  const bytes = encodeRepositoryJson(description);
  decodeRepositoryJson(bytes, REPOSITORY_JSON); // what we would refuse to open is not written
  try {
    await store.put(REPOSITORY_JSON, bytes, { ifAbsent: true });
  } catch (cause) {
    if (!(cause instanceof ObjectExists)) throw cause;
    throw new Fault({
      op: 'create repository',
      subject: store.description,
      message: `there is a repository already in ${store.description}`,
      hint: 'Use the repository that is there, or choose an empty place',
      cause,
    });
  }
  await mendDescription(store, bytes);
  return new Repository(context, description, made?.keys ?? null);
}

async function makeKeys(
  passphrase: string,
  { repositoryId, random, scryptCost }: { repositoryId: string; random: Random; scryptCost: number | undefined },
): Promise<{ encryption: RepositoryEncryption; keys: RepositoryKeys }> {
  assert(passphrase.length > 0, 'a passphrase is not empty');
  const dataKey = newDataKey(random);
  const parameters = newScryptParameters(random, scryptCost);
  const wrapped = encrypt(await keyOfPassphrase(passphrase, parameters), random, dataKey, [Buffer.from(repositoryId)]);
  return {
    encryption: { scrypt: parameters, dataKey: { id: random.bytes(12).toString('hex'), wrapped } },
    keys: deriveKeys(dataKey, repositoryId),
  };
}

export async function openRepository(
  context: RepositoryContext,
  options: { passphrase?: string } = {},
): Promise<Repository> {
  const { store } = context;
  const fault = (message: string, hint: string): Fault =>
    new Fault({ op: 'open repository', subject: store.description, message, hint });
  const misconfigured = (message: string, hint: string): Misconfigured =>
    new Misconfigured({ option: 'passphrase', subject: store.description, message, hint });
  const found = await readDescription(store);
  if (found === null) {
    throw fault(`there is no repository in ${store.description}`, 'Check the place, or run `tidemark init`');
  }
  const { description, checked, trouble } = found;
  const opened = async (keys: RepositoryKeys | null): Promise<Repository> => {
    const repository = new Repository(context, description, keys);
    if (trouble === null) return repository;
    const failure = await tryToMend(store, repository.description);
    const became =
      failure === null ? 'it was put back from its copy' : `its copy is used; it could not be put back: ${failure}`;
    repository.notice = `${trouble}; ${became}`;
    return repository;
  };
  if (description.encryption === null) {
    if (options.passphrase === undefined) return await opened(null);
    // Silence would leave its owner believing that the backups are encrypted.
    throw misconfigured(
      `the repository in ${store.description} is not encrypted, yet a passphrase was given`,
      'Leave out --passphrase-file, and unset TIDEMARK_PASSPHRASE',
    );
  }
  if (options.passphrase === undefined) {
    throw misconfigured(
      `the repository in ${store.description} is encrypted, and no passphrase was given`,
      'Give it with --passphrase-file FILE, or set TIDEMARK_PASSPHRASE',
    );
  }
  const { scrypt, dataKey } = description.encryption;
  const keyEncryptionKey = await keyOfPassphrase(options.passphrase, scrypt);
  const unwrapped = decrypt(keyEncryptionKey, dataKey.wrapped, [Buffer.from(description.repositoryId)]);
  if (unwrapped === null) {
    const hint = checked
      ? 'Give the passphrase that it was made with, by --passphrase-file FILE or TIDEMARK_PASSPHRASE: nothing else opens it'
      : `Check the passphrase (--passphrase-file or TIDEMARK_PASSPHRASE). Where it is right, ${REPOSITORY_JSON} was changed: put it back from a copy of the repository`;
    throw misconfigured(`the passphrase is not that of the repository in ${store.description}`, hint);
  }
  return await opened(deriveKeys(unwrapped, description.repositoryId));
}
