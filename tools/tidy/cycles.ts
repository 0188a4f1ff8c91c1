import { importsOf } from './imports.ts';
import { isCode, type Problem, type SourceFile } from './source-file.ts';

/**
 * Cycles among imports that remain when types are erased: one problem for each, at the file of the cycle that sorts
 * first.
 */
export function checkCycles(files: readonly SourceFile[]): Problem[] {
  const graph = valueImports(files);
  const problems: Problem[] = [];
  const reported = new Set<string>();
  for (const start of [...graph.keys()].sort()) {
    if (reported.has(start)) continue;
    const cycle = shortestCycle(graph, start);
    if (cycle === null) continue;
    for (const path of cycle) reported.add(path);
    problems.push({ path: start, line: 1, message: `import cycle: ${[...cycle, start].join(' -> ')}` });
  }
  return problems;
}

function valueImports(files: readonly SourceFile[]): Map<string, string[]> {
  const graph = new Map<string, string[]>();
  for (const file of files) {
    if (!isCode(file.path)) continue;
    const targets = importsOf(file).flatMap((found) => (found.typeOnly || found.target === null ? [] : [found.target]));
    graph.set(file.path, targets);
  }
  return graph;
}

/** The files of a shortest way from `start` back to itself, `start` first, or null. Breadth first. */
function shortestCycle(graph: ReadonlyMap<string, string[]>, start: string): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const target of graph.get(path) ?? []) {
      if (target === start) return wayTo(cameFrom, path, start);
      if (cameFrom.has(target)) continue;
      cameFrom.set(target, path);
      queue.push(target);
    }
  }
  return null;
}

function wayTo(cameFrom: ReadonlyMap<string, string>, end: string, start: string): string[] {
  const way: string[] = [];
  for (let path: string | undefined = end; path !== undefined && path !== start; path = cameFrom.get(path)) {
    way.unshift(path);
  }
  return [start, ...way];
}
