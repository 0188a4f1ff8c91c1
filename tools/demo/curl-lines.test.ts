import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curlLines } from './curl-lines.ts';

const lines = curlLines({
  url: 'http://127.0.0.1:8080',
  credentials: {
    orgId: 'a'.repeat(24),
    projectId: 'b'.repeat(24),
    apiKey: { publicKey: 'abcdefgh', privateKey: 'secret' },
    serviceAccount: { clientId: 'id', clientSecret: 'secret' },
  },
  token: 'the-token',
  clusterName: 'Shop',
  snapshotId: 'c'.repeat(24),
});

test('every line can be pasted into a shell: one command, quoted, with the vendor media type', () => {
  assert.equal(lines.length, 5);
  for (const line of lines.flatMap(({ digest, bearer }) => [digest, bearer])) {
    assert.match(
      line,
      /^curl --silent .*--header 'Accept: application\/vnd\.atlas\.20\d\d-\d\d-\d\d\+json' 'http:\/\/[^']+\?pretty=true'$/,
    );
    assert.equal(line.split("'").length % 2, 1, 'quotes are even');
  }
});

test('digest lines carry the API key, bearer lines the token', () => {
  assert.ok(lines.every(({ digest }) => digest.includes("--user 'abcdefgh:secret' --digest")));
  assert.ok(lines.every(({ bearer }) => bearer.includes("'Authorization: Bearer the-token'")));
});
