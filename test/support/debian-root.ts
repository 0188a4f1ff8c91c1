import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../src/lib/errors.ts';
import { acquireLock, cacheDirectory, isExecutable } from '../../tools/cache-directory.ts';

/**
 * A small Debian in a folder, for what is installed into one: made once by debootstrap, kept in the cache, and never
 * changed. What a test does in it goes into memory and is gone with the test.
 */
const run = promisify(execFile);
const MAKE_MS = 15 * 60_000;
const RELEASE = 'bookworm';
/** What a machine has that gets the package: the tools of its scripts, and what Node is linked with. */
const PACKAGES = 'adduser,ca-certificates,init-system-helpers,libstdc++6,systemd,systemd-sysv';

/** Why the tests that need it are skipped, or false. */
export async function whyNoDebianRoot(): Promise<string | false> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root on Linux can change its root directory';
  return await findDebianRoot().then(
    () => false,
    (error: unknown) => messageOf(error),
  );
}

async function findDebianRoot(): Promise<string> {
  const root = cacheDirectory('debian-roots');
  const place = join(root, `${RELEASE}-1`);
  if (await isThere(place)) return place;
  await mkdir(root, { recursive: true });
  const release = await acquireLock(join(root, `.lock-${RELEASE}`));
  try {
    if (await isThere(place)) return place;
    const into = await mkdtemp(join(root, '.making-'));
    try {
      await debootstrap(into);
      await rename(join(into, 'root'), place);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
    return place;
  } catch (error) {
    throw new Error(`a root of Debian cannot be made here: ${messageOf(error).trim().split('\n').at(-1)}`);
  } finally {
    await release();
  }
}

/** The debootstrap of the machine, else the one of its package archive, unpacked and not installed. */
async function debootstrap(into: string): Promise<void> {
  const options = { cwd: into, timeout: MAKE_MS, maxBuffer: 64 << 20 };
  let program = (await programOnPath('debootstrap')) ?? '';
  const env = { ...process.env };
  if (program === '') {
    const download = ['apt-get', 'download', '-qq', 'debootstrap'].join(' ');
    const fetch = `{ ${download} || { apt-get update -qq && ${download}; }; } && dpkg -x debootstrap_*.deb unpacked`;
    await run('/bin/sh', ['-c', fetch], options);
    program = join(into, 'unpacked/usr/sbin/debootstrap');
    env.DEBOOTSTRAP_DIR = join(into, 'unpacked/usr/share/debootstrap');
  }
  const args = ['--variant=minbase', `--include=${PACKAGES}`, RELEASE, join(into, 'root')];
  // It mounts what it needs, and leaves that behind where it is cut off: in a namespace it goes with it.
  await run('unshare', ['--mount', program, ...args], { ...options, env });
  // Archives of the packages: what they held is unpacked.
  await run('/bin/sh', ['-c', 'rm -rf root/var/cache/apt/archives/*.deb root/var/lib/apt/lists/*'], options);
}

async function programOnPath(name: string): Promise<string | null> {
  for (const directory of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']) {
    const path = join(directory, name);
    if (directory !== '' && (await isExecutable(path))) return path;
  }
  return null;
}

async function isThere(place: string): Promise<boolean> {
  return await access(place).then(
    () => true,
    () => false,
  );
}

/**
 * The root is the kept one under a memory file system, and processes are in namespaces of their own: whatever is
 * started in it ends with its first process, and whatever is mounted goes with it.
 */
const ENTER = `
set -e
lower=$1; files=$2; work=$3; shift 3
mount --make-rprivate /
mount -t tmpfs -o size=2g tmpfs "$work"
mkdir "$work/upper" "$work/work" "$work/root"
root=$work/root
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$work/upper,workdir=$work/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
mkdir "$root/sys/fs/cgroup/systemd"
mount -t cgroup -o none,name=systemd,xattr cgroup "$root/sys/fs/cgroup/systemd" 2>/dev/null ||
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mkdir "$root/files" "$root/outside"
mount --bind "$files" "$root/files"
cp "$root/files/.unit" "$root/etc/systemd/system/script.service"
cd "$root"
pivot_root . outside
exec /bin/sh -c 'umount -l /outside; exec "$@"' sh "$@"
`;

/** The script as the only thing that systemd starts; when it has ended so has the machine. */
const UNIT = `[Unit]
Description=Script of a test
After=basic.target
Wants=basic.target
[Service]
Type=oneshot
Environment=DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 SYSTEMD_PAGER=
StandardOutput=append:/files/.output
StandardError=inherit
ExecStart=/bin/sh -c 'if /bin/bash -e /files/.script; then touch /files/.done; fi'
ExecStopPost=/bin/systemctl --force --force poweroff
`;

/**
 * Runs a script of bash as root inside, on a machine that systemd has started, with the directory at `/files` and
 * nothing but its own loopback interface. Answers with what it printed; throws with that
 * where it fails or takes longer than `limitMs`.
 */
export async function runInDebianRoot(files: string, script: string, limitMs: number): Promise<string> {
  const lower = await findDebianRoot();
  const work = await mkdtemp(join(tmpdir(), 'tidemark-root-'));
  const output = join(files, '.output');
  await rm(join(files, '.done'), { force: true });
  await writeFile(output, '');
  await writeFile(join(files, '.script'), script);
  await writeFile(join(files, '.unit'), UNIT);
  const systemd = ['/lib/systemd/systemd', '--unit=script.service', '--log-target=journal'];
  const namespaces = ['--mount', '--pid', '--ipc', '--uts', '--net', '--cgroup', '--fork', '--kill-child'];
  const args = [...namespaces, '/bin/sh', '-c', ENTER, 'enter', lower, files, work, ...systemd];
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8', container: 'tidemark-test' };
  const limit = { timeout: limitMs, killSignal: 'SIGKILL' as const };
  // A machine that is switched off ends by a signal; whether the script was done is what it left.
  const problem = await run('unshare', args, { env, ...limit }).then(
    () => '',
    (error: unknown) => (error as { stderr?: string }).stderr ?? messageOf(error),
  );
  await rm(work, { recursive: true, force: true });
  const printed = await readFile(output, 'utf8');
  if (await isThere(join(files, '.done'))) return printed;
  throw new Error(`the script in the Debian root did not end well:\n${printed}\n${problem}`);
}
