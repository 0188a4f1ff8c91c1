import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { type InitializedDataDirectory, initDataDirectory } from '../../src/compose/make-data-directory.ts';
import { composeService, type Service } from '../../src/compose/service.ts';
import { readConfig } from '../../src/config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { findNpmTool } from '../../tools/fetch-npm-tools.ts';
import { withReplicaSet } from '../support/replica-set.ts';
import { selfSigned } from '../support/self-signed.ts';

/** The service over https, and a client of the Atlas API that nobody here wrote: the official MCP server, as it is. */
const ANSWER_MS_MAX = 60_000;
const skip = await findNpmTool('mongodb-mcp-server').then(() => false as const, messageOf);

let directory: string;
let made: InitializedDataDirectory;
let service: Service;
let base: string;
let cert: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-tls-'));
  const dataDir = join(directory, 'data');
  made = await initDataDirectory({ dataDir, organizationName: 'Acme', projectName: 'Shop' });
  const pair = selfSigned(systemClock.nowMs());
  cert = pair.cert;
  const tlsCert = join(directory, 'cert.pem');
  const tlsKey = join(directory, 'key.pem');
  await writeFile(tlsCert, pair.cert);
  await writeFile(tlsKey, pair.key, { mode: 0o600 });
  service = await composeService(readConfig({}, { dataDir, port: 0, logLevel: 'silent', tlsCert, tlsKey }));
  base = (await service.listen()).replace(/\/+$/, '');
});

after(async () => {
  await service.close();
  await rm(directory, { recursive: true });
});

test('with a certificate it answers https, and only that', async () => {
  assert.match(base, /^https:\/\/127\.0\.0\.1:\d+$/);
  const status = await new Promise((resolve, reject) => {
    const asked = request(`${base}/api/atlas/v2`, { ca: cert }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject);
    asked.end();
  });
  assert.equal(status, 401);
  await assert.rejects(fetch(base.replace('https', 'http')));
});

/** One session over standard input and output, in lines of JSON-RPC. */
class McpSession {
  readonly #child;
  readonly #waiting = new Map<number, (answer: RpcAnswer) => void>();
  #said = '';
  #last = 0;

  constructor(program: string, env: Record<string, string>) {
    this.#child = spawn(process.execPath, [program], {
      env: { PATH: process.env.PATH ?? '', HOME: directory, DO_NOT_TRACK: '1', ...env },
      stdio: 'pipe',
    });
    this.#child.stderr.on('data', (piece: Buffer) => {
      this.#said = (this.#said + piece.toString()).slice(-4_000);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as RpcAnswer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  async ask(method: string, params: object): Promise<NonNullable<RpcAnswer['result']>> {
    const id = ++this.#last;
    const answered = new Promise<RpcAnswer>((resolve) => this.#waiting.set(id, resolve));
    this.#send({ jsonrpc: '2.0', id, method, params });
    const over = new AbortController();
    const late = systemClock.sleep(ANSWER_MS_MAX, over.signal).then(
      () => assert.fail(`no answer to ${method}: ${this.#said}`),
      () => assert.fail('unreachable: nobody waits any more'),
    );
    const answer = await Promise.race([answered, late]);
    over.abort();
    late.catch(() => undefined);
    assert.ok(answer.result !== undefined, JSON.stringify(answer));
    return answer.result;
  }

  tell(method: string): void {
    this.#send({ jsonrpc: '2.0', method });
  }

  async call(name: string, args: object = {}): Promise<string> {
    const result = await this.ask('tools/call', { name, arguments: args });
    const text = (result.content ?? []).map((part) => part.text ?? '').join('\n');
    assert.notEqual(result.isError, true, text);
    return text;
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }

  #send(message: object): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

interface RpcAnswer {
  id?: number;
  result?: { content?: { text?: string }[]; isError?: boolean; tools?: { name: string }[] };
}

test('the official MCP server lists organizations, projects and clusters, unmodified', { skip }, async () => {
  await withReplicaSet({}, async ({ uri }) => {
    await service.domain.clusters.register({ projectId: made.projectId, name: 'orders', uri });
    const program = join(await findNpmTool('mongodb-mcp-server'), 'node_modules/mongodb-mcp-server/dist/esm/index.js');
    const session = new McpSession(program, {
      MDB_MCP_API_BASE_URL: `${base}/`,
      MDB_MCP_API_CLIENT_ID: made.serviceAccount.clientId,
      MDB_MCP_API_CLIENT_SECRET: made.serviceAccount.secret,
      MDB_MCP_TELEMETRY: 'disabled',
      // It signs in with Node's own fetch, which reads the first, and calls with another, which looks where OpenSSL
      // does.
      NODE_EXTRA_CA_CERTS: join(directory, 'cert.pem'),
      SSL_CERT_FILE: join(directory, 'cert.pem'),
    });
    try {
      const clientInfo = { name: 'tidemark-test', version: '0' };
      await session.ask('initialize', { protocolVersion: '2025-03-26', capabilities: {}, clientInfo });
      session.tell('notifications/initialized');
      assert.match(await session.call('atlas-list-orgs'), new RegExp(`Acme[\\s\\S]*${made.organizationId}`));
      const projects = await session.call('atlas-list-projects');
      assert.match(projects, /Shop/);
      assert.match(projects, new RegExp(made.projectId));
      assert.match(await session.call('atlas-list-clusters', { projectId: made.projectId }), /orders/);
    } finally {
      await session.close();
    }
  });
});
