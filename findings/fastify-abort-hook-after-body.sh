#!/usr/bin/env bash
# fastify 5.12.8: the hook onRequestAbort is not called for a request whose body was read before its client hung up.
#
# The documentation says that the hook runs when a client closes the connection before the whole request was
# processed. A handler that works for a minute after it read a POST's body is such a request, but its client may go
# without the hook being called; for a GET without a body it is called. What does tell is the event `close` of the
# answer (reply.raw) before the answer was ended.
# Seen on Node 20.20 and 24.21, the same:
#   GET with 0 bytes of body: onRequestAbort 1, close of the answer 1
#   POST with 2 bytes of body: onRequestAbort 0, close of the answer 1
# Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund fastify@5.12.8
cat > ask.mjs <<'CODE'
import { connect } from 'node:net';
import { fastify } from 'fastify';

function deferred() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

async function ask(method, body) {
  const app = fastify();
  let hooks = 0;
  let closes = 0;
  const begun = deferred();
  const closed = deferred();
  app.addHook('onRequestAbort', async (_request) => {
    hooks++;
  });
  app.all('/', async (_request, reply) => {
    reply.raw.once('close', () => {
      closes++;
      closed.resolve();
    });
    begun.resolve();
    await closed.promise;
    return 'late';
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(app.server.address().port, '127.0.0.1');
  const about = body === '' ? '' : `content-type: application/json\r\ncontent-length: ${body.length}\r\n`;
  socket.write(`${method} / HTTP/1.1\r\nhost: x\r\n${about}\r\n${body}`);
  await begun.promise;
  socket.destroy();
  await closed.promise;
  // Hooks that were going to be called have been, once the server has closed.
  await app.close();
  console.log(`${method} with ${body.length} bytes of body: onRequestAbort ${hooks}, close of the answer ${closes}`);
}

await ask('GET', '');
await ask('POST', '{}');
CODE
seen=$(node ask.mjs)
echo "$seen"
expected='GET with 0 bytes of body: onRequestAbort 1, close of the answer 1
POST with 2 bytes of body: onRequestAbort 0, close of the answer 1'
[ "$seen" = "$expected" ] || { echo 'this is not what was seen before' >&2; exit 1; }
