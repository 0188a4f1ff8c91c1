import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ruleGroups } from './connection-options.ts';
import { isPlainHost, overriddenOptions, redactUri, takeApart, whyRefused, withParts } from './connection-string.ts';

test('by the API a string says where the cluster is and as whom to sign in there, and nothing else', () => {
  const taken = [
    'mongodb://db.example.com/',
    'mongodb://u:p@a:27017,b:27018/shop?replicaSet=rs0&tls=true&authSource=admin',
    'mongodb://u:p@a/?authMechanism=SCRAM-SHA-1',
    'mongodb://u:p@a/?authMechanism=SCRAM-SHA-256&ssl=false',
    'mongodb://u:p@a/?authMechanism=PLAIN&tls=true',
    'mongodb+srv://u:p@db.example.com/?authMechanism=PLAIN',
    'mongodb://[::1]:27017/?directConnection=true',
  ];
  for (const uri of taken) assert.equal(whyRefused(uri, 'client'), null, uri);
  const refused = [
    'http://a/',
    'mongodb://u:p@a/?authMechanism=PLAIN',
    'mongodb+srv://u:p@db.example.com/?authMechanism=PLAIN&tls=false',
    'mongodb://a/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:k8s',
    'mongodb://a/?authMechanism=MONGODB-OIDC',
    'mongodb://a/?authMechanism=OIDC',
    'mongodb://a/?authMechanism=.*AWS',
    'mongodb://a/?AUTHMECHANISM=MONGODB-AWS',
    'mongodb://a/?authMechanism=GSSAPI',
    'mongodb://a/?authMechanism=MONGODB-X509&tls=true',
    'mongodb://a/?authMechanism=__proto__',
    'mongodb://a/?authMechanism=SCRAM-SHA-256&AuthMechanism=MONGODB-AWS',
    'mongodb://a/?tls=true&TLS=false',
    'mongodb://a/?tlsCAFile=/etc/passwd',
    'mongodb://a/?TLSCERTIFICATEKEYFILE=/etc/passwd',
    'mongodb://a/?proxyHost=10.0.0.1',
    'mongodb://%2Fvar%2Frun%2Fmongodb.sock/',
    'mongodb://a,%2Fvar%2Frun%2Fmongodb.sock/',
    'mongodb+srv://a.b.c/?srvServiceName=ldap',
    'mongodb://a/?mongodbLogPath=stdout',
    'mongodb://a/?tidemarkIdentity=production',
    'mongodb://a/?unheard=of',
  ];
  for (const uri of refused) assert.notEqual(whyRefused(uri, 'client'), null, uri);
});

test('a certificate of the request lets X.509 be asked for, over TLS', () => {
  const parts = { certificateKey: 'PEM' };
  assert.equal(whyRefused('mongodb://a/?authMechanism=MONGODB-X509&tls=true', 'client', parts), null);
  assert.notEqual(whyRefused('mongodb://a/?authMechanism=MONGODB-X509', 'client', parts), null);
  // Given for nothing they are not left aside in silence.
  assert.notEqual(whyRefused('mongodb://a/', 'client', { ca: 'PEM' }), null);
  assert.equal(whyRefused('mongodb+srv://a.b.c/', 'client', { ca: 'PEM' }), null);
  assert.equal(whyRefused('mongodb://a/', 'client', { ca: 'PEM', identity: 'production' }), null);
});

test('every option of the table is treated as it says', () => {
  for (const { options, overHttp, onCommandLine } of ruleGroups) {
    for (const option of options.filter((each) => each !== 'authMechanism')) {
      const uri = `mongodb://a/?${option}=x`;
      assert.equal(whyRefused(uri, 'client') !== null, overHttp === 'refused', `${option} by the API`);
      assert.equal(whyRefused(uri, 'operator') !== null, onCommandLine === 'refused', `${option} on the command line`);
      assert.deepEqual(overriddenOptions(uri), overHttp === 'overridden' ? [option] : [], option);
      const left = takeApart(uri).parsed.searchParams.has(option);
      assert.equal(left, onCommandLine !== 'overridden', `${option} reaches the driver`);
    }
  }
});

test('what stands beside a string is kept in it and shown nowhere', () => {
  const uri = 'mongodb://u:secret@a:27017/shop?tls=true';
  assert.equal(withParts(uri, {}), uri);
  const kept = withParts(uri, { identity: 'production', ca: '-----BEGIN A+B/=&', certificateKey: 'key' });
  const { parsed, parts } = takeApart(kept);
  assert.equal(parsed.toString(), uri);
  assert.deepEqual(parts, { identity: 'production', ca: '-----BEGIN A+B/=&', certificateKey: 'key' });
  assert.equal(redactUri(kept), redactUri(uri));
  assert.ok(!redactUri(kept).includes('secret'));
  assert.ok(!redactUri('mongodb://a/?tlsCAFile=/etc/own').includes('own'));
});

test('a host that a server names is a host and nothing more', () => {
  for (const host of ['a', 'a:1', 'db-1.example.com:27017', '10.0.0.1:27017', '[::1]:27017', 'a_b.c.:27017'])
    assert.ok(isPlainHost(host), host);
  for (const host of [
    '',
    'a/?tlsCAFile=x',
    'a:1?x=y',
    '/tmp/x.sock',
    '%2Ftmp%2Fx.sock',
    'u@a',
    'a,b',
    'a b',
    '[::1',
    'a:',
  ])
    assert.ok(!isPlainHost(host), host);
});
