import { posix } from 'node:path';
import { TEST_KINDS } from '../test-files.ts';
import { importsOf } from './imports.ts';
import { isCode, isTest, type Problem, problemAt, type SourceFile } from './source-file.ts';

const FILE_LINES_MAX = 400;
const TEST_LINES_MAX = 800;
const GENERIC = new Set(['utils', 'util', 'helpers', 'helper', 'types', 'common', 'index', 'misc', 'shared']);
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const CAPITAL_NAMES = new Set(['README', 'ARCHITECTURE', 'CONTRIBUTING', 'CHANGELOG', 'LICENSE']);
/** What a test named only `.test.ts` may not reach for itself. */
const NEEDS_A_KIND = new Set([
  'node:child_process',
  'node:net',
  'node:http',
  'node:https',
  'node:fs',
  'node:timers',
  'mongodb-memory-server-core',
]);

/** What a plain test may do with the file system: read what is checked in. */
const READING = new Set(['readFileSync', 'readdirSync', 'existsSync']);

export function checkNames(files: readonly SourceFile[]): Problem[] {
  return files.flatMap((file) => {
    const problems = [...pathProblems(file), ...(isCode(file.path) ? codeProblems(file) : [])];
    return problems;
  });
}

function pathProblems(file: SourceFile): Problem[] {
  const problems: Problem[] = [];
  const [stem = '', ...suffixes] = posix.basename(file.path).split('.');
  const folders = posix
    .dirname(file.path)
    .split('/')
    .filter((name) => name !== '.');
  // The linter looks at the names of code files; folders and pages are left to us.
  const named = file.path.endsWith('.md') ? [stem, ...folders] : isCode(file.path) ? folders : [];
  const odd = named.find((name) => name !== '' && !CAPITAL_NAMES.has(name) && !KEBAB.test(name));
  if (odd !== undefined && !odd.startsWith('.')) {
    problems.push(problemAt(file, 0, `"${odd}" is not kebab-case`));
  }
  const generic = [stem, ...folders].find((name) => GENERIC.has(name));
  if (isCode(file.path) && generic !== undefined) {
    problems.push(problemAt(file, 0, `"${generic}" says nothing: name it for what it holds`));
  }
  const kind = suffixes.length === 3 && suffixes[1] === 'test' ? suffixes[0] : undefined;
  if (kind !== undefined && !TEST_KINDS.some((known) => known === kind)) {
    problems.push(problemAt(file, 0, `"${kind}" is no kind of test (${TEST_KINDS.join(', ')})`));
  }
  return problems;
}

function codeProblems(file: SourceFile): Problem[] {
  const problems: Problem[] = [];
  const lines = file.text.split('\n').length - 1;
  const most = isTest(file.path) ? TEST_LINES_MAX : FILE_LINES_MAX;
  if (lines > most) problems.push(problemAt(file, 0, `has ${lines} lines; ${most} is the most`));
  if (isBarrel(file)) problems.push(problemAt(file, 0, 'only re-exports: import from the file that has it'));
  const plain = /^[^.]+\.test\.ts$/.test(posix.basename(file.path));
  for (const found of importsOf(file)) {
    if (found.specifier === 'node:test' && !/\.(test|suite)\.ts$/.test(file.path) && !file.path.startsWith('test/')) {
      problems.push(problemAt(file, found.offset, 'imports node:test but is not named *.test.ts'));
    }
    const builtin = found.specifier.split('/')[0] as string;
    const reads = builtin === 'node:fs' && found.names.length > 0 && found.names.every((name) => READING.has(name));
    if (plain && !found.typeOnly && NEEDS_A_KIND.has(builtin) && !reads) {
      problems.push(
        problemAt(
          file,
          found.offset,
          `a plain *.test.ts imports ${found.specifier}: name its kind (*.store.test.ts, …)`,
        ),
      );
    }
  }
  return problems;
}

/** At least one `export … from`, and nothing else. */
function isBarrel(file: SourceFile): boolean {
  const reExport = /\bexport\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*(['"])\s*\1\s*;?/g;
  return reExport.test(file.code) && file.code.replace(reExport, '').trim() === '';
}
