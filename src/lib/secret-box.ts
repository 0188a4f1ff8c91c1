import { createCipheriv, createDecipheriv, createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { assert } from './assert.ts';
import { Fault } from './errors.ts';
import type { Random } from './random.ts';

const FORMAT = 'v1.';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals small secrets (connection strings, digest hashes) for the catalog: AES-256-GCM under the 32 bytes of
 * DATA/secret.key. `context` says what is sealed and for which row; it is authenticated, so that a sealed value moved
 * to another row or column does not open.
 */
export class SecretBox {
  readonly #secretKey: KeyObject;
  readonly #random: Random;

  constructor(secretKey: Buffer, random: Random) {
    assert(secretKey.length === 32, 'a secret key has 32 bytes');
    this.#secretKey = createSecretKey(secretKey);
    this.#random = random;
  }

  seal(plain: string, context: string): string {
    const nonce = this.#random.bytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#secretKey, nonce);
    cipher.setAAD(Buffer.from(context));
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
    return FORMAT + Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64');
  }

  /** Rejects what another key, or another context, sealed. */
  open(sealed: string, context: string): string {
    try {
      assert(sealed.startsWith(FORMAT), 'unknown format of a sealed value');
      const bytes = Buffer.from(sealed.slice(FORMAT.length), 'base64');
      const decipher = createDecipheriv('aes-256-gcm', this.#secretKey, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
      const body = bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new Fault({
        op: 'open a sealed secret',
        subject: context,
        message: `the secret of ${context} cannot be opened`,
        hint: 'secret.key is not the one that the catalog was written with. Put the old file back, or register the cluster again.',
        cause,
      });
    }
  }

  /** A signature that only the holder of the key can make: 43 characters of base64url. `context` says of what. */
  sign(context: string): string {
    const signingKey = createHmac('sha256', this.#secretKey).update('tidemark sign').digest();
    return createHmac('sha256', signingKey).update(context).digest('base64url');
  }

  /** Which key this is, without giving it away: 16 hex digits. */
  fingerprint(): string {
    return createHash('sha256')
      .update('tidemark secret key')
      .update(this.#secretKey.export())
      .digest('hex')
      .slice(0, 16);
  }
}
