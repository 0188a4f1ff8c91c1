import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The how-tos as they are carried out: their fenced blocks, in order. */

const DIRECTORY = fileURLToPath(new URL('../../docs/how-to/', import.meta.url));

export interface FencedBlock {
  /** The line of the page at which it begins. */
  line: number;
  /** `sh` is run, `js` is for mongosh, `text` is only shown. */
  language: string;
  /** What stands behind the language: of `js`, on which servers. */
  on: string;
  text: string;
}

export function blocksOf(page: string): FencedBlock[] {
  const text = readFileSync(`${DIRECTORY}${page}`, 'utf8');
  return [...text.matchAll(/^```(\w*) ?(.*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [, language = '', on = '', block = ''] = match;
    return { line: text.slice(0, match.index).split('\n').length, language, on, text: block };
  });
}

/** One shell for the whole page; what it says on standard error names the block that failed. */
export function scriptOf(page: string): string {
  const blocks = blocksOf(page).filter(({ language }) => language === 'sh');
  return blocks.map(({ line, text }) => `echo '== ${page}:${line}' >&2\n${text}`).join('\n');
}
