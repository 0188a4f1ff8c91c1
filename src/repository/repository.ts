import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { createIdSource } from '../lib/ids.ts';
import type { Random } from '../lib/random.ts';
import { ObjectExists, ObjectMissing, type ObjectStore } from '../storage/object-store.ts';
import { type Chunker, defaultChunkSizes } from './boundaries.ts';
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
  REPOSITORY_JSON,
  type RepositoryEncryption,
  type RepositoryJson,
} from './format/repository-json.ts';
import { Sealer } from './sealing.ts';

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
    this.sealer = new Sealer(keys, context.random, description.compressionLevel);
  }
}

/** Refuses where there is a repository already. The passphrase encrypts it; there is no way back without it. */
export async function createRepository(
  context: RepositoryContext,
  options: { passphrase?: string; chunker?: Partial<Chunker> } = {},
): Promise<Repository> {
  const { clock, random, store } = context;
  const repositoryId = createIdSource(clock, random).next();
  const made = options.passphrase === undefined ? null : await makeKeys(options.passphrase, repositoryId, random);
  const seed = options.chunker?.seed ?? random.bytes(4).readUInt32LE(0);
  const description: RepositoryJson = {
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
  return new Repository(context, description, made?.keys ?? null);
}

async function makeKeys(
  passphrase: string,
  repositoryId: string,
  random: Random,
): Promise<{ encryption: RepositoryEncryption; keys: RepositoryKeys }> {
  assert(passphrase.length > 0, 'a passphrase is not empty');
  const dataKey = newDataKey(random);
  const parameters = newScryptParameters(random);
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
  const fault = (message: string, hint: string, cause?: unknown): Fault =>
    new Fault({ op: 'open repository', subject: store.description, message, hint, cause });
  let bytes: Buffer;
  try {
    bytes = await store.get(REPOSITORY_JSON);
  } catch (cause) {
    if (!(cause instanceof ObjectMissing)) throw cause;
    throw fault(`there is no repository in ${store.description}`, 'Check the place, or run `tidemark init`', cause);
  }
  const description = decodeRepositoryJson(bytes, REPOSITORY_JSON);
  if (description.encryption === null) {
    if (options.passphrase === undefined) return new Repository(context, description, null);
    // Silence would leave its owner believing that the backups are encrypted.
    throw fault(
      `the repository in ${store.description} is not encrypted, yet a passphrase was given`,
      'Drop the passphrase',
    );
  }
  if (options.passphrase === undefined) {
    throw fault(`the repository in ${store.description} is encrypted`, 'Give its passphrase');
  }
  const { scrypt, dataKey } = description.encryption;
  const keyEncryptionKey = await keyOfPassphrase(options.passphrase, scrypt);
  const unwrapped = decrypt(keyEncryptionKey, dataKey.wrapped, [Buffer.from(description.repositoryId)]);
  if (unwrapped === null) {
    throw fault(`the passphrase is not that of the repository in ${store.description}`, 'Check the passphrase');
  }
  return new Repository(context, description, deriveKeys(unwrapped, description.repositoryId));
}
