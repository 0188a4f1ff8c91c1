import { type Problem, problemAt, type SourceFile } from './source-file.ts';

const FRONT_PAGES = ['README.md', 'ARCHITECTURE.md'];
const NAMED_PATH = /`((?:src|test|tools|contract|docs|bin)\/[\w./-]+\.(?:ts|md|mjs))`/g;

/** Every page of docs/ can be found from a front page, and every file that a page names in backticks is there. */
export function checkDocuments(files: readonly SourceFile[]): Problem[] {
  const existing = new Set(files.map((file) => file.path));
  const front = files.filter((file) => FRONT_PAGES.includes(file.path));
  const problems: Problem[] = [];
  for (const file of files) {
    if (!file.path.endsWith('.md')) continue;
    if (/^docs\/[^/]+\.md$/.test(file.path) && !front.some((page) => page.text.includes(file.path))) {
      problems.push(problemAt(file, 0, `is linked neither from ${FRONT_PAGES.join(' nor from ')}`));
    }
    for (const match of file.text.matchAll(NAMED_PATH)) {
      if (!existing.has(match[1] as string))
        problems.push(problemAt(file, match.index, `names ${match[1]}, which does not exist`));
    }
  }
  return problems;
}
