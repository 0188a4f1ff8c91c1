import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { type ApiFixture, apiFixture } from '../support/api-fixture.ts';

/** The time for headers by itself: that for whole requests is so long that nothing here can come from it. */
const HEADERS_MS = 500;
const REQUEST_MS = 600_000;
const WAIT_MS_MAX = 30_000;
const PIECE_EVERY_MS = 50;

let fixture: ApiFixture;
let port: number;
let token: string;

before(async () => {
  fixture = await apiFixture({ timeLimits: { headersMs: HEADERS_MS, requestMs: REQUEST_MS } });
  port = Number(new URL(await fixture.server.listen({ host: '127.0.0.1', port: 0 })).port);
  token = await fixture.tokenWith('GROUP_OWNER', 'ORG_OWNER');
});

after(async () => {
  await fixture.server.close();
});

interface Connection {
  socket: Socket;
  answer: () => string;
  /** Milliseconds from its beginning. */
  whenClosed: Promise<number>;
}

async function open(text: string): Promise<Connection> {
  const socket = connect(port, '127.0.0.1');
  // A server that hangs up in the middle of what is sent resets the connection.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const begunMs = performance.now();
  let answer = '';
  socket.on('data', (piece: Buffer) => {
    answer += piece.toString();
  });
  const whenClosed = once(socket, 'close', { signal: AbortSignal.timeout(WAIT_MS_MAX) }).then(
    () => performance.now() - begunMs,
  );
  socket.write(text);
  return { socket, answer: () => answer, whenClosed };
}

test('headers that drip in are given their time and no more; a body that takes longer is nobody’s fault', async () => {
  const authorization = `authorization: Bearer ${token}\r\n`;
  const head = `GET /api/atlas/v2/groups HTTP/1.1\r\nhost: x\r\n${authorization}`;
  const slowHead = await open(head);
  // Never silent for long: what ends it is the time for all headers, not a pause.
  const dripping = setInterval(() => slowHead.socket.write('x-drip: 1\r\n'), PIECE_EVERY_MS);
  const type = 'application/vnd.atlas.2023-01-01+json';
  const length = `accept: ${type}\r\ncontent-type: ${type}\r\ncontent-length: 2\r\n`;
  const slowBody = await open(`POST /api/atlas/v2/groups HTTP/1.1\r\nhost: x\r\n${authorization}${length}\r\n{`);
  const begunMs = performance.now();
  try {
    const tookMs = await slowHead.whenClosed;
    assert.ok(tookMs >= HEADERS_MS, `hung up on after ${tookMs} ms`);
    assert.match(slowHead.answer(), /^HTTP\/1\.1 408 /);
    assert.match(slowHead.answer(), /"errorCode":\s*"REQUEST_TIMEOUT"/);
  } finally {
    clearInterval(dripping);
  }
  assert.ok(performance.now() - begunMs >= HEADERS_MS / 2, 'the other has been waiting too');
  assert.equal(slowBody.socket.closed, false, 'its headers were there in time');
  assert.equal(slowBody.answer(), '');
  slowBody.socket.write('}');
  await once(slowBody.socket, 'data', { signal: AbortSignal.timeout(WAIT_MS_MAX) });
  assert.match(slowBody.answer(), /^HTTP\/1\.1 400 /, 'read to its end, and answered: a project needs a name');
  slowBody.socket.destroy();
});
