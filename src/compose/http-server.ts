import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { createSecureContext } from 'node:tls';
import { createApiServer } from '../api/server.ts';
import { createAuthenticator } from '../auth/authenticator.ts';
import { catalogAuthStores } from '../auth/catalog-stores.ts';
import { repositoryPlaceOf, type ServiceConfig } from '../config.ts';
import { Misconfigured } from '../lib/errors.ts';
import { requireSecretSync } from '../lib/private-files.ts';
import type { Provider } from '../storage/store-rules.ts';
import { parseStoreUrl, providerOf } from '../storage/store-url.ts';
import { tidemarkVersion } from '../version.ts';
import type { Parts } from './open-parts.ts';
import type { Tools } from './tools.ts';

export type ApiServer = ReturnType<typeof createApiServer>;

export function createServer(config: ServiceConfig, { catalog, context, domain }: Parts, tools: Tools): ApiServer {
  const { clock, random, log } = tools;
  const { publicUrl } = config;
  const authenticator = createAuthenticator({
    stores: catalogAuthStores(catalog),
    clock,
    random,
    secretBox: context.secretBox,
    ...(publicUrl === undefined ? {} : { proxiedPath: new URL(publicUrl).pathname }),
  });
  return createApiServer({
    domain,
    authenticator,
    clock,
    log,
    version: tidemarkVersion,
    trustedProxies: config.trustedProxies,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...tlsOf(config),
    ...namesOf(config),
    ...storedAt(config),
  });
}

function storedAt({ dataDir, repository }: ServiceConfig): { storedAt?: Provider } {
  const provider = providerOf(parseStoreUrl(repositoryPlaceOf(dataDir, repository)));
  return provider === null ? {} : { storedAt: provider };
}

/**
 * What an operator has to know who lets others reach it without encryption; null where nobody else does, or all is
 * encrypted.
 */
export function plainHttpWarning({ host, tlsCert }: Pick<ServiceConfig, 'host' | 'tlsCert'>): string | null {
  if (tlsCert !== undefined || host === 'localhost' || isLoopback(host)) return null;
  return (
    `answers plain http on ${host}, beyond this machine: tokens, links and backups can be read and changed on the way. ` +
    'Give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that speaks https'
  );
}

function isLoopback(host: string): boolean {
  return (isIP(host) === 4 && host.startsWith('127.')) || host === '::1';
}

/** Under what names links may lead here, beside the address that a client connected to. */
function namesOf({ host, tlsCert }: ServiceConfig): { listenNames: string[]; certificateNames: string[] } {
  const listenNames = isIP(host) === 0 ? [host, hostname()] : [hostname()];
  const names = tlsCert === undefined ? '' : (new X509Certificate(readPem('tlsCert', tlsCert)).subjectAltName ?? '');
  const certificateNames = [...names.matchAll(/(?:DNS|IP Address):([^,"\s]+)/g)].map(([, name = '']) => name);
  return { listenNames, certificateNames };
}

/** Certificate and key are read once, at the start: a renewed certificate takes a restart. */
function tlsOf({ tlsCert, tlsKey }: ServiceConfig): { tls?: { cert: Buffer; key: Buffer } } {
  if (tlsCert === undefined || tlsKey === undefined) return {};
  requireSecretSync(tlsKey);
  const tls = { cert: readPem('tlsCert', tlsCert), key: readPem('tlsKey', tlsKey) };
  try {
    createSecureContext(tls);
  } catch (cause) {
    const hint =
      'Give the certificate, with those between it and its authority, and the private key that belongs to it';
    const message = `${tlsCert} and ${tlsKey} cannot be used for https`;
    throw new Misconfigured({ option: 'tlsCert', subject: tlsCert, message, hint, cause });
  }
  return { tls };
}

function readPem(option: 'tlsCert' | 'tlsKey', path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const hint = 'Name a file in PEM form that the user of the service may read';
    throw new Misconfigured({ option, subject: path, message: `${path} cannot be read`, hint, cause });
  }
}
