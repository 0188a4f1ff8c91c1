import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Processor } from './executable.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const packaging = join(root, 'packaging/debian');
const BUILD_MS = 10 * 60_000;
const ARCHITECTURES: Record<Processor, string> = { x64: 'amd64', arm64: 'arm64' };
const PAGES = ['docs/install.md', 'docs/operations.md', 'docs/upgrading.md', 'README.md'];

export interface DebianOptions {
  executable: string;
  processor: Processor;
  version: string;
  /** What has to go with what others wrote. */
  notices: string;
  work: string;
  /** `none` for tests, which have it for minutes. */
  compression: 'xz' | 'none';
}

/**
 * Packs the executable, the unit of its service and their scripts. Answers with the path of the package. Whoever builds
 * it need not be root.
 */
export async function buildDebianPackage(options: DebianOptions, into: string): Promise<string> {
  const { executable, processor, version, notices, work, compression } = options;
  await rm(work, { recursive: true, force: true });
  const put = async (name: string, body: Buffer | string, mode = 0o644): Promise<void> => {
    const path = join(work, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, body);
    await chmod(path, mode);
  };
  const own = async (name: string): Promise<Buffer> => await readFile(join(packaging, name));
  const documentation = 'usr/share/doc/tidemark';
  await put('usr/lib/systemd/system/tidemark.service', await own('tidemark.service'));
  await put('etc/tidemark/tidemark.env', await own('tidemark.env'), 0o640);
  await put(`${documentation}/copyright`, await readFile(join(root, 'LICENSE')));
  await put(`${documentation}/third-party-notices.txt.gz`, gzipSync(notices, { level: 9 }));
  await put(`${documentation}/changelog.gz`, gzipSync(await readFile(join(root, 'CHANGELOG.md')), { level: 9 }));
  for (const page of PAGES) await put(`${documentation}/${page.split('/').at(-1)}`, await readFile(join(root, page)));
  await mkdir(join(work, 'usr/bin'), { recursive: true });
  await copyFile(executable, join(work, 'usr/bin/tidemark'));
  await chmod(join(work, 'usr/bin/tidemark'), 0o755);
  await put('DEBIAN/md5sums', await sumsOf(work));
  await put('DEBIAN/conffiles', '/etc/tidemark/tidemark.env\n');
  for (const script of ['postinst', 'prerm', 'postrm']) await put(`DEBIAN/${script}`, await own(script), 0o755);
  const { size } = await stat(executable);
  const architecture = ARCHITECTURES[processor];
  await put('DEBIAN/control', controlOf({ version, architecture, kilobytes: Math.ceil(size / 1024) }));
  const path = join(into, `tidemark_${version}_${architecture}.deb`);
  // More effort takes minutes and saves a megabyte.
  const how = ['--root-owner-group', `-Z${compression}`, ...(compression === 'xz' ? ['-z1'] : [])];
  await run('dpkg-deb', [...how, '--build', work, path], { timeout: BUILD_MS });
  return path;
}

/** Node 24 is built for what Debian 12 has, and newer. */
function controlOf(facts: { version: string; architecture: string; kilobytes: number }): string {
  return `Package: tidemark
Version: ${facts.version}
Architecture: ${facts.architecture}
Maintainer: The Tidemark maintainers <maintainers@tidemark.invalid>
Installed-Size: ${facts.kilobytes}
Depends: adduser, init-system-helpers (>= 1.54~), libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 6)
Recommends: ca-certificates
Section: database
Priority: optional
Description: backups of MongoDB that speak the Atlas Administration API
 Tidemark takes exact, incremental snapshots of replica sets and sharded
 clusters into a repository that you hold, and restores them. This package
 has its service, with a user of its own, and its command line.
`;
}

/** `dpkg --verify` holds what is installed against them. */
async function sumsOf(work: string): Promise<string> {
  const entries = await readdir(work, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines = await Promise.all(
    paths.map(async (path) => {
      const sum = createHash('md5')
        .update(await readFile(path))
        .digest('hex');
      return `${sum}  ${relative(work, path)}`;
    }),
  );
  // A configuration file is the operator's to change.
  return `${lines.filter((line) => !line.includes('  etc/')).join('\n')}\n`;
}
