import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** A package of others that is in what we hand out. */
export interface Library {
  name: string;
  version: string;
  /** An SPDX expression, as the package has it. */
  license: string;
  /** Where it is below the root, `node_modules/fastify`: its key in the lockfile. */
  place: string;
  /** Licenses and notices, as they are to be passed on. */
  notices: string[];
}

const NOTICE = /^(licen[cs]e|notice|copying)([.-].*)?$/i;

/** The folders of the packages that some file of the bundles came from, sorted. */
export function placesOf(metafiles: readonly Metafile[]): string[] {
  const places = new Set<string>();
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const place = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
        if (place !== undefined && bytesInOutput > 0) places.add(place);
      }
    }
  }
  return [...places].sort();
}

/** Reads what each is and the texts that have to go with it. Throws where one has no license. */
export async function readLibraries(root: string, metafiles: readonly Metafile[]): Promise<Library[]> {
  return await Promise.all(
    placesOf(metafiles).map(async (place) => {
      const directory = join(root, place);
      const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as {
        name: string;
        version: string;
        license?: string;
      };
      const { name, version, license } = manifest;
      if (license === undefined) throw new Error(`${place} says nothing of its license: look before it is handed out`);
      const files = (await readdir(directory)).filter((file) => NOTICE.test(file)).sort();
      const notices = await Promise.all(files.map(async (file) => await readFile(join(directory, file), 'utf8')));
      return { name, version, license, place, notices };
    }),
  );
}

/** The page that is handed out with what others wrote; `node` is the license of Node, where that is in it. */
export function renderNotices(libraries: readonly Library[], node?: string): string {
  const head = 'Tidemark contains the following packages. Each is under its own license, which is given with it.\n';
  const parts = libraries.map(({ name, version, license, notices }) => {
    const texts = notices.map((text) => text.trim()).join('\n\n');
    return `${'='.repeat(80)}\n${name} ${version} (${license})\n\n${texts === '' ? `License: ${license}` : texts}\n`;
  });
  if (node !== undefined) parts.push(`${'='.repeat(80)}\nNode, in the executables\n\n${node.trim()}\n`);
  return [head, ...parts].join('\n');
}
