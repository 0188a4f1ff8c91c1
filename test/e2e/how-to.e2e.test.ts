import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';
import { LAUNCHER } from '../support/command-line.ts';
import { blocksOf, scriptOf } from '../support/how-to.ts';
import { createDirectory, freePort } from '../support/mongod.ts';
import { PASSWORD, runInShell } from '../support/mongosh.ts';
import { startVersity, whyNoServer } from '../support/object-servers.ts';
import { ReplicaSet } from '../support/replica-set.ts';
import { ShardedCluster } from '../support/sharded-cluster.ts';

/**
 * Every command of docs/how-to is run as it is written there, page after page in the order in which somebody reads
 * them, by one shell, as one user on one machine. What is not there is stood in for: mongosh, and systemctl with a unit
 * `tidemark` (docs/install.md is another test's).
 */

const PAGES = [
  'first-hour.md',
  'undo-one-update.md',
  'before-a-mistake.md',
  'export.md',
  'rotate-a-password.md',
  'monitor.md',
  'move.md',
  'lose-the-catalog.md',
  'lose-the-host.md',
];
const ROLES = 'roles.md';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUCKET_PAGE = 'export.md';

let shop: ReplicaSet;
let spare: ReplicaSet;
let sharded: ShardedCluster;
let home = '';

const uriOfTidemark = (set: ReplicaSet): string => set.uri.replace(/\/\/[^@]*@/, `//tidemark:${PASSWORD}@`);

/** The systemd of the machine: it starts the service as whoever asks has its environment. */
const SYSTEMCTL = `
case "$1 $2" in
  'start tidemark')
    setsid tidemark serve >> "$HOME/unit.log" 2>&1 < /dev/null &
    echo $! > "$HOME/unit.pid" ;;
  'stop tidemark')
    if [ -e "$HOME/unit.pid" ]; then
      kill "$(cat "$HOME/unit.pid")"
      tail --pid="$(cat "$HOME/unit.pid")" -f /dev/null
      rm "$HOME/unit.pid"
    fi ;;
  *) exit 64 ;;
esac`;

async function program(name: string, body: string): Promise<void> {
  await writeFile(join(home, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

before(async () => {
  const auth = true;
  [shop, spare, sharded] = await Promise.all([
    ReplicaSet.start({ name: 'shop', auth }),
    ReplicaSet.start({ name: 'spare', auth }),
    ShardedCluster.start({ shards: 1, prefix: 'h', auth }),
  ]);
  home = await createDirectory();
  await mkdir(join(home, 'bin'));
  await program('tidemark', `exec '${process.execPath}' '${LAUNCHER}' "$@"`);
  const shell = join(ROOT, 'test/support/mongosh-command.ts');
  await program('mongosh', `exec '${process.execPath}' --disable-warning=ExperimentalWarning '${shell}' "$@"`);
  await program('sudo', 'exec "$@"');
  await program('systemctl', SYSTEMCTL);
  const accounts = shop.client.db('shop').collection<{ _id: string; balance: number }>('accounts');
  await accounts.insertMany([
    { _id: 'alice', balance: 0 },
    { _id: 'bob', balance: 5 },
  ]);
});
after(async () => {
  const pid = await readFile(join(home, 'unit.pid'), 'utf8').catch(() => null);
  if (pid !== null) process.kill(Number(pid));
  await Promise.all([shop.stop(), spare.stop(), sharded.stop()]);
});

test('every page is carried out, and shows nothing that is neither run nor only text', async () => {
  const pages = await readdir(join(ROOT, 'docs/how-to'));
  assert.deepEqual(pages.toSorted(), [...PAGES, ROLES].toSorted());
  const front = await readFile(join(ROOT, 'README.md'), 'utf8');
  for (const page of pages) {
    assert.ok(front.includes(`(docs/how-to/${page})`), `README.md links to ${page}`);
    for (const { line, language, on } of blocksOf(page)) {
      const known = page === ROLES ? language === 'js' && on !== '' : ['sh', 'text'].includes(language);
      assert.ok(known, `${page}:${line}: ${language}`);
    }
  }
});

test('the roles are enough, with and without sharding', async () => {
  const servers: Record<string, readonly ReplicaSet[]> = {
    shop: [shop],
    spare: [spare],
    shards: sharded.shards.map(({ set }) => set),
    config: [sharded.config],
  };
  for (const { line, on, text: script } of blocksOf(ROLES)) {
    const sets = servers[on];
    assert.ok(sets !== undefined, `${ROLES}:${line}: ${on}`);
    for (const { uri } of sets) await runInShell(uri, script);
  }
  const dataDir = join(home, 'sharded');
  await runTidemark(['init', '--data-dir', dataDir]);
  const uri = uriOfTidemark(sharded.config);
  const added = (await runTidemark(['cluster', 'add', 'Sharded', '--uri', uri, '--data-dir', dataDir])) as object;
  assert.deepEqual('missingPrivileges' in added && added.missingPrivileges, []);
  await runTidemark(['snapshot', 'take', 'Sharded', '--data-dir', dataDir]);
});

test('the commands of every page do what it says', async (t) => {
  const noBucket = await whyNoServer('versitygw');
  if (noBucket !== false) t.diagnostic(`${BUCKET_PAGE} was not carried out: ${noBucket}`);
  const server = noBucket === false ? await startVersity() : null;
  try {
    await server?.createBucket('exports');
    const pages = PAGES.filter((page) => server !== null || page !== BUCKET_PAGE);
    const script = [
      'set -euo pipefail',
      "trap 'kill $(jobs -p) 2> /dev/null || true' EXIT",
      'mkdir -p work; cd work',
      ...pages.flatMap(pageScript),
    ].join('\n');
    const { PATH, LANG } = process.env;
    const child = spawn('bash', ['-m', '-s'], {
      cwd: home,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: `${join(home, 'bin')}:${PATH}`,
        HOME: home,
        LANG,
        TIDEMARK_PORT: String(await freePort()),
        SHOP: uriOfTidemark(shop),
        SPARE: uriOfTidemark(spare),
        SHOP_ADMIN: shop.uri,
        S3_ENDPOINT: server?.endpoint,
        S3_ACCESS_KEY: 'tidemark-test',
        S3_SECRET_KEY: 'not-a-secret-0000',
      },
    });
    child.stdin.end(script);
    const [output, errors, [exitCode]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    const said = errors.slice(-4000);
    assert.equal(exitCode, 0, `${said}\n${output.slice(-4000)}`);
    for (const page of pages) assert.ok(errors.includes(`== ${page}:`), `${page} was run`);
  } finally {
    await server?.stop();
  }
});

function pageScript(page: string): string[] {
  // After the first hour the service is that of the machine.
  return page === PAGES[0] ? [scriptOf(page), 'systemctl start tidemark'] : [scriptOf(page)];
}
