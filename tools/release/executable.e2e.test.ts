import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { openFixture } from '../../test/fixtures/open-fixture.ts';
import { runInDebianRoot, whyNoDebianRoot } from '../../test/support/debian-root.ts';
import { createDirectory } from '../../test/support/mongod.ts';
import { readVersion } from './bundle.ts';
import { buildDebianPackage } from './debian-package.ts';
import { buildExecutable, type Processor } from './executable.ts';

const run = promisify(execFile);
const SCRIPT_MS = 180_000;
/** In tenths, as `systemd-analyze security --threshold` has it. */
const EXPOSURE_MAX = 25;

/** What is asked without a caller, to see whether it answers. */
const ANSWERS = `
answers() {
  for try in $(seq 100); do
    if (exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /api/atlas/v2/unauth/controlPlaneIPAddresses HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -1 <&3 | grep -q ' 200 ') 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  return 1
}
`;

const skip = await whyNoDebianRoot();

describe('the executable, its Debian package and its container', () => {
  let directory: string;
  let executable: string;
  let version: string;

  before(async () => {
    directory = await createDirectory();
    executable = join(directory, 'tidemark');
    version = await readVersion();
    const processor = process.arch as Processor;
    await buildExecutable({ node: process.execPath, processor, work: join(directory, 'work') }, executable);
  });
  after(async () => await rm(directory, { recursive: true, force: true }));

  async function tidemark(...args: string[]): Promise<string> {
    const { stdout, stderr } = await run(executable, args, { cwd: directory, env: { PATH: '/nowhere' } });
    assert.equal(stderr, '');
    return stdout;
  }

  test('the executable works where there is no Node', async () => {
    assert.equal(await tidemark('--version'), `${version}\n`);
    const dataDir = join(directory, 'data');
    const { orgId } = JSON.parse(await tidemark('init', '--data-dir', dataDir, '--json')) as { orgId: string };
    assert.match(orgId, /^[0-9a-f]{24}$/);
    assert.equal(await tidemark('snapshot', 'list', '--data-dir', dataDir, '--json'), '[]\n');
  });

  test('the executable takes over what 0.1.0 left', async () => {
    const fixture = await openFixture('0.1.0', 'plain');
    try {
      const listed = await tidemark('snapshot', 'list', '--data-dir', fixture.dataDir, '--json');
      const ids = (JSON.parse(listed) as { id: string }[]).map(({ id }) => id);
      for (const { id } of fixture.expected.snapshots) assert.ok(ids.includes(id), id);
    } finally {
      await fixture.remove();
    }
  });

  test('the executable plays the demo, servers and all', async () => {
    const { stdout } = await run(executable, ['demo', '--exit', '--size-mb', '1'], {
      cwd: directory,
      timeout: SCRIPT_MS,
    });
    assert.match(stdout, /the target equals the source as of the snapshot/);
  });

  test('is installed, started, upgraded, removed and purged', { skip }, async () => {
    const files = join(directory, 'files');
    await mkdir(files);
    const common = { executable, processor: process.arch as Processor, notices: 'none', compression: 'none' as const };
    for (const [name, made] of [
      ['old.deb', version],
      ['new.deb', `${version}+next`],
    ] as const) {
      const built = await buildDebianPackage({ ...common, version: made, work: join(directory, name) }, files);
      await rename(built, join(files, name));
    }
    const printed = await runInDebianRoot(
      files,
      `${ANSWERS}
      echo "== install"
      dpkg --install /files/old.deb
      dpkg --verify tidemark
      stat --format '%A %U %G %n' /etc/tidemark/tidemark.env /var/lib/tidemark
      systemctl is-enabled tidemark
      systemctl is-active tidemark || true
      systemd-analyze verify tidemark.service
      systemd-analyze security --no-pager --threshold=${EXPOSURE_MAX} tidemark.service | tail -1
      echo "== start"
      su --shell /bin/sh tidemark --command 'tidemark init --data-dir /var/lib/tidemark' >/dev/null
      systemctl start tidemark
      answers
      pid=$(systemctl show --property MainPID --value tidemark)
      grep -E '^(NoNewPrivs|Seccomp|CapBnd|Uid)' /proc/$pid/status
      echo '#TIDEMARK_PORT=8081 is not wanted' >>/etc/tidemark/tidemark.env
      echo "== upgrade"
      dpkg --install /files/new.deb
      answers
      test "$pid" != "$(systemctl show --property MainPID --value tidemark)" && echo "another process serves"
      grep -q 'is not wanted' /etc/tidemark/tidemark.env && echo "the configuration is as it was"
      tidemark snapshot list --data-dir /var/lib/tidemark
      echo "== remove"
      dpkg --remove tidemark
      systemctl is-active tidemark || true
      ls /var/lib/tidemark
      echo "== purge"
      dpkg --purge tidemark
      ls --directory /etc/tidemark 2>&1 || true
      ls /var/lib/tidemark/repository/repository.json
      getent passwd tidemark
      echo "== purge without snapshots"
      rm -r /var/lib/tidemark/repository
      dpkg --install /files/old.deb
      dpkg --purge tidemark
      ls --directory /var/lib/tidemark 2>&1 || true
      getent passwd tidemark || echo "no user"
      `,
      SCRIPT_MS,
    );
    const [, install, start, upgrade, remove, purge, purgedWhole] = printed.split(/^== .*$/m);
    assert.match(install ?? '', /^-rw-r----- root tidemark \/etc\/tidemark\/tidemark\.env$/m);
    assert.match(install ?? '', /^drwx------ tidemark tidemark \/var\/lib\/tidemark$/m);
    assert.match(install ?? '', /^enabled\ninactive\n/m);
    assert.match(install ?? '', /Overall exposure level for tidemark\.service: [012]\.\d OK/);
    assert.match(start ?? '', /^Uid:\t(?!0\t)/m);
    assert.match(start ?? '', /^CapBnd:\t0+$/m);
    assert.match(start ?? '', /^NoNewPrivs:\t1$/m);
    assert.match(start ?? '', /^Seccomp:\t2$/m);
    assert.match(upgrade ?? '', /another process serves\nthe configuration is as it was\nNo snapshots yet/);
    assert.match(remove ?? '', /^inactive$/m);
    assert.match(remove ?? '', /^catalog\.sqlite$/m);
    assert.match(purge ?? '', /Snapshots are left in \/var\/lib\/tidemark/);
    assert.match(purge ?? '', /cannot access '\/etc\/tidemark'/);
    assert.match(purge ?? '', /^tidemark:x:/m);
    assert.match(purgedWhole ?? '', /cannot access '\/var\/lib\/tidemark'.*\nno user/);
  });

  test('is a container by the steps of its Containerfile, with a root that nobody can change', { skip }, async () => {
    const files = join(directory, 'container');
    await mkdir(files);
    await copyFile(executable, join(files, 'tidemark'));
    await writeFile(join(files, 'object-stores.json'), '{"objectStores": []}', { mode: 0o640 });
    const steps = await readContainerfile();
    const own = steps.RUN.filter((step) => !step.startsWith('apt-get '));
    const packages = steps.RUN.flatMap((step) => /apt-get install (.*?) &&/.exec(step)?.[1]?.split(' ') ?? []);
    const [user] = steps.USER.join().split(':');
    const health = JSON.parse(steps.HEALTHCHECK.join().replace(/^.*? CMD /, '')) as string[];
    const program = (JSON.parse(steps.ENTRYPOINT.join()) as string[]).join(' ');
    const command = (JSON.parse(steps.CMD.join()) as string[]).join(' ');
    const [, from, to] = /^(\S+) \S+ (\S+)$/.exec(steps.COPY.join()) ?? [];
    await writeFile(
      join(files, 'health'),
      `exec ${health.map((part) => `'${part.replaceAll("'", `'\\''`)}'`).join(' ')}\n`,
    );
    const printed = await runInDebianRoot(
      files,
      `dpkg --status ${packages.filter((name) => !name.startsWith('--')).join(' ')} | grep -c '^Status: install ok installed'
      ${own.join('\n')}
      install --mode ${from?.replace('--chmod=', '')} /files/tidemark ${to}
      mkdir /etc/tidemark
      install --owner root --group tidemark --mode 0440 /files/object-stores.json /etc/tidemark/object-stores.json
      mount --bind /var/lib/tidemark /var/lib/tidemark
      mount --bind / /mnt && mount -o remount,bind,ro /mnt
      mount --bind /var/lib/tidemark /mnt/var/lib/tidemark
      for place in proc dev files; do mount --rbind /$place /mnt/$place; done
      mount -t tmpfs tmpfs /mnt/tmp
      inside=(chroot /mnt setpriv --reuid ${user} --regid ${user} --clear-groups --no-new-privs --bounding-set=-all
        env ${steps.ENV.join(' ')} TIDEMARK_OBJECT_STORES=/etc/tidemark/object-stores.json)
      "\${inside[@]}" touch /usr/bin/x 2>&1 || true
      "\${inside[@]}" ${program} init >/dev/null
      "\${inside[@]}" /bin/bash /files/health || echo "not healthy before it serves"
      "\${inside[@]}" ${program} ${command} &
      for try in $(seq 100); do "\${inside[@]}" /bin/bash /files/health && break; sleep 0.1; done
      "\${inside[@]}" /bin/bash /files/health && echo healthy
      kill %1
      wait %1 && echo "ended well"
      `,
      SCRIPT_MS,
    );
    assert.match(printed, /^2\n/, 'both packages are there');
    assert.match(printed, /Read-only file system/);
    assert.match(printed, /not healthy before it serves\n/);
    assert.match(printed, /\nhealthy\nended well\n/);
  });
});

/** The instructions of the Containerfile, each with what follows it, in their order. */
async function readContainerfile() {
  const text = await readFile(join(import.meta.dirname, '../../packaging/container/Containerfile'), 'utf8');
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  const of = (name: string): string[] =>
    lines
      .filter((line) => line.startsWith(`${name} `))
      .map((line) => line.slice(name.length + 1).replaceAll(/ +/g, ' '));
  return {
    RUN: of('RUN'),
    COPY: of('COPY'),
    ENV: of('ENV'),
    USER: of('USER'),
    HEALTHCHECK: of('HEALTHCHECK'),
    ENTRYPOINT: of('ENTRYPOINT'),
    CMD: of('CMD'),
  };
}
