import { isCode, isTest, lineAt, type Problem, type SourceFile } from './source-file.ts';

export const FUNCTION_LINES_MAX = 100;
const NOT_FUNCTIONS = /(?:^|[^\w$.])(?:if|for|while|switch|catch|with|await)$/;

export interface FunctionSpan {
  readonly name: string;
  readonly firstLine: number;
  readonly lines: number;
}

/** Functions, methods and arrow functions with a body in braces, found by their parameter list. */
export function functionsOf(file: SourceFile): FunctionSpan[] {
  const { code } = file;
  const found: FunctionSpan[] = [];
  for (let open = code.indexOf('('); open >= 0; open = code.indexOf('(', open + 1)) {
    const head = code.slice(Math.max(0, open - 80), open).trimEnd();
    if (NOT_FUNCTIONS.test(head)) continue;
    const close = closingOf(code, open);
    const body = close < 0 ? -1 : bodyAfter(code, close + 1);
    const end = body < 0 ? -1 : closingOf(code, body);
    if (end < 0) continue;
    const firstLine = lineAt(code, open);
    const name = /([\w$#]+)(?:<[^()]*>)?$/.exec(head)?.[1] ?? 'function';
    found.push({ name, firstLine, lines: lineAt(code, end) - firstLine + 1 });
  }
  return found;
}

/** Offset of the bracket that closes the one at `open`, or -1. */
function closingOf(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at++) {
    const char = code[at] as string;
    if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char) && --depth === 0) return at;
  }
  return -1;
}

/**
 * Offset of the brace that opens the body behind a parameter list, past `=>` and a return type, or -1 where there is
 * none.
 */
function bodyAfter(code: string, from: number): number {
  let last = ')';
  for (let at = from; at < code.length; at++) {
    const char = code[at] as string;
    if (/\s/.test(char)) continue;
    if (char === '{') {
      if (last === ')' || last === '=>' || /[\w$>\]}"']/.test(last)) return at;
      at = closingOf(code, at);
      if (at < 0) return -1;
      last = '}';
    } else if (char === '=' && code[at + 1] === '>') {
      last = '=>';
      at++;
    } else if (last === ')' && char !== ':') {
      return -1;
    } else if (last === '=>' && !/[\w$]/.test(char)) {
      return -1;
    } else if (/[\w$:|&<>,.?[\]"']/.test(char)) {
      // An arrow to an expression, not to a body: no brace belongs to it.
      if (last === '=>') return -1;
      last = char;
    } else if (char === '(') {
      at = closingOf(code, at);
      if (at < 0) return -1;
      last = 'x';
    } else return -1;
  }
  return -1;
}

export function checkFunctionLengths(files: readonly SourceFile[]): Problem[] {
  return files
    .filter((file) => isCode(file.path) && !isTest(file.path))
    .flatMap((file) =>
      functionsOf(file)
        .filter((span) => span.lines > FUNCTION_LINES_MAX)
        .map((span) => ({
          path: file.path,
          line: span.firstLine,
          message: `${span.name} has ${span.lines} lines; ${FUNCTION_LINES_MAX} is the most`,
        })),
    );
}
