import { timingSafeEqual } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import { hashOfSecret } from './credential-mint.ts';
import { type LoginThrottle, shortPrincipal } from './login-throttle.ts';
import type { AccessTokenStore, ServiceAccountStore } from './stores.ts';

/**
 * One hour. Terraform renews ten minutes before the end, so that anything up to 600 s would cost it a token for every
 * request.
 */
export const accessTokenLifeSeconds = 3600;
const tokenBytes = 32;

export interface OAuthRequest {
  authorization: string | undefined;
  contentType: string | undefined;
  body: string;
  /** Of whoever sent it; behind a trusted proxy, as that reports it. */
  remoteAddress: string;
}

/** An answer of the two OAuth endpoints, bodies after RFC 6749 and RFC 7009. */
export interface OAuthAnswer {
  status: number;
  headers: Record<string, string>;
  body: Record<string, string | number> | null;
  /** For the log: the client id that was claimed, shortened, and why it was refused; null where that is of no use. */
  principal: string | null;
  reason: string | null;
}

export interface ClientCredentials {
  issueToken(request: OAuthRequest): Promise<OAuthAnswer>;
  revokeToken(request: OAuthRequest): Promise<OAuthAnswer>;
}

const uncached = { 'cache-control': 'no-store', pragma: 'no-cache' };

function refusal(
  status: number,
  error: string,
  description: string,
  { principal = null, reason = description }: { principal?: string | null; reason?: string } = {},
): OAuthAnswer {
  const headers: Record<string, string> = { ...uncached };
  if (status === 401) headers['www-authenticate'] = 'Basic realm="MMS Public API"';
  return { status, headers, body: { error, error_description: description }, principal, reason };
}

/** Neither standard has an error for it: the status says it, and when to come back. */
function tooMany(principal: string, waitSeconds: number): OAuthAnswer {
  const description = `Too many logins have failed. Try again in ${waitSeconds} seconds.`;
  const answer = refusal(429, 'temporarily_unavailable', description, { principal });
  answer.headers['retry-after'] = String(waitSeconds);
  return answer;
}

/**
 * Form encoding inside base64 is what RFC 6749 asks for and Go clients do; curl sends both parts as they are. A stray
 * `%` is left alone.
 */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

export function basicCredentials(authorization: string | undefined): { clientId: string; secret: string } | null {
  const encoded = /^basic\s+([A-Za-z0-9+/_-]+={0,2})\s*$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return null;
  return { clientId: formDecoded(text.slice(0, colon)), secret: formDecoded(text.slice(colon + 1)) };
}

function sameHash(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}

export function createClientCredentials(options: {
  serviceAccounts: ServiceAccountStore;
  accessTokens: AccessTokenStore;
  clock: Clock;
  random: Random;
  throttle: LoginThrottle;
}): ClientCredentials {
  const { serviceAccounts, accessTokens, clock, random, throttle } = options;

  /** The client, or the answer that refuses it. */
  async function clientOf({ authorization, remoteAddress }: OAuthRequest, form: URLSearchParams) {
    const fromBody = { clientId: form.get('client_id') ?? '', secret: form.get('client_secret') ?? '' };
    const { clientId, secret } = basicCredentials(authorization) ?? fromBody;
    const login = { remoteAddress, principal: clientId };
    const principal = shortPrincipal(clientId);
    const waitSeconds = throttle.waitSeconds(login);
    if (waitSeconds > 0) return tooMany(principal, waitSeconds);
    const found = await serviceAccounts.findByClientId(clientId);
    const secretHash = hashOfSecret(secret);
    const nowMs = clock.nowMs();
    const match = found?.secrets.find(
      (known) => sameHash(known.secretHash, secretHash) && (known.expiresAtMs ?? Number.POSITIVE_INFINITY) > nowMs,
    );
    if (found === null || match === undefined) {
      const reason = `the client id or the client secret is wrong, ${throttle.failed(login)} times lately from there`;
      const description = 'The client id or the client secret is not valid.';
      return refusal(401, 'invalid_client', description, { principal, reason });
    }
    throttle.succeeded(login);
    return { account: found.account, secretId: match.id, principal };
  }

  async function mint(serviceAccountId: string, secretId: string): Promise<string> {
    const token = random.bytes(tokenBytes).toString('base64url');
    const issuedAtMs = clock.nowMs();
    const expiresAtMs = issuedAtMs + accessTokenLifeSeconds * 1000;
    await accessTokens.insert({ tokenHash: hashOfSecret(token), serviceAccountId, issuedAtMs, expiresAtMs }, secretId);
    return token;
  }

  function formOf(request: OAuthRequest): URLSearchParams | OAuthAnswer {
    const mediaType = (request.contentType ?? '').split(';')[0]?.trim().toLowerCase();
    if (mediaType !== 'application/x-www-form-urlencoded') {
      return refusal(400, 'invalid_request', 'The body must be application/x-www-form-urlencoded.');
    }
    return new URLSearchParams(request.body);
  }

  return {
    async issueToken(request) {
      const form = formOf(request);
      if (!(form instanceof URLSearchParams)) return form;
      const client = await clientOf(request, form);
      if ('status' in client) return client;
      const grant = form.get('grant_type');
      if (grant === null) return refusal(400, 'invalid_request', 'grant_type is missing.');
      if (grant !== 'client_credentials') {
        return refusal(400, 'unsupported_grant_type', 'The only grant type here is client_credentials.');
      }
      const token = await mint(client.account.id, client.secretId);
      return {
        status: 200,
        headers: uncached,
        body: { access_token: token, token_type: 'Bearer', expires_in: accessTokenLifeSeconds },
        principal: client.principal,
        reason: null,
      };
    },

    async revokeToken(request) {
      const form = formOf(request);
      if (!(form instanceof URLSearchParams)) return form;
      const client = await clientOf(request, form);
      if ('status' in client) return client;
      const token = form.get('token');
      if (token === null || token === '') return refusal(400, 'invalid_request', 'token is missing.');
      // RFC 7009: a token that is unknown, or another client's, is answered like one that was revoked.
      await accessTokens.revoke(hashOfSecret(token), client.account.id, clock.nowMs());
      return { status: 200, headers: uncached, body: null, principal: client.principal, reason: null };
    },
  };
}
