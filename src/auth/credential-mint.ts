import { createHash } from 'node:crypto';
import type { Random } from '../lib/random.ts';
import { digestHa1 } from './digest.ts';

const PUBLIC_KEY_LENGTH = 8;
const SECRET_BYTES = 30;

/** Makes what callers prove themselves with, beside the part of it that is kept. The one place where that is made. */
export function createCredentialMint(random: Random) {
  return {
    apiKey() {
      const publicKey = randomPublicKey(random);
      const privateKey = randomPrivateKey(random);
      return { publicKey, privateKey, ha1: digestHa1(publicKey, privateKey) };
    },
    externalId: () => randomPrivateKey(random),
    secret() {
      const secret = randomSecret(random);
      return { secret, secretHash: hashOfSecret(secret), secretTail: secret.slice(-4) };
    },
  };
}

/** SHA-256, hex: secrets and tokens are random and long, a slow hash would only slow us. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** Eight lower-case letters, each equally likely: bytes beyond the last whole alphabet are thrown away. */
function randomPublicKey(random: Random): string {
  let letters = '';
  while (letters.length < PUBLIC_KEY_LENGTH) {
    for (const byte of random.bytes(PUBLIC_KEY_LENGTH * 2)) {
      if (byte < 234 && letters.length < PUBLIC_KEY_LENGTH) letters += String.fromCharCode(97 + (byte % 26));
    }
  }
  return letters;
}

/** A version 4 UUID, the form in which Atlas gives private keys out. */
function randomPrivateKey(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Characters that percent-encoding leaves alone: some clients encode them before base64 and some do not. */
function randomSecret(random: Random): string {
  return `mdb_sa_sk_${random.bytes(SECRET_BYTES).toString('base64url')}`;
}
