/**
 * The house rules that neither the compiler nor the linter can hold: `npm run tidy`, and a unit test. Prints
 * `path:line: what is wrong` and fails when there is any. The import table and the list of pure files are read from
 * ARCHITECTURE.md, so that the page cannot drift from the code.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkAssertDensity } from './tidy/assert-density.ts';
import { checkBanned } from './tidy/banned.ts';
import { checkDocuments } from './tidy/documents.ts';
import { checkImportTable, parseImportTable } from './tidy/import-table.ts';
import { checkNames } from './tidy/names.ts';
import { checkOneKindOfCluster } from './tidy/one-kind-of-cluster.ts';
import { checkOplogCommands } from './tidy/oplog-commands.ts';
import { checkPurity, parsePureList } from './tidy/purity.ts';
import { checkRooms } from './tidy/rooms.ts';
import { type Problem, type SourceFile, sourceFile } from './tidy/source-file.ts';
import { checkWidths } from './tidy/widths.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NOT_OURS = new Set([
  'node_modules',
  '.git',
  '.cache',
  'data',
  'tmp',
  'coverage',
  'dist',
  'LICENSE',
  'package-lock.json',
]);
const READ = /\.(ts|mjs|md|json)$|(^|\/)\.ci\/[^/]+$/;

/** Every rule over the whole tree; pure, so that the test can hand it a tree made of strings. */
export function findProblems(files: readonly SourceFile[]): Problem[] {
  const architecture = files.find((file) => file.path === 'ARCHITECTURE.md')?.text ?? '';
  return [
    ...checkImportTable(files, parseImportTable(architecture)),
    ...checkPurity(files, parsePureList(architecture)),
    ...checkBanned(files),
    ...checkAssertDensity(files),
    ...checkNames(files),
    ...checkDocuments(files),
    ...checkRooms(files),
    ...checkOneKindOfCluster(files),
    ...checkOplogCommands(files),
    ...checkWidths(files),
  ].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line));
}

export function readTree(root: string = ROOT, below = ''): SourceFile[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (NOT_OURS.has(entry.name)) return [];
    if (entry.isDirectory()) return readTree(root, path);
    return entry.isFile() && READ.test(path) ? [sourceFile(path, readFileSync(join(root, path), 'utf8'))] : [];
  });
}

export function renderProblem(problem: Problem): string {
  return `${problem.path}:${problem.line}: ${problem.message}`;
}

if (import.meta.main) {
  const files = readTree();
  const problems = findProblems(files);
  for (const problem of problems) console.error(renderProblem(problem));
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`tidy: ${files.length} files, nothing to say`);
}
