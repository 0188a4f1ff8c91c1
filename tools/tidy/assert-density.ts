import { isCode, isTest, type Problem, type SourceFile } from './source-file.ts';

/** Asserts for each function, at least: of a folder with its sub-folders, tests left out. */
const DENSITY_MIN = 0.3;
/** Of a body, braces left out. */
const LINES_MIN = 2;
const HELD = ['src/engine', 'src/repository', 'src/tasks'];

const ASSERTS = /(?<![\w$.#]|function )(?:assert|must|unreachable)\(/g;
const DECLARED = /\bfunction\b\s*\*?\s*[\w$]+\s*(?=[<(])/g;
/** A line that may begin a method, an accessor or a constructor: a name, then its parameters. */
const NAMED =
  /^ +(?:(?:static|async|override|get|set) +)*\*? *#?(?!(?:if|for|while|switch|catch|return|function)\b)[\w$]+(?=[<(])/gm;

/**
 * What the code relies on is said where it is relied on, and checked. A function is one that has a name and a body of
 * two lines at least: a declaration, a method, an accessor, a constructor. A body of one line says what it is and has
 * nothing to rely on, and an arrow is taken for a piece of the function that it stands in.
 */
export function checkAssertDensity(files: readonly SourceFile[]): Problem[] {
  return HELD.flatMap((folder) => {
    const { asserts, functions } = assertDensity(files.filter(({ path }) => path.startsWith(`${folder}/`)));
    if (functions === 0 || asserts / functions >= DENSITY_MIN) return [];
    const message = `has ${asserts} asserts in ${functions} functions; ${DENSITY_MIN} each is the least`;
    return [{ path: folder, line: 1, message }];
  });
}

export function assertDensity(files: readonly SourceFile[]): { asserts: number; functions: number } {
  let asserts = 0;
  let functions = 0;
  for (const { path, code } of files) {
    if (!isCode(path) || isTest(path)) continue;
    asserts += [...code.matchAll(ASSERTS)].length;
    for (const pattern of [DECLARED, NAMED]) {
      for (const { 0: text, index } of code.matchAll(pattern)) {
        if (bodyLines(code, index + text.length) >= LINES_MIN) functions++;
      }
    }
  }
  return { asserts, functions };
}

/** Lines of code in the block that follows the parameters and the return type. A signature or a call has none: 0. */
function bodyLines(code: string, from: number): number {
  const start = bodyAt(code, from);
  if (start === null) return 0;
  const body = code.slice(start + 1, closing(code, start, '{', '}') - 1);
  return body.split('\n').filter((line) => line.trim() !== '').length;
}

function bodyAt(code: string, from: number): number | null {
  let at = code[from] === '<' ? closing(code, from) : from;
  if (code[at] !== '(') return null;
  at = closing(code, at);
  for (let inType = false; at < code.length; at++) {
    const char = code[at] as string;
    if (/\s/.test(char)) continue;
    if (char === '{' && !inType) return at;
    if (':|&'.includes(char)) inType = true;
    else if ('<({['.includes(char)) {
      at = closing(code, at) - 1;
      inType = false;
    } else if (/[\w$.'"`]/.test(char)) inType = false;
    else if (char !== ']') return null;
  }
  return null;
}

/** Behind the bracket that closes the one at `from`. An arrow's `>` closes none. */
function closing(code: string, from: number, opens = '<({[', closes = '>)}]'): number {
  let depth = 0;
  for (let at = from; at < code.length; at++) {
    const char = code[at] as string;
    if (opens.includes(char)) depth++;
    else if (closes.includes(char) && !(char === '>' && code[at - 1] === '=')) depth--;
    if (depth === 0) return at + 1;
  }
  return code.length;
}
