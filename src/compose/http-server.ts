import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { createApiServer } from '../api/server.ts';
import { createAuthenticator } from '../auth/authenticator.ts';
import { catalogAuthStores } from '../auth/catalog-stores.ts';
import type { ServiceConfig } from '../config.ts';
import { Fault } from '../lib/errors.ts';
import type { Parts } from './open-parts.ts';
import type { Tools } from './tools.ts';

export type ApiServer = ReturnType<typeof createApiServer>;

const VERSION = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

export function createServer(config: ServiceConfig, { catalog, context, domain }: Parts, tools: Tools): ApiServer {
  const { clock, random, ids, log } = tools;
  const { publicUrl } = config;
  const authenticator = createAuthenticator({
    stores: catalogAuthStores(catalog, ids),
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
    version: VERSION,
    trustedProxies: config.trustedProxies,
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...tlsOf(config),
  });
}

/** Certificate and key are read once, at the start: a renewed certificate takes a restart. */
function tlsOf({ tlsCert, tlsKey }: ServiceConfig): { tls?: { cert: Buffer; key: Buffer } } {
  if (tlsCert === undefined || tlsKey === undefined) return {};
  const tls = { cert: readPem(tlsCert), key: readPem(tlsKey) };
  try {
    createSecureContext(tls);
  } catch (cause) {
    const hint =
      'Give the certificate, with those between it and its authority, and the private key that belongs to it';
    const message = `${tlsCert} and ${tlsKey} cannot be used for https`;
    throw new Fault({ op: 'read the certificate', subject: tlsCert, message, hint, cause });
  }
  return { tls };
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Fault({ op: 'read the certificate', subject: path, message: `${path} cannot be read`, cause });
  }
}
