import { createHash } from 'node:crypto';

/**
 * HTTP digest authentication (RFC 7616, MD5 with qop=auth) as far as the clients use it. Pure. The challenge keeps to
 * what the strictest parser among them takes: parameters separated by a comma and one space, nothing but realm, domain,
 * nonce, algorithm, qop and stale, qop exactly `auth`.
 */
export const digestRealm = 'MMS Public API';

export function digestChallenge(nonce: string, stale: boolean): string {
  return `Digest realm="${digestRealm}", domain="", nonce="${nonce}", algorithm=MD5, qop="auth", stale=${stale}`;
}

export interface DigestAnswer {
  username: string;
  nonce: string;
  uri: string;
  response: string;
  cnonce: string;
  /** As it was written, eight hex digits: it goes into the hash. */
  nc: string;
  count: number;
}

const parameter = /\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/y;

function parametersOf(text: string): Map<string, string> | null {
  const found = new Map<string, string>();
  parameter.lastIndex = 0;
  while (parameter.lastIndex < text.length) {
    const match = parameter.exec(text);
    if (match === null) return null;
    const name = (match[1] as string).toLowerCase();
    if (found.has(name)) return null;
    found.set(name, match[2] === undefined ? (match[3] as string) : match[2].replace(/\\(.)/g, '$1'));
  }
  return found;
}

/**
 * The answer in an Authorization header, or null when it is not one that we can check. curl leaves `algorithm`
 * unquoted, Go clients quote it.
 */
export function parseDigestAnswer(header: string): DigestAnswer | null {
  const scheme = /^digest\s+/i.exec(header);
  if (scheme === null) return null;
  const parameters = parametersOf(header.slice(scheme[0].length).trim());
  if (parameters === null) return null;
  if ((parameters.get('algorithm') ?? 'MD5').toUpperCase() !== 'MD5') return null;
  if (parameters.get('qop') !== 'auth' || parameters.get('realm') !== digestRealm) return null;
  const username = parameters.get('username');
  const nonce = parameters.get('nonce');
  const uri = parameters.get('uri');
  const response = parameters.get('response')?.toLowerCase();
  const cnonce = parameters.get('cnonce');
  const nc = parameters.get('nc');
  if (username === undefined || nonce === undefined || uri === undefined || cnonce === undefined) return null;
  if (response === undefined || !/^[0-9a-f]{32}$/.test(response)) return null;
  if (nc === undefined || !/^[0-9a-fA-F]{8}$/.test(nc)) return null;
  return { username, nonce, uri, response, cnonce, nc, count: Number.parseInt(nc, 16) };
}

/**
 * The path and query of a request's target. One that names scheme and host as well (RFC 9112, absolute-form) loses
 * them: it may name anybody's.
 */
export function originForm(target: string): string {
  const rest = target.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*/, '');
  return rest.startsWith('/') || rest === '*' ? rest : `/${rest}`;
}

function md5(text: string): string {
  return createHash('md5').update(text, 'utf8').digest('hex');
}

/**
 * The part of the secret that the server keeps: enough to check answers in our realm, useless as a password elsewhere.
 */
export function digestHa1(publicKey: string, privateKey: string): string {
  return md5(`${publicKey}:${digestRealm}:${privateKey}`);
}

/** What a client that knows the secret must have answered. */
export function expectedResponse(ha1: string, method: string, answer: DigestAnswer): string {
  const ha2 = md5(`${method}:${answer.uri}`);
  return md5(`${ha1}:${answer.nonce}:${answer.nc}:${answer.cnonce}:auth:${ha2}`);
}
