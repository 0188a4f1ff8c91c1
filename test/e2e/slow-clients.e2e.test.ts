import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { ApiError } from '../../contract/primitives.ts';
import { problemsOf } from '../../contract/validate.ts';
import { type ApiFixture, apiFixture } from '../support/api-fixture.ts';

/** Clients that send slowly, never finish, or send too much, over real sockets. */
let fixture: ApiFixture;
let port: number;
let token: string;

before(async () => {
  fixture = await apiFixture({ timeLimits: { headersMs: 400, requestMs: 800 } });
  port = Number(new URL(await fixture.server.listen({ host: '127.0.0.1', port: 0 })).port);
  token = await fixture.tokenWith('GROUP_OWNER', 'ORG_OWNER');
});

after(async () => {
  await fixture.server.close();
});

async function open(text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // A server that hangs up in the middle of what is sent resets the connection.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

async function status(path: string, init: RequestInit = {}): Promise<number> {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/vnd.atlas.2023-01-01+json',
    ...init.headers,
  };
  const response = await fetch(`http://127.0.0.1:${port}/api/atlas/v2${path}`, { ...init, headers });
  await response.arrayBuffer();
  return response.status;
}

test('those who send slowly keep nobody else waiting, and are hung up on', async () => {
  const head = `POST /api/atlas/v2/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n`;
  const body = `${head}content-type: application/json\r\ncontent-length: 1000\r\n\r\n{`;
  const unknown = body.replace(/authorization: .*\r\n/, '');
  const texts = Array.from({ length: 150 }, (_, index) => [head, body, unknown][index % 3] ?? head);
  const sockets = await Promise.all(texts.map(open));
  const ended = Promise.all(
    sockets.map(async (socket) => {
      socket.resume();
      if (!socket.closed) await once(socket, 'close');
    }),
  );
  for (let request = 0; request < 20; request++) assert.equal(await status('/groups'), 200);
  await ended;
  assert.deepEqual(fixture.calls, []);
  assert.equal(await status('/groups'), 200);
});

test('a body without end is refused at its bound, with a credential and without', async () => {
  const body = 'x'.repeat(3 * 1024 * 1024);
  const headers = { 'content-type': 'application/json' };
  assert.equal(await status('/groups', { method: 'POST', body, headers }), 413);
  const socket = await open(`POST /api/atlas/v2/groups HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);
  let answer = '';
  socket.on('data', (piece) => {
    answer += piece.toString();
  });
  const closed = once(socket, 'close');
  for (let piece = 0; piece < 30 && socket.writable; piece++) socket.write(`20000\r\n${'y'.repeat(0x20000)}\r\n`);
  await closed;
  assert.match(answer, /^HTTP\/1\.1 401 /);
  assert.match(answer, /connection: close/i);
  assert.equal(await status('/groups'), 200);
});

/** All that is answered to the bytes, until the connection ends. */
async function answerTo(text: string): Promise<string> {
  const socket = await open(text);
  let answer = '';
  socket.on('data', (piece) => {
    answer += piece.toString();
  });
  if (!socket.closed) await once(socket, 'close');
  return answer;
}

test('what is no request is answered as every error is, and then hung up on', async () => {
  const end = 'connection: close\r\n\r\n';
  const cases: [string, number, string][] = [
    ['what is this\r\n\r\n', 400, 'VALIDATION_ERROR'],
    ['BREW /api/atlas/v2 HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'VALIDATION_ERROR'],
    [`GET /api/atlas/v2 HTTP/1.1\r\n${end}`, 400, 'VALIDATION_ERROR'],
    [
      `GET /api/atlas/v2 HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n${end}`,
      400,
      'VALIDATION_ERROR',
    ],
    [`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n${end}`, 431, 'REQUEST_HEADERS_TOO_LARGE'],
    [`GET / HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(100_000)}\r\n${end}`, 431, 'REQUEST_HEADERS_TOO_LARGE'],
    ['GET /api/atlas/v2 HTTP/1.1\r\nhost: x\r\n', 408, 'REQUEST_TIMEOUT'],
    [
      `PROPFIND /api/atlas/v2/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n${end}`,
      404,
      'RESOURCE_NOT_FOUND',
    ],
    [
      `TRACE /api/atlas/v2/groups HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n${end}`,
      404,
      'RESOURCE_NOT_FOUND',
    ],
    [
      `GET /api/atlas/v2/groups/%ff HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n${end}`,
      400,
      'VALIDATION_ERROR',
    ],
  ];
  for (const [text, expected, code] of cases) {
    const answer = await answerTo(text);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    assert.match(head, new RegExp(`^HTTP/1\\.1 ${expected} `), text.slice(0, 80));
    assert.match(head, /^content-type: application\/json\r?$/im, text.slice(0, 80));
    assert.deepEqual(problemsOf(ApiError, JSON.parse(body)), [], body);
    assert.deepEqual([JSON.parse(body).error, JSON.parse(body).errorCode], [expected, code], text.slice(0, 80));
  }
});
