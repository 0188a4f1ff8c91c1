import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  scrypt,
} from 'node:crypto';
import { assert } from '../lib/assert.ts';
import type { Random } from '../lib/random.ts';
import type { ScryptParameters } from './format/repository-json.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What encryption adds to a body: nonce and tag. */
export const ENCRYPTION_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

/**
 * The keys in use, all derived from the one data key. Used many times, so made into key objects once: Node 24 takes
 * 20 us to make one of bytes for each call.
 */
export interface RepositoryKeys {
  encrypt: KeyObject;
  blobId: KeyObject;
  boundary: Buffer;
}

/** What a guess at a passphrase costs: scrypt's `n`, a power of two. */
const SCRYPT_COST = 1 << 15;

export function newScryptParameters(random: Random, cost = SCRYPT_COST): ScryptParameters {
  return { n: cost, r: 8, p: 1, salt: random.bytes(SALT_BYTES) };
}

export function newDataKey(random: Random): Buffer {
  return random.bytes(KEY_BYTES);
}

/** The key-encryption key. Takes about a tenth of a second, off the main thread. */
export async function keyOfPassphrase(passphrase: string, { n, r, p, salt }: ScryptParameters): Promise<Buffer> {
  // scrypt needs 128 * n * r bytes and a little more.
  const options = { N: n, r, p, maxmem: 128 * n * r + (16 << 20) };
  return await new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

export function deriveKeys(dataKey: Buffer, repositoryId: string): RepositoryKeys {
  assert(dataKey.length === KEY_BYTES, 'a data key has 32 bytes');
  const derive = (info: string): Buffer => Buffer.from(hkdfSync('sha256', dataKey, repositoryId, info, KEY_BYTES));
  return {
    encrypt: createSecretKey(derive('tidemark/encrypt')),
    blobId: createSecretKey(derive('tidemark/blob-id')),
    boundary: derive('tidemark/boundary'),
  };
}

/** Writes nonce, ciphertext and tag into `into`, which has exactly the room. */
export function encryptInto(
  into: Buffer,
  key: KeyObject | Buffer,
  nonce: Buffer,
  plain: Uint8Array,
  authenticated: readonly Uint8Array[],
): void {
  assert(into.length === plain.length + ENCRYPTION_OVERHEAD_BYTES, 'the room for a ciphertext is exact');
  assert(nonce.length === NONCE_BYTES, 'a nonce has 12 bytes');
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.concat(authenticated));
  into.set(nonce, 0);
  into.set(cipher.update(plain), NONCE_BYTES);
  cipher.final();
  into.set(cipher.getAuthTag(), into.length - TAG_BYTES);
}

export function encrypt(
  key: KeyObject | Buffer,
  random: Random,
  plain: Uint8Array,
  authenticated: readonly Uint8Array[],
): Buffer<ArrayBuffer> {
  const sealed = Buffer.alloc(plain.length + ENCRYPTION_OVERHEAD_BYTES);
  encryptInto(sealed, key, random.bytes(NONCE_BYTES), plain, authenticated);
  return sealed;
}

/** The plain bytes, or null when the tag does not hold: another key, other authenticated data, or changed bytes. */
export function decrypt(key: KeyObject | Buffer, sealed: Buffer, authenticated: readonly Uint8Array[]): Buffer | null {
  if (sealed.length < ENCRYPTION_OVERHEAD_BYTES) return null;
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat(authenticated));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return null; // the only reason for which final() throws here is the tag
  }
  return plain;
}

/**
 * SHA-256 of the kind byte and the payload; with a key, HMAC-SHA-256 of the same. Synchronous on purpose: SubtleCrypto
 * spends more of the main thread on copying its input (7 ms for 8 MiB) than this spends on hashing it (6 ms).
 */
export function blobIdOf(kind: number, payload: Uint8Array, key: KeyObject | null): string {
  const hash = key === null ? createHash('sha256') : createHmac('sha256', key);
  return hash.update(Uint8Array.of(kind)).update(payload).digest('hex');
}
