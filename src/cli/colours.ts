export type Paint = (text: string) => string;

export interface Colours {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

const paint =
  (on: number, off: number): Paint =>
  (text) =>
    text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;
const plain: Paint = (text) => text;

export const noColours: Colours = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain, cyan: plain };

export const ansiColours: Colours = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  cyan: paint(36, 39),
};

/** Only on a terminal that can, and never against NO_COLOR (no-color.org: any value that is not empty). */
export function chooseColours(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): Colours {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return noColours;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '' && env.FORCE_COLOR !== '0') return ansiColours;
  return isTerminal && env.TERM !== 'dumb' ? ansiColours : noColours;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what is looked for
const ANSI = /\u001b\[\d+m/g;

/** Columns that the text takes on a terminal, colours left out. */
export function visibleWidth(text: string): number {
  return [...text.replace(ANSI, '')].length;
}
