import type { Random } from '../lib/random.ts';
import { randomPrivateKey, randomPublicKey } from './api-keys.ts';
import { digestHa1 } from './digest.ts';
import { hashOfSecret, randomSecret } from './service-accounts.ts';

/** Makes what callers prove themselves with, beside the part of it that is kept. */
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
