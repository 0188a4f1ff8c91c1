import { posix } from 'node:path';
import type { SourceFile } from './source-file.ts';

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path of the file within the tree for a relative import, else null. */
  readonly target: string | null;
  /** Erased before running: `import type`, `export type … from`. */
  readonly typeOnly: boolean;
  /** Imported names, as far as they are in braces. */
  readonly names: readonly string[];
  readonly offset: number;
}

const STATIC = /(?<![\w$.])(import|export)(\s+type)?(?=[\s{*'"])([^;'"`()=]*?from\s*|\s*)(['"])/g;
const DYNAMIC = /(?<![\w$.])import\s*\(\s*(['"])/g;

/** Every import and re-export of the file, dynamic ones with a literal name too. */
export function importsOf(file: SourceFile): Import[] {
  const found: Import[] = [];
  for (const match of file.code.matchAll(STATIC)) {
    const [whole, keyword, type, clause, quote] = match;
    if (keyword === 'export' && !clause?.includes('from')) continue;
    // `import type from './x.ts'` imports a value called type.
    const typeOnly = type !== undefined && clause?.trim() !== 'from';
    found.push(importAt(file, match.index, match.index + whole.length, quote as string, typeOnly));
  }
  for (const match of file.code.matchAll(DYNAMIC)) {
    found.push(importAt(file, match.index, match.index + match[0].length, match[1] as string, false));
  }
  return found.sort((a, b) => a.offset - b.offset);
}

function importAt(file: SourceFile, offset: number, start: number, quote: string, typeOnly: boolean): Import {
  const specifier = file.text.slice(start, file.text.indexOf(quote, start));
  const target = specifier.startsWith('.') ? posix.join(posix.dirname(file.path), specifier) : null;
  const braces = /\{([^}]*)\}/.exec(file.code.slice(offset, start))?.[1] ?? '';
  const names = braces.split(',').flatMap((name) => name.trim().split(/\s+as\s+/)[0] || []);
  return { specifier, target, typeOnly, names, offset };
}

/** `mongodb` of `mongodb/lib/x`, `@fastify/static` of `@fastify/static`, `node:fs` of `node:fs/promises`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] as string);
}
