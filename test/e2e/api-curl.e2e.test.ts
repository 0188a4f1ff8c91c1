import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { sampleClusterName, sampleIds } from '../samples/rows.ts';
import { type ApiFixture, apiFixture } from '../support/api-fixture.ts';

/** The ways of asking that the reference pages print, with a real curl over a real socket; only the host is another. */
const run = promisify(execFile);
const curlTimeoutMs = 20_000;

interface Reply {
  status: number;
  /** Status of every response on the way, the digest challenge's first. */
  statuses: number[];
  headers: Map<string, string>;
  body: string;
}

let fixture: ApiFixture;
let base: string;
let hasCurl = true;

before(async () => {
  hasCurl = await run('curl', ['--version']).then(
    () => true,
    () => false,
  );
  fixture = await apiFixture();
  base = await fixture.server.listen({ host: '127.0.0.1', port: 0 });
});

after(async () => {
  await fixture.server.close();
});

async function curl(...args: string[]): Promise<Reply> {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--include', '--max-time', '15', ...args], {
    timeout: curlTimeoutMs,
  });
  const statuses: number[] = [];
  let headers = new Map<string, string>();
  let rest = stdout;
  while (rest.startsWith('HTTP/')) {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    statuses.push(Number(first.split(' ')[1]));
    headers = new Map(
      lines.map((line) => [line.split(':')[0]?.toLowerCase() ?? '', line.slice(line.indexOf(':') + 2)]),
    );
    rest = rest.slice(end + 4);
    const length = statuses.at(-1) === 401 || statuses.at(-1) === 100 ? rest.indexOf('HTTP/') : -1;
    if (length > 0) rest = rest.slice(length);
  }
  return { status: statuses.at(-1) ?? 0, statuses, headers, body: rest };
}

const project = `/api/atlas/v2/groups/${sampleIds.project}`;
const cluster = `${project}/clusters/${sampleClusterName}`;
const accept = (date: string) => ['--header', `Accept: application/vnd.atlas.${date}+json`];

const seeds = [
  { path: `${cluster}/backup/exports`, date: '2025-03-12', resource: '2023-01-01' },
  { path: `${project}/backup/exportBuckets`, date: '2025-02-19', resource: '2024-05-30' },
  { path: `${cluster}/backup/snapshots/${sampleIds.snapshot}`, date: '2024-05-30', resource: '2023-01-01' },
  { path: `${cluster}/backup/restoreJobs`, date: '2023-01-01', resource: '2023-01-01' },
  { path: `${cluster}/backupCheckpoints`, date: '2025-03-12', resource: '2023-01-01' },
];

for (const { path, date, resource } of seeds) {
  test(`curl --digest gets ${path}`, async (t) => {
    if (!hasCurl) return t.skip('no curl here');
    const { publicKey, privateKey } = await fixture.apiKeyWith('GROUP_OWNER');
    const reply = await curl(
      '--user',
      `${publicKey}:${privateKey}`,
      '--digest',
      ...accept(date),
      '-X',
      'GET',
      `${base}${path}?pretty=true`,
    );
    assert.deepEqual(reply.statuses, [401, 200]);
    assert.equal(reply.headers.get('content-type'), `application/vnd.atlas.${resource}+json;charset=utf-8`);
    assert.ok(reply.body.includes('\n  "'));
    assert.ok(JSON.parse(reply.body));
  });

  test(`curl with a bearer token gets ${path}`, async (t) => {
    if (!hasCurl) return t.skip('no curl here');
    const { clientId, secret } = await fixture.accountWith('GROUP_OWNER');
    const issued = await curl(
      '--request',
      'POST',
      `${base}/api/oauth/token`,
      '--header',
      `Authorization: Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
      '--header',
      'Content-Type: application/x-www-form-urlencoded',
      '--header',
      'Accept: application/json',
      '--data',
      'grant_type=client_credentials',
    );
    assert.equal(issued.status, 200);
    assert.match(issued.headers.get('content-type') ?? '', /^application\/json/);
    const { access_token: token, token_type: type, expires_in: seconds } = JSON.parse(issued.body);
    assert.deepEqual([type, seconds], ['Bearer', 3600]);
    const reply = await curl(
      '--header',
      `Authorization: Bearer ${token}`,
      ...accept(date),
      '--header',
      'Content-Type: application/json',
      '-X',
      'GET',
      `${base}${path}?pretty=true`,
    );
    assert.deepEqual(reply.statuses, [200]);
    assert.ok(JSON.parse(reply.body));
    const revoked = await curl(
      '--user',
      `${clientId}:${secret}`,
      '--data',
      `token=${token}&token_type_hint=access_token`,
      `${base}/api/oauth/revoke`,
    );
    assert.equal(revoked.status, 200);
    assert.equal(
      (await curl('--header', `Authorization: Bearer ${token}`, ...accept(date), `${base}${path}`)).status,
      401,
    );
  });
}

test('a digest POST has its effect once, although its body may travel twice', async (t) => {
  if (!hasCurl) return t.skip('no curl here');
  const { publicKey, privateKey } = await fixture.apiKeyWith('GROUP_BACKUP_CREATOR');
  fixture.calls.length = 0;
  const reply = await curl(
    '--user',
    `${publicKey}:${privateKey}`,
    '--digest',
    ...accept('2023-01-01'),
    '--header',
    'Content-Type: application/json',
    '-X',
    'POST',
    `${base}${cluster}/backup/snapshots`,
    '--data',
    '{"description":"by curl","retentionInDays":3}',
  );
  assert.deepEqual(reply.statuses, [401, 200]);
  assert.equal(fixture.calls.length, 1);
  assert.equal(JSON.parse(reply.body).status, 'queued');
});

test('a body sent in chunks before the challenge is drained, and the connection lives on', async (t) => {
  if (!hasCurl) return t.skip('no curl here');
  const { publicKey, privateKey } = await fixture.apiKeyWith('GROUP_BACKUP_CREATOR');
  fixture.calls.length = 0;
  const post = [
    '--header',
    'Transfer-Encoding: chunked',
    '--header',
    'Content-Type: application/vnd.atlas.2023-01-01+json',
    ...accept('2023-01-01'),
    '--data',
    // What no schema names is let through unread, however long.
    JSON.stringify({ description: 'x', more: 'x'.repeat(100_000) }),
  ];
  const url = `${base}${cluster}/backup/snapshots`;
  const refused = await curl(...post, url);
  assert.equal(refused.status, 401);
  const quiet = ['--silent', '--output', '/dev/null', '--write-out', '%{http_code} %{num_connects}\n'];
  const { stdout } = await run('curl', [...quiet, ...post, url, '--next', ...quiet, ...accept('2023-01-01'), url]);
  assert.equal(stdout, '401 1\n401 0\n');
  assert.equal(fixture.calls.length, 0);
  const done = await curl('--user', `${publicKey}:${privateKey}`, '--digest', ...post, url);
  assert.equal(done.status, 200);
  assert.equal(fixture.calls.length, 1);
});

test('a wrong private key stays at 401, and a key of another role is told so', async (t) => {
  if (!hasCurl) return t.skip('no curl here');
  const { publicKey } = await fixture.apiKeyWith('GROUP_OWNER');
  const wrong = await curl(
    '--user',
    `${publicKey}:wrong`,
    '--digest',
    ...accept('2023-01-01'),
    `${base}${cluster}/backup/restoreJobs`,
  );
  assert.equal(wrong.status, 401);
  const reader = await fixture.apiKeyWith('GROUP_READ_ONLY');
  const refused = await curl(
    '--user',
    `${reader.publicKey}:${reader.privateKey}`,
    '--digest',
    ...accept('2023-01-01'),
    `${base}${cluster}/backup/restoreJobs`,
  );
  assert.match(refused.body, /USER_UNAUTHORIZED/);
});

test('one connection can carry several digest calls with one nonce', async (t) => {
  if (!hasCurl) return t.skip('no curl here');
  const { publicKey, privateKey } = await fixture.apiKeyWith('GROUP_OWNER');
  const url = `${base}${cluster}/backup/restoreJobs`;
  const { stdout } = await run(
    'curl',
    [
      '--silent',
      '--user',
      `${publicKey}:${privateKey}`,
      '--digest',
      ...accept('2023-01-01'),
      '--output',
      '/dev/null',
      '--output',
      '/dev/null',
      '--output',
      '/dev/null',
      '--write-out',
      '%{http_code} %{num_connects}\\n',
      url,
      url,
      url,
    ],
    { timeout: curlTimeoutMs },
  );
  assert.equal(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0])
      .join(' '),
    '200 200 200',
  );
});

test('the challenge is sent when the body has been read, not while the client is still writing it', async () => {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  const head = `POST ${cluster}/backup/snapshots HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
  socket.write(`${head}5\r\n{"a":\r\n`);
  // Another request, answered after this one's headers arrived: a server that did not wait would have answered both.
  assert.equal((await fetch(base + cluster)).status, 401);
  assert.equal(received, '');
  socket.write('2\r\n1}\r\n0\r\n\r\n');
  await once(socket, 'data');
  assert.match(received, /^HTTP\/1\.1 401 /);
  socket.destroy();
});
