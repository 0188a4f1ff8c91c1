import { timingSafeEqual } from 'node:crypto';
import { ha1Context } from '../catalog/api-keys.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { SecretBox } from '../lib/secret-box.ts';
import { AccessGuard } from './access-guard.ts';
import { type ClientCredentials, createClientCredentials } from './client-credentials.ts';
import { hashOfSecret } from './credential-mint.ts';
import { digestChallenge, digestHa1, expectedResponse, originForm, parseDigestAnswer } from './digest.ts';
import { LoginThrottle, shortPrincipal } from './login-throttle.ts';
import { Nonces } from './nonces.ts';
import type { Caller } from './roles.ts';
import type { AuthStores } from './stores.ts';

export interface Credential {
  method: string;
  /** Path and query, as the client sent them. */
  target: string;
  authorization: string | undefined;
  /** Of whoever sent it; behind a trusted proxy, as that reports it. */
  remoteAddress: string;
}

/**
 * Either who is calling, or the challenge to answer with. The digest challenge is the only one: clients that meet
 * another first give up.
 */
export type Authentication = { caller: Caller } | RefusedCredential | ForbiddenAddress | TooManyFailures;

/** `principal` is what the caller claimed to be, shortened; null where nothing was claimed. */
export interface RefusedCredential {
  caller: null;
  challenge: string;
  reason: string;
  principal: string | null;
}

/** So many logins have failed that this one was not looked at. */
export interface TooManyFailures {
  caller: null;
  retryAfterSeconds: number;
  principal: string;
}

/** The credential is right; it may not be used from there. */
export interface ForbiddenAddress {
  caller: null;
  forbiddenAddress: string;
  name: string;
}

export interface Authenticator {
  authenticate(credential: Credential): Promise<Authentication>;
  readonly clientCredentials: ClientCredentials;
}

/**
 * `proxiedPath` is the path of the public URL where a proxy in front takes it away: digest clients hash the path that
 * they asked for, so that both forms of the target have to be accepted.
 */
export function createAuthenticator(options: {
  stores: AuthStores;
  clock: Clock;
  random: Random;
  secretBox: SecretBox;
  proxiedPath?: string;
}): Authenticator {
  const { stores, clock, random, secretBox } = options;
  const proxiedPath = (options.proxiedPath ?? '').replace(/\/+$/, '');
  const nonces = new Nonces({ clock, random });
  const guard = new AccessGuard({ store: stores.accessLists, clock });
  // Compared for unknown public keys, so that they take as long as known ones.
  const nobodysHa1 = digestHa1('nobody', random.bytes(16).toString('hex'));

  const throttle = new LoginThrottle({ clock });

  function refused(reason: string, principal: string | null = null, stale = false): Authentication {
    const challenge = digestChallenge(nonces.issue(), stale);
    return { caller: null, challenge, reason, principal: principal === null ? null : shortPrincipal(principal) };
  }

  async function byDigest(header: string, credential: Credential): Promise<Authentication> {
    const answer = parseDigestAnswer(header);
    if (answer === null) return refused('the digest answer cannot be read');
    const { username: principal } = answer;
    const uri = originForm(answer.uri);
    if (uri !== credential.target && uri !== proxiedPath + credential.target) {
      return refused('the digest answer is for another request target', principal);
    }
    const login = { remoteAddress: credential.remoteAddress, principal };
    const retryAfterSeconds = throttle.waitSeconds(login);
    if (retryAfterSeconds > 0) return { caller: null, retryAfterSeconds, principal: shortPrincipal(principal) };
    const found = await stores.apiKeys.findByPublicKey(answer.username);
    const ha1 = found === null ? nobodysHa1 : secretBox.open(found.apiKey.sealedHa1, ha1Context(found.apiKey.id));
    const expected = Buffer.from(expectedResponse(ha1, credential.method, answer));
    if (!timingSafeEqual(expected, Buffer.from(answer.response)) || found === null) {
      const failures = throttle.failed(login);
      return refused(`the public or the private key is wrong, ${failures} times lately from there`, principal);
    }
    if (!nonces.isFresh(answer.nonce)) return refused('the nonce is old', principal, true);
    if (!nonces.use(answer.nonce, answer.count)) return refused('the nonce was used before', principal, true);
    throttle.succeeded(login);
    const { apiKey, roles } = found;
    return {
      caller: {
        kind: 'apiKey',
        id: apiKey.id,
        name: apiKey.publicKey,
        organizationId: apiKey.organizationId,
        roles,
      },
    };
  }

  async function byToken(token: string): Promise<Authentication> {
    const found = await stores.accessTokens.findLive(hashOfSecret(token), clock.nowMs());
    if (found === null) return refused('the access token is unknown, expired or revoked');
    const { account, roles } = found;
    return {
      caller: {
        kind: 'serviceAccount',
        id: account.id,
        name: account.clientId,
        organizationId: account.organizationId,
        roles,
      },
    };
  }

  async function identify(credential: Credential): Promise<Authentication> {
    const header = credential.authorization;
    if (header === undefined) return refused('no credential');
    const bearer = /^bearer\s+([A-Za-z0-9._~+/=-]+)\s*$/i.exec(header)?.[1];
    if (bearer !== undefined) return byToken(bearer);
    if (/^digest\s/i.test(header)) return byDigest(header, credential);
    return refused('the Authorization header is neither Digest nor Bearer');
  }

  return {
    async authenticate(credential) {
      const found = await identify(credential);
      if (found.caller === null) return found;
      const { remoteAddress } = credential;
      if (await guard.admits(found.caller, remoteAddress)) return found;
      return { caller: null, forbiddenAddress: remoteAddress, name: found.caller.name };
    },
    clientCredentials: createClientCredentials({
      serviceAccounts: stores.serviceAccounts,
      accessTokens: stores.accessTokens,
      clock,
      random,
      throttle,
    }),
  };
}
