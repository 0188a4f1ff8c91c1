import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../lib/errors.ts';
import { parseStoreUrl } from './store-url.ts';

test('a place is a directory or the URL of a bucket', () => {
  assert.deepEqual(parseStoreUrl('/var/backups'), { kind: 'directory', path: '/var/backups' });
  assert.deepEqual(parseStoreUrl('file:///var/with%20space'), { kind: 'directory', path: '/var/with space' });
  assert.deepEqual(parseStoreUrl('s3://backups'), { kind: 's3', bucket: 'backups', prefix: '' });
  const endpoint = 'https://minio.example:9000';
  assert.deepEqual(parseStoreUrl(`s3://backups/a/b/?endpoint=${endpoint}&region=eu-west-1&pathStyle=false`), {
    kind: 's3',
    bucket: 'backups',
    prefix: 'a/b',
    endpoint,
    region: 'eu-west-1',
    pathStyle: false,
  });
  const azure = { kind: 'azure', account: 'acme', container: 'backups' };
  assert.deepEqual(parseStoreUrl('azure://acme/backups'), { ...azure, prefix: '' });
  assert.deepEqual(parseStoreUrl('azure://acme/backups/one'), { ...azure, prefix: 'one' });
  assert.deepEqual(parseStoreUrl(`gs://bucket_1/p?endpoint=${endpoint}`), {
    kind: 'gcs',
    bucket: 'bucket_1',
    prefix: 'p',
    endpoint,
  });
});

test('what is no place is refused with the forms that there are, and no secret is repeated', () => {
  const wrong = [
    's3://',
    's3:///prefix',
    'azure://acme',
    'http://bucket/prefix',
    's3://backups/a?retries=3',
    's3://backups/a b',
    's3://backups/?endpoint=minio:9000',
    's3://backups/?pathStyle=yes',
    'gs://backups/?region=eu',
    's3://backups/#x',
    'file://host/path',
  ];
  for (const text of wrong)
    assert.throws(
      () => parseStoreUrl(text),
      (error) => error instanceof Fault && /gs:/.test(error.hint ?? ''),
      text,
    );
  assert.throws(
    () => parseStoreUrl('s3://id:hidden@backups/'),
    (error) => error instanceof Fault && !JSON.stringify([error, error.message]).includes('hidden'),
  );
});
