import { type Import, importsOf, packageOf } from './imports.ts';
import { isTest, type Problem, problemAt, type SourceFile } from './source-file.ts';

/** Modules that compute and do nothing else. (What is random in node:crypto is banned everywhere by name.) */
const PURE_MODULES = new Set([
  'node:assert',
  'node:buffer',
  'node:crypto',
  'node:path',
  'node:util',
  'node:zlib',
  'bson',
  '@sinclair/typebox',
]);
const CLOCK_AND_RANDOM = new Set(['src/lib/clock.ts', 'src/lib/random.ts']);
const IMPURE_GLOBALS =
  /(?<![\w$.#])(?:setTimeout|setInterval|setImmediate|queueMicrotask|fetch|performance|process|console)\b(?!\s*:)/g;

/** The list between the `pure:begin` and `pure:end` marks of ARCHITECTURE.md. */
export function parsePureList(markdown: string): string[] {
  const block = /<!-- pure:begin -->([\s\S]*?)<!-- pure:end -->/.exec(markdown)?.[1] ?? '';
  return [...block.matchAll(/^- `?([^\s`]+)/gm)].map((match) => match[1] as string);
}

/**
 * A listed file exists and reaches no I/O, clock or randomness, neither itself nor through anything that it imports as
 * a value.
 */
export function checkPurity(files: readonly SourceFile[], pure: readonly string[]): Problem[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const problems: Problem[] = [];
  for (const path of pure) {
    const file = byPath.get(path);
    if (file === undefined) {
      problems.push({ path: 'ARCHITECTURE.md', line: 1, message: `lists ${path} as pure, but there is no such file` });
      continue;
    }
    for (const match of file.code.matchAll(IMPURE_GLOBALS)) {
      problems.push(problemAt(file, match.index, `is listed as pure and uses ${match[0]}`));
    }
    for (const found of importsOf(file)) {
      const reason = impurity(found, byPath, new Set([path]));
      if (reason !== null) problems.push(problemAt(file, found.offset, `is listed as pure and imports ${reason}`));
    }
  }
  return problems;
}

/** Why this import is not pure, with the way there, or null. */
function impurity(found: Import, byPath: ReadonlyMap<string, SourceFile>, seen: Set<string>): string | null {
  if (found.typeOnly) return null;
  if (found.target === null) return PURE_MODULES.has(packageOf(found.specifier)) ? null : found.specifier;
  if (CLOCK_AND_RANDOM.has(found.target) || isTest(found.target)) return found.target;
  const file = byPath.get(found.target);
  if (file === undefined || seen.has(found.target)) return null;
  seen.add(found.target);
  for (const next of importsOf(file)) {
    const reason = impurity(next, byPath, seen);
    if (reason !== null) return `${found.target}, which imports ${reason}`;
  }
  return null;
}
