import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseUrl, linkBuilder, type OwnNames } from './links.ts';

const plain: OwnNames = { scheme: 'http', listenNames: ['Db1.example'], certificateNames: [] };
const secure: OwnNames = {
  scheme: 'https',
  listenNames: ['db1.example'],
  certificateNames: ['backup.example', '*.lan', '10.0.0.9'],
};
const end = { localAddress: '10.0.0.5', localPort: 8080 };

test('the public URL is the base of every link, whatever else was said', () => {
  const names = { ...secure, publicUrl: 'https://public.example/atlas/' };
  for (const host of ['x', 'db1.example:8080', undefined])
    assert.equal(baseUrl(names, end, host), 'https://public.example/atlas');
});

test('a Host is taken where it is one of our names, with our port', () => {
  for (const host of ['10.0.0.5:8080', 'db1.example:8080', 'DB1.EXAMPLE:8080'])
    assert.equal(baseUrl(plain, end, host), `http://${host}`);
  const six = { localAddress: '::1', localPort: 8080 };
  for (const host of ['[::1]:8080', 'localhost:8080']) assert.equal(baseUrl(plain, six, host), `http://${host}`);
  const mapped = { localAddress: '::ffff:127.0.0.1', localPort: 80 };
  for (const host of ['127.0.0.1', 'localhost', '127.0.0.1:80'])
    assert.equal(baseUrl(plain, mapped, host), `http://${host}`);
});

test('a name of the certificate is taken with any port, and links are https then', () => {
  for (const host of ['backup.example', 'backup.example:9443', 'a.lan', '10.0.0.9:8080'])
    assert.equal(baseUrl(secure, end, host), `https://${host}`);
});

test('any other Host is not: the link leads to the address that the client connected to', () => {
  const foreign = ['evil.example', 'evil.example:8080', 'db1.example', 'db1.example:81', 'localhost:8080'];
  const nested = ['a.b.lan', '.lan', 'xlan', 'backup.example.evil'];
  const malformed = ['', 'a/b', 'a b', 'user@10.0.0.5:8080', '"><script>', 'a:b', '10.0.0.5:8080:1', '10.0.0.5:8080/x'];
  for (const host of [undefined, ...foreign, ...malformed])
    assert.equal(baseUrl(plain, end, host), 'http://10.0.0.5:8080', host);
  for (const host of nested) assert.equal(baseUrl(secure, end, host), 'https://10.0.0.5:8080', host);
  assert.equal(baseUrl(secure, { localAddress: 'fd00::1', localPort: 443 }, 'evil'), 'https://[fd00::1]');
});

test('relations are named as the real service names them', () => {
  const links = linkBuilder('http://h');
  assert.deepEqual(links.self('/groups/1'), { href: 'http://h/api/atlas/v2/groups/1', rel: 'self' });
  assert.deepEqual(links.to('cluster', '/x'), {
    href: 'http://h/api/atlas/v2/x',
    rel: 'https://cloud.mongodb.com/cluster',
  });
});
