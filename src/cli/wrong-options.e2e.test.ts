import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CommandOutcome, runCommandLine } from '../../test/support/command-line.ts';
import { exitCodes } from './exit-codes.ts';

/** Whatever is wrong in what was given ends with exit code 2 and is called by the name under which it was given. */

let directory = '';
let dataDir = '';

async function tidemark(args: readonly string[], env: Record<string, string> = {}): Promise<CommandOutcome> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('TIDEMARK_'));
  return await runCommandLine(args, { ...Object.fromEntries(inherited), ...env });
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-wrong-'));
  dataDir = join(directory, 'data');
  const made = await tidemark(['init', '--data-dir', dataDir]);
  assert.equal(made.exitCode, exitCodes.done, made.errors);
});
after(async () => await rm(directory, { recursive: true, force: true }));

test('wrong options, variables and files that they name end with exit code 2, by their own names', async () => {
  const at = (name: string) => join(directory, name);
  await writeFile(at('text'), 'no PEM and no JSON\n', { mode: 0o600 });
  await writeFile(at('open'), 'mongodb://127.0.0.1/\n');
  await chmod(at('open'), 0o644);
  const given = ['--data-dir', dataDir];
  const serve = ['serve', '--port', '0', ...given];
  const cases: [string[], Record<string, string>, RegExp][] = [
    [['serve', '--port', '99999', ...given], {}, /--port: 99999 is not/],
    [['serve', ...given], { TIDEMARK_PORT: '99999' }, /TIDEMARK_PORT: 99999 is not/],
    [serve, { TIDEMARK_CONCURRENCY: 'many' }, /TIDEMARK_CONCURRENCY: many is not/],
    [[...serve, '--public-url', 'backup.example'], {}, /--public-url: backup\.example is not/],
    [[...serve, '--trusted-proxy', 'proxy.example'], {}, /--trusted-proxy: proxy\.example is neither/],
    [[...serve, '--cluster-allow', 'a b'], {}, /--cluster-allow: a b is neither/],
    [[...serve, '--copy-store', 'here'], {}, /--copy-store: here is not/],
    [[...serve, '--copy-store', 'EU=http://x/y'], {}, /--copy-store: http:\/\/x\/y cannot be used/],
    [[...serve, '--copy-store', `EU=${join(dataDir, 'repository')}`], {}, /--copy-store: .* is the repository itself/],
    [[...serve, '--repository', 'http://x/y'], {}, /--repository: http:\/\/x\/y cannot be used/],
    [serve, { TIDEMARK_REPOSITORY: 'http://x/y' }, /TIDEMARK_REPOSITORY: http:\/\/x\/y cannot be used/],
    [['repository', 'stats', '--repository', 'http://x/y'], {}, /--repository: http:\/\/x\/y cannot be used/],
    [['repository', 'rebuild', '--from', 'http://x/y', ...given], {}, /--from: http:\/\/x\/y cannot be used/],
    [[...serve, '--tls-cert', at('none')], {}, /--tls-cert: .*--tls-key/],
    [[...serve, '--tls-cert', at('none'), '--tls-key', at('text')], {}, /--tls-cert: .*none cannot be read/],
    [[...serve, '--tls-cert', at('text'), '--tls-key', at('none')], {}, /--tls-(cert|key): .*cannot be/],
    [[...serve, '--tls-cert', at('text'), '--tls-key', at('text')], {}, /--tls-cert: .*cannot be used for https/],
    [[...serve, '--object-stores', at('none')], {}, /--object-stores: .*cannot be read/],
    [[...serve, '--object-stores', at('text')], {}, /--object-stores: .*it is not JSON/],
    [['cluster', 'list', ...given], { TIDEMARK_OBJECT_STORES: at('text') }, /TIDEMARK_OBJECT_STORES: .*not JSON/],
    [[...serve, '--cluster-identities', at('text')], {}, /--cluster-identities: .*JSON/],
    [[...serve, '--passphrase-file', at('none')], {}, /passphrase file .*none cannot be read/],
    [[...serve, '--passphrase-file', at('open')], {}, /open holds a secret and is open to others .*chmod 600/],
    [[...serve, '--passphrase-file', at('text')], {}, /--passphrase-file: .*is not encrypted/],
    [['cluster', 'list', ...given], { TIDEMARK_PASSPHRASE: 'x' }, /TIDEMARK_PASSPHRASE: .*is not encrypted/],
    [['cluster', 'add', 'Shop', '--uri-file', at('open'), ...given], {}, /open to others/],
    [['cluster', 'add', 'Shop', '--uri-file', at('text'), ...given], {}, /connection string cannot be read/],
    [['cluster', 'list', ...given], { TIDEMARK_COPY_STORES: 'here' }, /TIDEMARK_COPY_STORES: here is not/],
  ];
  for (const [args, env, expected] of cases) {
    const what = `${JSON.stringify(env)} ${args.join(' ')}`;
    const { exitCode, output, errors } = await tidemark(args, env);
    assert.match(errors, expected, what);
    assert.equal(exitCode, exitCodes.usage, `${what}: ${errors}`);
    assert.equal(output, '', what);
  }
});
