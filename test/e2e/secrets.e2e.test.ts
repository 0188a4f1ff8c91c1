import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Credentials } from '../../tools/demo/atlas-client.ts';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';
import { withReplicaSet } from '../support/replica-set.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/program.ts', import.meta.url));

/** A served directory, everything that it logs, and every answer that is not the first to show a secret. */
class Watched {
  readonly #child: ChildProcess;
  readonly url: string;
  readonly secrets = new Map<string, string>();
  readonly later: string[] = [];
  log = '';

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  static async serve(dataDir: string): Promise<Watched> {
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM, 'serve', '--data-dir', dataDir, '--port', '0'];
    const child = spawn(process.execPath, [...args, '--log-level', 'trace'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const log: string[] = [];
    child.stderr.on('data', (piece: Buffer) => log.push(piece.toString()));
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const watched = new Watched(child, /http:\/\/\S+/.exec(line)?.[0] ?? '');
    child.stderr.on('data', (piece: Buffer) => {
      watched.log += piece.toString();
    });
    watched.log = log.join('');
    return watched;
  }

  async tell(method: string, path: string, token: string, body?: unknown): Promise<Record<string, string>> {
    const response = await fetch(`${this.url}/api/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/vnd.atlas.2025-03-12+json',
        'content-type': 'application/json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (method === 'GET') this.later.push(text);
    assert.ok(response.ok, text);
    return JSON.parse(text) as Record<string, string>;
  }

  async tokenOf({ clientId, clientSecret }: { clientId: string; clientSecret: string }): Promise<string> {
    const response = await fetch(`${this.url}/api/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    this.secrets.set('an access token', token);
    return token;
  }

  async end(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}

test('no secret is logged, kept in the clear, or shown a second time', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'tidemark-secrets-'));
  const dataDir = join(parent, 'data');
  try {
    await withReplicaSet({ auth: true }, async ({ uri }) => {
      const made = (await runTidemark(['init', '--data-dir', dataDir])) as Credentials & {
        orgId: string;
        apiKey: { privateKey: string };
      };
      const served = await Watched.serve(dataDir);
      const { secrets } = served;
      secrets.set('the first private key', made.apiKey.privateKey);
      secrets.set('the first client secret', made.serviceAccount.clientSecret);
      secrets.set('the password of the source', decodeURIComponent(/:\/\/[^:]+:([^@]+)@/.exec(uri)?.[1] ?? ''));
      const token = await served.tokenOf(made.serviceAccount);
      const org = `atlas/v2/orgs/${made.orgId}`;
      const project = `groups/${made.projectId}`;
      const key = await served.tell('POST', `${org}/apiKeys`, token, { desc: 'x', roles: ['ORG_MEMBER'] });
      secrets.set('a private key', key.privateKey ?? '');
      const asked = { name: 'x', description: 'x', roles: ['ORG_MEMBER'], secretExpiresAfterHours: 8 };
      const account = await served.tell('POST', `${org}/serviceAccounts`, token, asked);
      const [first] = account.secrets as unknown as { secret: string }[];
      secrets.set('a client secret', first?.secret ?? '');
      const hours = { secretExpiresAfterHours: 8 };
      const second = await served.tell('POST', `${org}/serviceAccounts/${account.clientId}/secrets`, token, hours);
      secrets.set('a rotated client secret', second.secret ?? '');
      await served.tokenOf({ clientId: account.clientId ?? '', clientSecret: second.secret ?? '' });
      await served.tell('POST', `tidemark/v1/${project}/clusters`, token, { name: 'shop', connectionString: uri });
      for (const path of [`${org}/apiKeys`, `${org}/serviceAccounts`, `atlas/v2/${project}/clusters`])
        await served.tell('GET', path, token);
      for (const path of [`${org}/apiKeys/${key.id}`, `${org}/serviceAccounts/${account.clientId}`])
        await served.tell('GET', path, token);
      await served.tell('GET', `tidemark/v1/${project}/clusters`, token);
      await served.end();
      assert.ok(served.log.length > 0, 'nothing was logged');
      await assertNowhere(dataDir, served);
    });
  } finally {
    await rm(parent, { recursive: true });
  }
});

async function assertNowhere(dataDir: string, { secrets, log, later }: Watched): Promise<void> {
  const files = (await readdir(dataDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  assert.ok(files.some(({ name }) => name === 'catalog.sqlite'));
  for (const [what, secret] of secrets) {
    assert.ok(secret.length >= 8, what);
    assert.ok(!log.includes(secret), `${what} was logged`);
    assert.ok(!later.some((text) => text.includes(secret)), `${what} was shown again`);
    for (const { parentPath, name } of files) {
      const text = await readFile(join(parentPath, name), 'latin1');
      assert.ok(!text.includes(secret), `${what} is in ${name}`);
    }
  }
}
