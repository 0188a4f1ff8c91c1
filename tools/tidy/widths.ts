import { isCode, type Problem, type SourceFile } from './source-file.ts';

const WIDTH_MAX = 120;
/** What breaks when it is broken: rows of tables, headings, links and pictures that stand alone. */
const WHOLE = /^\s*(\||#|<|!?\[[^\]]*\]\([^)]*\)$)/;

/** Comments and pages are read by people: 120 columns. Code is the formatter's. */
export function checkWidths(files: readonly SourceFile[]): Problem[] {
  return files.flatMap((file) => {
    if (isCode(file.path)) return wideLines(file, (line) => /^\s*(\/\/|\/?\*)/.test(line));
    if (!file.path.endsWith('.md')) return [];
    let fenced = false;
    return wideLines(file, (line) => {
      if (line.trimStart().startsWith('```')) fenced = !fenced;
      return !fenced && !WHOLE.test(line);
    });
  });
}

function wideLines({ path, text }: SourceFile, counts: (line: string) => boolean): Problem[] {
  return text.split('\n').flatMap((line, index) => {
    if (!counts(line) || line.length <= WIDTH_MAX || !line.trim().includes(' ', 40)) return [];
    return [{ path, line: index + 1, message: `has ${line.length} columns; ${WIDTH_MAX} is the most` }];
  });
}
