import { ha1Context } from '../catalog/api-keys.ts';
import { Bug } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { IdSource } from '../lib/ids.ts';
import type { Random } from '../lib/random.ts';
import type { SecretBox } from '../lib/secret-box.ts';
import { digestHa1 } from './digest.ts';
import type { RoleAssignment } from './roles.ts';
import type { ApiKeyStore } from './stores.ts';

export interface CredentialTools {
  clock: Clock;
  random: Random;
  ids: IdSource;
}

const publicKeyLength = 8;
const attemptsMax = 8;

/** Eight lower-case letters, each equally likely: bytes beyond the last whole alphabet are thrown away. */
export function randomPublicKey(random: Random): string {
  let letters = '';
  while (letters.length < publicKeyLength) {
    for (const byte of random.bytes(publicKeyLength * 2)) {
      if (byte < 234 && letters.length < publicKeyLength) letters += String.fromCharCode(97 + (byte % 26));
    }
  }
  return letters;
}

/** A version 4 UUID, the form in which Atlas gives private keys out. */
export function randomPrivateKey(random: Random): string {
  const bytes = random.bytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Makes an API key. The private key is in this answer and nowhere else: what is kept can check it and not show it. */
export async function createApiKey(
  tools: CredentialTools & { store: ApiKeyStore; secretBox: SecretBox },
  request: { organizationId: string; description: string; roles: readonly RoleAssignment[] },
): Promise<{ apiKeyId: string; publicKey: string; privateKey: string }> {
  const publicKey = await unusedPublicKey(tools.store, tools.random);
  const privateKey = randomPrivateKey(tools.random);
  const apiKeyId = tools.ids.next();
  await tools.store.insert(
    {
      apiKeyId,
      organizationId: request.organizationId,
      publicKey,
      description: request.description,
      sealedHa1: tools.secretBox.seal(digestHa1(publicKey, privateKey), ha1Context(apiKeyId)),
      privateKeyTail: privateKey.slice(-12),
      createdAtMs: tools.clock.nowMs(),
    },
    request.roles,
  );
  return { apiKeyId, publicKey, privateKey };
}

async function unusedPublicKey(store: ApiKeyStore, random: Random): Promise<string> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const publicKey = randomPublicKey(random);
    if ((await store.findByPublicKey(publicKey)) === null) return publicKey;
  }
  throw new Bug('the source of randomness repeats itself: no unused public key was found');
}
