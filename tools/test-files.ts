import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What a test needs, said by its name: `x.KIND.test.ts`. `x.test.ts` needs nothing and is of no kind. */
export const TEST_KINDS = ['mongo', 'pg', 'store', 'browser', 'e2e'] as const;
export type TestKind = (typeof TEST_KINDS)[number];
/** These start a mongod. */
const OF_MONGO: ReadonlySet<TestKind | undefined> = new Set(['mongo', 'e2e']);

const NOT_OURS = new Set(['node_modules', 'data', 'tmp', 'coverage']);

/** Undefined of a pure test; tidy refuses names of any other kind. */
export function kindOf(path: string): TestKind | undefined {
  return TEST_KINDS.find((kind) => path.endsWith(`.${kind}.test.ts`));
}

export function needsMongod(path: string): boolean {
  return OF_MONGO.has(kindOf(path));
}

/** Every test file below the root, as a path from there, those that need a mongod first; in whatever folder it lies. */
export function findTestFiles(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !NOT_OURS.has(entry.name))
    .flatMap(({ name }) => readdirSync(join(root, name), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('node_modules'))
    .sort((a, b) => Number(needsMongod(b)) - Number(needsMongod(a)) || a.localeCompare(b));
}

/**
 * The files in as many groups as take about the same time by what each took before, where that is known: the longest
 * first, each to the group that has least. Within a group they stay in their order.
 */
export function balanced(
  files: readonly string[],
  groups: number,
  tookMs: Readonly<Record<string, number>>,
): string[][] {
  const known = Object.values(tookMs);
  // Of a new file nothing is known but that it is a test.
  const usual = known.length === 0 ? 1 : known.reduce((sum, ms) => sum + ms, 0) / known.length;
  const msOf = (file: string) => tookMs[file] ?? usual;
  const made = Array.from({ length: groups }, () => ({ ms: 0, files: new Set<string>() }));
  for (const file of files.toSorted((a, b) => msOf(b) - msOf(a))) {
    const least = made.reduce((a, b) => (b.ms < a.ms ? b : a));
    least.ms += msOf(file);
    least.files.add(file);
  }
  return made.map((group) => files.filter((file) => group.files.has(file)));
}
