import { importsOf } from './imports.ts';
import { isCode, isTest, type Problem, problemAt, type SourceFile } from './source-file.ts';

/** The one table of what the commands of an oplog mean. */
const TABLE = 'src/oplog/operations.ts';
const ROW = /\[\s*'(\w+)',\s*means\(/g;
const LITERAL = /(['"])(\w+)\1/g;
/** Rooms whose files work on entries, whether they import the oplog's or are handed parts of them. */
const READERS = /^src\/(oplog|engine\/replay)\//;

/**
 * A command of the oplog is named in the table alone: whoever reads entries asks the table what a command means. Where
 * a command is sent to a server its name is a property, which is another thing and not looked for.
 */
export function checkOplogCommands(files: readonly SourceFile[]): Problem[] {
  const table = files.find(({ path }) => path === TABLE);
  if (table === undefined) return [];
  const rows = Array.from(table.text.matchAll(ROW), ([, name]) => name ?? '');
  const commands = new Set(rows);
  if (commands.size < rows.length) return [problemAt(table, 0, 'has two rows for one command')];
  if (commands.size === 0) return [problemAt(table, 0, 'has no table of commands that tidy can read')];
  return files.filter(readsEntries).flatMap((file) =>
    Array.from(file.text.matchAll(LITERAL))
      .filter((literal) => commands.has(literal[2] ?? '') && file.code[literal.index] === literal[1])
      .filter((literal) => file !== table || !isRow(table.text, literal.index))
      .map(({ index, 2: name }) =>
        problemAt(file, index, `names the oplog's command ${name}; ask ${TABLE} what it means`),
      ),
  );
}

/** Whether the name is that of a row. */
function isRow(text: string, offset: number): boolean {
  return Array.from(text.matchAll(ROW)).some(({ index, 0: row }) => offset > index && offset < index + row.length);
}

function readsEntries(file: SourceFile): boolean {
  if (!file.path.startsWith('src/') || !isCode(file.path) || isTest(file.path)) return false;
  if (READERS.test(file.path)) return true;
  return importsOf(file).some(
    ({ target }) => target?.startsWith('src/oplog/') === true && target !== 'src/oplog/diffs.ts',
  );
}
