import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseUrl, linkBuilder } from './links.ts';

test('the base is the public URL, else what the client wrote into Host, when that is a host', () => {
  assert.equal(baseUrl('https://backup.example/atlas/', 'x'), 'https://backup.example/atlas');
  assert.equal(baseUrl(undefined, 'backup.example:8080'), 'http://backup.example:8080');
  assert.equal(baseUrl(undefined, '[::1]:8080'), 'http://[::1]:8080');
  for (const host of [undefined, '', 'a/b', 'a b', 'user@a', '"><script>', 'a:b']) {
    assert.equal(baseUrl(undefined, host), 'http://localhost', host);
  }
});

test('relations are named as the real service names them', () => {
  const links = linkBuilder('http://h');
  assert.deepEqual(links.self('/groups/1'), { href: 'http://h/api/atlas/v2/groups/1', rel: 'self' });
  assert.deepEqual(links.to('cluster', '/x'), {
    href: 'http://h/api/atlas/v2/x',
    rel: 'https://cloud.mongodb.com/cluster',
  });
});
