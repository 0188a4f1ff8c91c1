import { importsOf, packageOf } from './imports.ts';
import { isCode, isTest, type Problem, problemAt, type SourceFile } from './source-file.ts';

export interface Row {
  /** A folder of `src`, a file of `src` (`main.ts`), or `contract`. */
  readonly name: string;
  /** Rows, files below `src`, or a tool by its path from the root. */
  readonly mayImport: readonly string[];
  /** Packages and node: modules that this row owns; `@scope/*` owns a scope. */
  readonly thirdParty: readonly string[];
}

/** The table under the header `| folder |` of ARCHITECTURE.md. */
export function parseImportTable(markdown: string): Row[] {
  const lines = markdown.split('\n');
  const header = lines.findIndex((line) => /^\|\s*folder\s*\|/.test(line));
  if (header < 0) return [];
  const rows: Row[] = [];
  for (const line of lines.slice(header + 2)) {
    if (!line.startsWith('|')) break;
    const [name = '', mayImport = '', thirdParty = ''] = line.split('|').slice(1, 4);
    rows.push({ name: name.replaceAll('`', '').trim(), mayImport: listOf(mayImport), thirdParty: listOf(thirdParty) });
  }
  return rows;
}

function listOf(cell: string): string[] {
  return cell
    .replaceAll('`', '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '' && item !== '-');
}

/** The row a file belongs to: `contract`, the folder below `src`, or the file itself in `src`. */
function rowNameOf(path: string): string | null {
  const parts = path.split('/');
  if (parts[0] === 'contract') return 'contract';
  return parts[0] === 'src' ? (parts[1] ?? null) : null;
}

/**
 * Each import of production code against its row. Tests are left out: they may reach for whatever they set up, but
 * nothing in production may import a test, nor a tool that its row does not name. A package or node: module that some
 * row names belongs to the rows that name it; a package that no row names belongs nowhere in `src`.
 */
export function checkImportTable(files: readonly SourceFile[], rows: readonly Row[]): Problem[] {
  if (rows.length === 0) {
    return [
      { path: 'ARCHITECTURE.md', line: 1, message: 'has no import table (a table with the header `| folder |`)' },
    ];
  }
  const problems: Problem[] = [];
  const existing = new Set(files.map((file) => file.path));
  for (const file of files) {
    const rowName = rowNameOf(file.path);
    if (!isCode(file.path) || rowName === null) continue;
    const row = rows.find((candidate) => candidate.name === rowName);
    if (row === undefined) {
      problems.push(problemAt(file, 0, `${rowName} has no row in the import table of ARCHITECTURE.md`));
      continue;
    }
    for (const found of importsOf(file)) {
      const message =
        found.target !== null && !existing.has(found.target)
          ? `imports ${found.specifier}, which does not exist`
          : isTest(file.path)
            ? null
            : found.target === null
              ? refuseModule(found.specifier, row, rows)
              : refuseFile(found.target, row);
      if (message !== null) problems.push(problemAt(file, found.offset, message));
    }
  }
  return problems;
}

function refuseFile(target: string, row: Row): string | null {
  const rowName = rowNameOf(target);
  if (isTest(target)) return `production code imports the test ${target}`;
  if (rowName === null && row.mayImport.includes(target)) return null;
  if (rowName === null) return `imports ${target}, which is neither in src nor in contract`;
  if (rowName === row.name || row.mayImport.includes(rowName)) return null;
  if (row.mayImport.includes(target.replace(/^src\//, ''))) return null;
  const part = row.mayImport.filter((allowed) => allowed.startsWith(`${rowName}/`));
  const instead = part.length > 0 ? `only ${part.join(', ')}` : 'nothing';
  return `${row.name} may import ${instead} of ${rowName}; this imports ${target}`;
}

function refuseModule(specifier: string, row: Row, rows: readonly Row[]): string | null {
  const name = packageOf(specifier);
  const owners = rows.filter((candidate) => candidate.thirdParty.some((owned) => owns(owned, name)));
  if (owners.includes(row)) return null;
  if (owners.length > 0) {
    return `${name} may be imported only by ${owners.map((owner) => owner.name).join(', ')}, not by ${row.name}`;
  }
  return name.startsWith('node:') ? null : `${name} is owned by no row of the import table`;
}

function owns(owned: string, name: string): boolean {
  return owned.endsWith('/*') ? name.startsWith(owned.slice(0, -1)) : owned === name;
}
