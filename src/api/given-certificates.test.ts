import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selfSigned } from '../../test/support/self-signed.ts';
import { requireCertificates } from './given-certificates.ts';

const { cert, key } = selfSigned(Date.UTC(2026, 10, 30));
const broken = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

test('certificates of a request are tried at once, and what is none is named by its field', () => {
  requireCertificates({});
  requireCertificates({ tlsCa: cert, tlsCertificateKey: cert + key });
  assert.throws(() => requireCertificates({ tlsCa: broken }), /tlsCa cannot be used/);
  assert.throws(() => requireCertificates({ tlsCertificateKey: broken }), /tlsCertificateKey cannot be used/);
  assert.throws(() => requireCertificates({ tlsCertificateKey: cert }), /tlsCertificateKey cannot be used/);
});
