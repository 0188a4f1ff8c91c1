import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import { systemClock } from '../../src/lib/clock.ts';
import type { Logger } from '../../src/lib/logger.ts';
import { sampleClusterName, sampleIds } from '../samples/rows.ts';
import { type ApiFixture, apiFixture } from '../support/api-fixture.ts';
import { selfSigned } from '../support/self-signed.ts';
import { until } from '../support/served-tidemark.ts';

/**
 * What only a real socket shows: absolute-form targets, the address that a client connected to, TLS, clients that hang
 * up.
 */

const snapshots = `/api/atlas/v2/groups/${sampleIds.project}/clusters/${sampleClusterName}/backup/snapshots`;
const accept = 'application/vnd.atlas.2023-01-01+json';

describe('over http', () => {
  let fixture: ApiFixture;
  let port: number;
  const lines: [string, string][] = [];
  const asked = Promise.withResolvers<void>();

  before(async () => {
    const at = (level: string) => (_fields: object, message: string) => void lines.push([level, message]);
    const log = { info: at('info'), warn: at('warn'), error: at('error'), debug: () => {}, child: () => log };
    const untilGone = async ({ signal }: { signal: AbortSignal }) => {
      asked.resolve();
      await once(signal, 'abort');
      throw signal.reason;
    };
    fixture = await apiFixture({
      log: log as unknown as Logger,
      domain: { documentHistory: { list: untilGone } as never },
    });
    port = Number(new URL(await fixture.server.listen({ host: '127.0.0.1', port: 0 })).port);
  });

  after(async () => await fixture.server.close());

  async function raw(text: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    socket.end(text);
    let answer = '';
    for await (const piece of socket) answer += String(piece);
    return answer;
  }

  test('an absolute target is read as its path, and its host and the Host header stay out of links', async () => {
    const head = `authorization: Bearer ${fixture.projectToken}\r\naccept: ${accept}\r\nconnection: close\r\n\r\n`;
    for (const [target, host] of [
      [`http://evil.example${snapshots}`, 'evil.example'],
      [snapshots, 'evil.example'],
      [snapshots, `evil.example:${port}`],
    ]) {
      const answer = await raw(`GET ${target} HTTP/1.1\r\nhost: ${host}\r\n${head}`);
      assert.match(answer, /^HTTP\/1\.1 200 /);
      assert.ok(answer.includes(`http://127.0.0.1:${port}${snapshots}?`), answer);
      assert.ok(!answer.includes('evil'));
    }
    const named = await raw(`GET ${snapshots} HTTP/1.1\r\nhost: localhost:${port}\r\n${head}`);
    assert.ok(named.includes(`http://localhost:${port}${snapshots}?`));
    const probe = await raw(`GET ${snapshots} HTTP/1.0\r\n${head}`);
    assert.ok(probe.includes(`http://127.0.0.1:${port}${snapshots}?`));
  });

  test('what cannot be read is answered with the same headers', async () => {
    const answer = await raw('NONSENSE\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /x-content-type-options: nosniff/i);
  });

  test('a client that hangs up while it waits is a line and no error', async () => {
    const url = `/api/tidemark/v1/groups/${sampleIds.project}/clusters/${sampleClusterName}/documentHistory`;
    const body = JSON.stringify({ namespace: 'shop.orders', id: 7 });
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST ${url} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${fixture.projectToken}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await asked.promise;
    socket.resetAndDestroy();
    await until('the line is written', async () =>
      lines.some(([, message]) => message === 'request broken off by its client') ? true : null,
    );
    assert.deepEqual(
      lines.filter(([level]) => level === 'error'),
      [],
    );
  });
});

describe('over https', () => {
  const tls = selfSigned(systemClock.nowMs());
  let fixture: ApiFixture;
  let port: number;

  before(async () => {
    fixture = await apiFixture({ tls: { cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) } });
    port = Number(new URL(await fixture.server.listen({ host: '127.0.0.1', port: 0 })).port);
  });

  after(async () => await fixture.server.close());

  test('links are https, and browsers are told to stay with it', async () => {
    const call = request({
      ...{ host: '127.0.0.1', port, path: snapshots, ca: tls.cert },
      headers: { authorization: `Bearer ${fixture.projectToken}`, accept },
    });
    call.end();
    const [response] = await once(call, 'response');
    let body = '';
    for await (const piece of response) body += String(piece);
    assert.ok(body.includes(`https://127.0.0.1:${port}${snapshots}?`), body);
    assert.equal(response.headers['strict-transport-security'], 'max-age=31536000');
  });

  async function cipherWith(options: ConnectionOptions): Promise<string> {
    const socket = tlsConnect({ host: '127.0.0.1', port, ca: tls.cert, ...options });
    try {
      await once(socket, 'secureConnect');
      return socket.getCipher().name;
    } finally {
      socket.destroy();
    }
  }

  test('only modern suites are spoken', async () => {
    assert.match(await cipherWith({}), /^TLS_/);
    const twelve = { maxVersion: 'TLSv1.2' } as const;
    assert.match(await cipherWith(twelve), /^ECDHE-ECDSA-.*(GCM|POLY1305)/);
    for (const ciphers of ['AES128-GCM-SHA256', 'AES128-SHA', 'ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA'])
      await assert.rejects(cipherWith({ ...twelve, ciphers }), /handshake failure|alert/i, ciphers);
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await assert.rejects(cipherWith(old), /alert|unsupported|version/i);
  });
});
