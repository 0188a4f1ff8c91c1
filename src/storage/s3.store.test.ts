import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { remoteStoreSuite } from '../../test/conformance/remote-store.suite.ts';
import { storeFaultsSuite } from '../../test/conformance/store-faults.suite.ts';
import { FaultProxy } from '../../test/support/fault-proxy.ts';
import { type ObjectStoreServer, startMoto, startVersity, whyNoServer } from '../../test/support/object-servers.ts';
import { ObjectExists } from './object-store.ts';
import { openS3Store, type S3Place } from './s3.ts';
import { StoreFault } from './store-fault.ts';

const s3 = { name: 'S3', skip: await whyNoServer('versitygw'), start: startVersity, open: openS3Store };
remoteStoreSuite(s3);

const answer = (code: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>of ${code}</Message></Error>`;
storeFaultsSuite({
  ...s3,
  withWrongCredentials: (place) => ({ ...place, credentials: { accessKeyId: 'nobody', secretAccessKey: 'wrong' } }),
  isListing: (path) => path.includes('list-type=2'),
  answers: [
    { name: 'slow down', status: 503, body: answer('SlowDown'), problem: 'busy' },
    { name: 'denied', status: 403, body: answer('AccessDenied'), problem: 'denied' },
    { name: 'expired', status: 400, body: answer('ExpiredToken'), problem: 'credentials' },
    { name: 'unknown credentials', status: 403, body: answer('InvalidAccessKeyId'), problem: 'credentials' },
    { name: 'clock', status: 403, body: answer('RequestTimeTooSkewed'), problem: 'clock' },
    { name: 'region', status: 301, body: answer('PermanentRedirect'), problem: 'region' },
    { name: 'full', status: 507, body: answer('XMinioStorageFull'), problem: 'full' },
    { name: 'not implemented', status: 400, body: answer('InvalidRequest'), problem: 'refused' },
  ],
});

describe('S3 bodies in parts', { skip: s3.skip }, () => {
  let server: ObjectStoreServer<S3Place>;
  before(async () => {
    server = await startVersity();
    await server.createBucket('parts');
  });
  after(async () => {
    await server.stop();
  });

  test('a big body goes in parts and is there whole, once, and only if absent where that is asked', async () => {
    const proxy = await FaultProxy.start(server.endpoint);
    try {
      const store = openS3Store(server.place('parts', proxy.endpoint), { singlePutBytesMax: 1 << 20 });
      const body = Buffer.alloc(17 * (1 << 20) + 1, 3);
      body.writeUInt32LE(77, 16 << 20);
      await store.put('big', body, { ifAbsent: true });
      assert.equal(proxy.requests.filter(({ path }) => path.includes('partNumber=')).length, 3);
      assert.ok((await store.get('big')).equals(body));
      await assert.rejects(store.put('big', Buffer.alloc(2 << 20), { ifAbsent: true }), ObjectExists);
      assert.ok((await store.get('big')).equals(body));
      // The answer to the last request is lost: the upload is known as done by what is there, and its parts are not
      // sent again.
      const from = proxy.requests.length;
      let lost = 0;
      proxy.fault = ({ number, method, path }) =>
        number > from && method === 'POST' && path.includes('uploadId=') && ++lost === 1 ? 'answer lost' : null;
      await store.put('bigger', body, { ifAbsent: true });
      assert.equal(lost, 1);
      assert.ok((await store.get('bigger')).equals(body));
    } finally {
      await proxy.stop();
    }
  });
});

describe('S3 with an assumed role', { skip: await whyNoServer('moto') }, () => {
  let server: ObjectStoreServer<S3Place>;
  before(async () => {
    server = await startMoto();
    await server.createBucket('of-the-role');
  });
  after(async () => {
    await server.stop();
  });

  test('the role is assumed first, its credentials sign, and the location is read', async () => {
    const proxy = await FaultProxy.start(server.endpoint);
    try {
      const assumeRole = {
        roleArn: 'arn:aws:iam::123456789012:role/exports',
        externalId: 'c0ffee',
        stsEndpoint: proxy.endpoint,
      };
      const store = openS3Store({ ...server.place('of-the-role', proxy.endpoint), assumeRole });
      await store.put('a', Buffer.from('x'), { ifAbsent: true });
      await assert.rejects(store.put('a', Buffer.from('y'), { ifAbsent: true }), ObjectExists);
      assert.equal(await store.location(), 'us-east-1');
      assert.deepEqual(
        proxy.requests.slice(0, 2).map(({ method, path }) => `${method} ${path.split('?')[0]}`),
        ['POST /', 'PUT /of-the-role/a'],
      );
      proxy.fault = ({ path }) => (path === '/' ? { status: 403, body: answer('AccessDenied') } : null);
      const denied = openS3Store({ ...server.place('of-the-role', proxy.endpoint), assumeRole });
      await assert.rejects(denied.get('a'), (error) => error instanceof StoreFault && error.problem === 'role');
    } finally {
      await proxy.stop();
    }
  });
});
