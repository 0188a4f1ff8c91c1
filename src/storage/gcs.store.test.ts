import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, describe, test } from 'node:test';
import { remoteStoreSuite } from '../../test/conformance/remote-store.suite.ts';
import { storeFaultsSuite } from '../../test/conformance/store-faults.suite.ts';
import { startFakeGcs, whyNoServer } from '../../test/support/object-servers.ts';
import { systemRandom } from '../lib/random.ts';
import { openGcsStore } from './gcs.ts';
import type { RemoteStore } from './remote-store.ts';
import { StoreFault, type StoreProblem } from './store-fault.ts';

const gcs = {
  name: 'Google Cloud Storage',
  skip: await whyNoServer('fake-gcs-server'),
  start: startFakeGcs,
  open: openGcsStore,
};
remoteStoreSuite(gcs);

const answer = (message: string) => ({ body: JSON.stringify({ error: { message } }) });
storeFaultsSuite({
  ...gcs,
  isListing: (path) => path.includes('maxResults='),
  answers: [
    { name: 'busy', status: 503, ...answer('Backend Error'), problem: 'busy' },
    { name: 'denied', status: 403, ...answer('no storage.objects.create access'), problem: 'denied' },
    { name: 'expired', status: 401, ...answer('Invalid Credentials'), problem: 'credentials' },
    { name: 'no bucket', status: 404, ...answer('The specified bucket does not exist.'), problem: 'noBucket' },
    { name: 'refused', status: 400, ...answer('Invalid argument.'), problem: 'refused' },
  ],
});

/** With workload identity: the key of a service account asks Google's own address, whatever the file says. */
describe('signing in at Google Cloud with a key file', () => {
  let directory: string;
  let server: Server;
  let address: string;
  /** What came: for a token its form, for anything else its authorization. */
  let asked: URLSearchParams[];
  let authorizations: (string | undefined)[];
  let tokenAnswer: { status: number; body: object };

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'tidemark-gcs-'));
    server = createServer((request, response) => {
      const answer = (status: number, body: object): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      };
      if (request.url !== '/token') {
        authorizations.push(request.headers.authorization);
        request.resume().on('end', () => answer(200, { location: 'EUROPE-WEST3' }));
        return;
      }
      void text(request).then((sent) => {
        asked.push(new URLSearchParams(sent));
        answer(tokenAnswer.status, tokenAnswer.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true });
  });
  beforeEach(() => {
    asked = [];
    authorizations = [];
    tokenAnswer = {
      status: 200,
      body: {
        access_token: 'tok-1',
        expires_in: 3600,
        token_type: 'Bearer',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      },
    };
  });

  function open(tokenUrl = `${address}/token`): RemoteStore {
    const keyFile = join(directory, `${systemRandom.bytes(6).toString('hex')}.json`);
    const subject = join(directory, 'subject');
    writeFileSync(subject, 'who we are');
    const key = {
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/ours',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: tokenUrl,
      credential_source: { file: subject },
    };
    writeFileSync(keyFile, JSON.stringify(key));
    const place = { bucket: 'b', prefix: '', endpoint: address, credentials: { keyFile } };
    return openGcsStore(place, { policy: { attemptsMax: 1 } });
  }

  const fails = (problem: StoreProblem, said: RegExp) => (error: unknown) => {
    assert.ok(error instanceof StoreFault, String(error));
    assert.equal(error.problem, problem, error.message);
    assert.match(error.message, said);
    return true;
  };

  test('one token serves many calls, and is for storage', async () => {
    const store = open();
    assert.equal(await store.location(), 'EUROPE-WEST3');
    assert.equal(await store.location(), 'EUROPE-WEST3');
    assert.deepEqual(authorizations, ['Bearer tok-1', 'Bearer tok-1']);
    assert.equal(asked.length, 1);
    assert.match(asked[0]?.get('scope') ?? '', /devstorage\.full_control/);
  });

  test('a subject that is not taken is wrong credentials, in the words of Google', async () => {
    tokenAnswer = { status: 400, body: { error: 'invalid_grant', error_description: 'The subject is not known.' } };
    await assert.rejects(open().location(), fails('credentials', /subject is not known/));
    assert.deepEqual(authorizations, []);
  });

  test('a place that gives tokens and is not there is no matter of credentials', async () => {
    await assert.rejects(open('http://127.0.0.1:9/token').location(), fails('unreachable', /ECONNREFUSED/));
  });

  test('a key file that is not there is wrong credentials, and named', async () => {
    const place = {
      bucket: 'b',
      prefix: '',
      endpoint: address,
      credentials: { keyFile: join(directory, 'none.json') },
    };
    await assert.rejects(openGcsStore(place).location(), fails('credentials', /none\.json/));
  });
});
