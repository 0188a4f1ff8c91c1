import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainHttpWarning } from './http-server.ts';

test('plain http beyond this machine is said plainly, and nothing else is', () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'db1.example'])
    assert.match(plainHttpWarning({ host, tlsCert: undefined }) ?? '', /plain http on .*--tls-cert/);
  for (const host of ['127.0.0.1', '127.0.0.2', '::1', 'localhost'])
    assert.equal(plainHttpWarning({ host, tlsCert: undefined }), null);
  assert.equal(plainHttpWarning({ host: '0.0.0.0', tlsCert: 'cert.pem' }), null);
});
