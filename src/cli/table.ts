import { type Colors, visibleWidth } from './colors.ts';

export interface Column {
  readonly header: string;
  readonly align?: 'left' | 'right';
  /** Gives way, with an ellipsis, when the table is wider than the terminal. At most one column. */
  readonly elastic?: boolean;
}

const GAP = '  ';
const ELASTIC_WIDTH_MIN = 8;

/**
 * Lines without a line end; `columns` is the terminal's width, null where there is no terminal. Cells may hold colors.
 */
export function renderTable(
  layout: readonly Column[],
  rows: readonly (readonly string[])[],
  options: { colors: Colors; columns: number | null },
): string[] {
  const widths = layout.map((column, index) =>
    Math.max(visibleWidth(column.header), ...rows.map((row) => visibleWidth(row[index] ?? ''))),
  );
  const elastic = layout.findIndex((column) => column.elastic);
  const excess =
    widths.reduce((sum, width) => sum + width, GAP.length * (layout.length - 1)) - (options.columns ?? Infinity);
  if (elastic >= 0 && excess > 0) widths[elastic] = Math.max(ELASTIC_WIDTH_MIN, (widths[elastic] ?? 0) - excess);

  const line = (cells: readonly string[]): string =>
    layout
      .map((column, index) => fit(cells[index] ?? '', widths[index] ?? 0, column))
      .join(GAP)
      .trimEnd();
  return [options.colors.bold(line(layout.map((column) => column.header))), ...rows.map(line)];
}

function fit(cell: string, width: number, column: Column): string {
  const space = width - visibleWidth(cell);
  if (space < 0) return `${[...cell].slice(0, width - 1).join('')}…`;
  return column.align === 'right' ? ' '.repeat(space) + cell : cell + ' '.repeat(space);
}

/** `name:   value` lines, the values one below the other. Pairs without a value are left out. */
export function renderFields(pairs: readonly (readonly [string, string | null])[], colors: Colors): string[] {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null && pair[1] !== '');
  const width = Math.max(0, ...shown.map(([name]) => visibleWidth(name)));
  return shown.map(([name, value]) => `${colors.dim(name)}${' '.repeat(width - visibleWidth(name))}  ${value}`);
}
