import { maskSource } from './source-mask.ts';

/** One file of the tree, as tidy sees it. `path` is relative to the root, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** The text with comments and the contents of strings blanked: offsets and lines are those of `text`. */
  readonly code: string;
}

export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, code: isCode(path) ? maskSource(text) : text };
}

export function isCode(path: string): boolean {
  return path.endsWith('.ts') || path.endsWith('.mjs');
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.endsWith('.suite.ts') || path.startsWith('test/');
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

export function problemAt(file: SourceFile, offset: number, message: string): Problem {
  return { path: file.path, line: lineAt(file.text, offset), message };
}
