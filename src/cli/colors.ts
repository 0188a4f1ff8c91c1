import { stripVTControlCharacters, styleText } from 'node:util';

export type Paint = (text: string) => string;

export interface Colors {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

/** Whether there is a terminal was asked before; Node would ask it of its own standard output. */
const paint =
  (format: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'): Paint =>
  (text) =>
    text === '' ? '' : styleText(format, text, { validateStream: false });
const plain: Paint = (text) => text;

export const noColors: Colors = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain };

export const ansiColors: Colors = {
  bold: paint('bold'),
  dim: paint('dim'),
  red: paint('red'),
  green: paint('green'),
  yellow: paint('yellow'),
  cyan: paint('cyan'),
};

/** Only on a terminal that can, and never against NO_COLOR (no-color.org: any value that is not empty). */
export function chooseColors(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): Colors {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return noColors;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '' && env.FORCE_COLOR !== '0') return ansiColors;
  return isTerminal && env.TERM !== 'dumb' ? ansiColors : noColors;
}

/** Columns that the text takes on a terminal, colors left out. */
export function visibleWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

export function withoutColors(text: string): string {
  return stripVTControlCharacters(text);
}
