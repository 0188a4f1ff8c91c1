import { createHash } from 'node:crypto';
import type { Random } from '../lib/random.ts';
import type { CredentialTools } from './api-keys.ts';
import type { RoleAssignment } from './roles.ts';
import type { ServiceAccountStore } from './stores.ts';

const secretBytes = 30;
const hourMs = 3_600_000;

/** SHA-256, hex. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

export function randomSecret(random: Random): string {
  return `mdb_sa_sk_${random.bytes(secretBytes).toString('base64url')}`;
}

/**
 * Makes a service account with its first secret. Both parts consist of characters that percent-encoding leaves alone,
 * because some clients encode them before base64 and some do not. The secret is in this answer and nowhere else.
 */
export async function createServiceAccount(
  tools: CredentialTools & { store: ServiceAccountStore },
  request: {
    organizationId: string;
    name: string;
    description: string;
    secretExpiresAfterHours: number;
    roles: readonly RoleAssignment[];
  },
): Promise<{ serviceAccountId: string; clientId: string; secret: string; secretExpiresAtMs: number }> {
  const nowMs = tools.clock.nowMs();
  const serviceAccountId = tools.ids.next();
  const clientId = `mdb_sa_id_${serviceAccountId}`;
  const secret = randomSecret(tools.random);
  const secretExpiresAtMs = nowMs + request.secretExpiresAfterHours * hourMs;
  await tools.store.insert(
    {
      serviceAccountId,
      organizationId: request.organizationId,
      clientId,
      name: request.name,
      description: request.description,
      createdAtMs: nowMs,
    },
    {
      secretId: tools.ids.next(),
      serviceAccountId,
      secretHash: hashOfSecret(secret),
      secretTail: secret.slice(-4),
      createdAtMs: nowMs,
      expiresAtMs: secretExpiresAtMs,
    },
    request.roles,
  );
  return { serviceAccountId, clientId, secret, secretExpiresAtMs };
}
