import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { messageOf } from '../lib/errors.ts';
import { invalid } from './http-refusals.ts';

interface GivenCertificates {
  tlsCa?: string | undefined;
  tlsCertificateKey?: string | undefined;
  tlsCertificateKeyPassword?: string | undefined;
}

/** What is no certificate is the request's fault and said at once: the driver would look for it in the network. */
export function requireCertificates({ tlsCa, tlsCertificateKey, tlsCertificateKeyPassword }: GivenCertificates): void {
  const password = tlsCertificateKeyPassword === undefined ? {} : { passphrase: tlsCertificateKeyPassword };
  const pair = { cert: tlsCertificateKey, key: tlsCertificateKey, ...password };
  if (tlsCa !== undefined) requireUsable('tlsCa', () => readAuthorities(tlsCa));
  if (tlsCertificateKey !== undefined) requireUsable('tlsCertificateKey', () => createSecureContext(pair));
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** A secure context takes authorities that are none without a word, and trusts nobody then. */
function readAuthorities(pem: string): void {
  const found = pem.match(CERTIFICATE);
  if (found === null) throw new Error('it holds no certificate in PEM form');
  for (const one of found) new X509Certificate(one);
}

function requireUsable(field: string, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    throw invalid([{ field, description: `cannot be used: ${messageOf(error)}` }]);
  }
}
