import { type Colors, visibleWidth, withoutColors } from './colors.ts';

export interface Column {
  readonly header: string;
  readonly align?: 'left' | 'right';
  /** Gives way first, with an ellipsis, when the table is wider than the terminal. At most one column. */
  readonly elastic?: boolean;
  /** Left out where the table would be too wide with it: the highest number first. */
  readonly leftOut?: number;
}

const GAP = '  ';
const COLUMN_WIDTH_MIN = 8;

/**
 * Lines without a line end; `columns` is the terminal's width, null where there is no terminal. Cells may hold colors.
 * What is too wide gives way in turn: the elastic column, columns that may be left out, then the widest column of text.
 * What a row is called by, its first cell, and figures are never cut.
 */
export function renderTable(
  layout: readonly Column[],
  rows: readonly (readonly string[])[],
  options: { colors: Colors; columns: number | null },
): string[] {
  let shown = layout.map((column, at) => ({ column, at, width: widthOf(column, at, rows) }));
  const room = options.columns ?? Number.POSITIVE_INFINITY;
  const excess = () => shown.reduce((sum, { width }) => sum + width, GAP.length * (shown.length - 1)) - room;
  for (const elastic of shown) {
    if (elastic.column.elastic && excess() > 0)
      elastic.width = Math.max(Math.min(elastic.width, COLUMN_WIDTH_MIN), elastic.width - excess());
  }
  while (excess() > 0 && shown.some(({ column }) => column.leftOut !== undefined)) {
    const first = Math.max(...shown.map(({ column }) => column.leftOut ?? 0));
    shown = shown.filter(({ column }) => column.leftOut !== first);
  }
  // Room that a column left behind is the elastic one's again.
  for (const elastic of shown) {
    if (elastic.column.elastic && excess() < 0)
      elastic.width = Math.min(widthOf(elastic.column, elastic.at, rows), elastic.width - excess());
  }
  while (excess() > 0) {
    const text = shown.filter(({ column, width, at }) => {
      return (at > 0 || column.elastic) && column.align !== 'right' && width > COLUMN_WIDTH_MIN;
    });
    const [widest] = text.toSorted((a, b) => b.width - a.width);
    if (widest === undefined) break;
    widest.width--;
  }
  const line = (cells: readonly string[]): string =>
    shown
      .map(({ column, at, width }) => fit(cells[at] ?? '', width, column))
      .join(GAP)
      .trimEnd();
  return [options.colors.bold(line(layout.map((column) => column.header))), ...rows.map(line)];
}

function widthOf({ header }: Column, at: number, rows: readonly (readonly string[])[]): number {
  return Math.max(visibleWidth(header), ...rows.map((row) => visibleWidth(row[at] ?? '')));
}

/** A cell that is cut loses its color: the end of that would be cut too. */
function fit(cell: string, width: number, column: Column): string {
  const space = width - visibleWidth(cell);
  if (space < 0) return `${[...withoutColors(cell)].slice(0, width - 1).join('')}…`;
  return column.align === 'right' ? ' '.repeat(space) + cell : cell + ' '.repeat(space);
}

/** `name:   value` lines, the values one below the other. Pairs without a value are left out. */
export function renderFields(pairs: readonly (readonly [string, string | null])[], colors: Colors): string[] {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null && pair[1] !== '');
  const width = Math.max(0, ...shown.map(([name]) => visibleWidth(name)));
  return shown.map(([name, value]) => `${colors.dim(name)}${' '.repeat(width - visibleWidth(name))}  ${value}`);
}
