import { visibleWidth } from './colors.ts';

/** What is meant to be copied whole; a break in it would be copied too. */
const COPIED = /^\s*Next: /;

/**
 * The line, broken between words where it is wider than the terminal (null: there is none, nothing is broken). What
 * goes on is indented as the line is. Colors may be in it.
 */
export function wrapLine(line: string, columns: number | null): string {
  if (columns === null || visibleWidth(line) <= columns || COPIED.test(line)) return line;
  const indent = /^ */.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  for (const word of line.slice(indent.length).split(' ')) {
    const last = lines.at(-1);
    const longer = `${last} ${word}`;
    if (last === undefined || visibleWidth(longer) > columns) lines.push(indent + word);
    else lines[lines.length - 1] = longer;
  }
  return lines.join('\n');
}
