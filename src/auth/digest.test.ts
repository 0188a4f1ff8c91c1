import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestChallenge, digestHa1, expectedResponse, originForm, parseDigestAnswer } from './digest.ts';

const answer =
  'Digest username="abcdefgh", realm="MMS Public API", nonce="n0nce", uri="/api/atlas/v2?pretty=true", ' +
  'response="0123456789abcdef0123456789abcdef", algorithm="MD5", qop=auth, nc=00000001, cnonce="c"';

test('the challenge is what the strictest client parser takes', () => {
  const challenge = digestChallenge('AAAA', false);
  assert.equal(
    challenge,
    'Digest realm="MMS Public API", domain="", nonce="AAAA", algorithm=MD5, qop="auth", stale=false',
  );
  const allowed = ['realm', 'domain', 'nonce', 'opaque', 'stale', 'algorithm', 'qop'];
  assert.ok(challenge.startsWith('Digest '));
  for (const part of challenge.slice('Digest '.length).split(', '))
    assert.ok(allowed.includes(part.split('=')[0] ?? ''));
});

test('quoted and unquoted algorithm, and any order and spacing, are read alike', () => {
  for (const header of [
    answer,
    answer.replace('"MD5"', 'MD5'),
    answer.replace('algorithm="MD5", ', ''),
    answer.replaceAll(', ', ','),
    answer.replace('qop=auth', 'qop="auth"'),
    answer.replace('Digest ', 'digest   '),
  ]) {
    const parsed = parseDigestAnswer(header);
    assert.equal(parsed?.username, 'abcdefgh', header);
    assert.equal(parsed?.uri, '/api/atlas/v2?pretty=true');
    assert.equal(parsed?.count, 1);
  }
});

test('what cannot be checked is not read', () => {
  for (const header of [
    'Basic dTpw',
    'Digest',
    'Digest garbage',
    answer.replace('MD5', 'SHA-256'),
    answer.replace('qop=auth', 'qop=auth-int'),
    answer.replace(', qop=auth', ''),
    answer.replace('MMS Public API', 'elsewhere'),
    answer.replace('nc=00000001', 'nc=1'),
    answer.replace('nc=00000001', 'nc=zzzzzzzz'),
    answer.replace('0123456789abcdef0123456789abcdef', 'short'),
    answer.replace('cnonce="c"', 'other="c"'),
    `${answer}, username="other"`,
    answer.replace('username="abcdefgh"', 'username="abcdefgh'),
  ]) {
    assert.equal(parseDigestAnswer(header), null, header);
  }
});

test('escaped quotes in a quoted value are undone', () => {
  assert.equal(parseDigestAnswer(answer.replace('"abcdefgh"', '"a\\"b"'))?.username, 'a"b');
});

/** Both values were computed apart from this code, with Python's hashlib. */
test('the response is the one of the standard', () => {
  const ha1 = digestHa1('abcdefgh', '11111111-2222-4333-8444-555555555555');
  const parsed = parseDigestAnswer(answer);
  assert.ok(parsed);
  assert.equal(ha1, '3bf7787da0ca4ef2cd238755f81bab83');
  assert.equal(expectedResponse(ha1, 'GET', parsed), '1f95809da2786c5b15dc295a9a23424c');
});

test('a target that names a host as well loses it', () => {
  assert.equal(originForm('/a?b=http://c'), '/a?b=http://c');
  assert.equal(originForm('http://evil.example/a?b'), '/a?b');
  assert.equal(originForm('HTTPS://user@evil.example:1/a'), '/a');
  assert.equal(originForm('http://evil.example'), '/');
  assert.equal(originForm('http://evil.example?x'), '/?x');
  assert.equal(originForm('*'), '*');
});
