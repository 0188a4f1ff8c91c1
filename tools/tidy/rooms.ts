import { importsOf } from './imports.ts';
import { isCode, isTest, type Problem, type SourceFile } from './source-file.ts';

/**
 * Folders whose sub-folders are rooms: two of them that import each other, directly or not, are one room with a wall in
 * it. Types count as well.
 */
export const ROOMED = ['src/engine', 'src/domain'];

const FILES_MAX = 20;
/** One file a command, table, resource or operation: their number is that of the things. */
const MANY_THINGS = new Set(['src/cli', 'src/catalog', 'src/api/operations', 'src/api/wire', 'src/catalog/migrations']);

/**
 * Circles among rooms: one problem for each, at the room of the circle that sorts first, with an import for each step.
 */
export function checkRooms(files: readonly SourceFile[]): Problem[] {
  return ROOMED.flatMap((folder) => circlesIn(folder, files)).concat(checkCrowds(files));
}

function circlesIn(folder: string, files: readonly SourceFile[]): Problem[] {
  const graph = new Map<string, Map<string, string>>();
  for (const file of files) {
    const from = roomOf(folder, file.path);
    if (from === null || !isCode(file.path) || isTest(file.path)) continue;
    for (const { target } of importsOf(file)) {
      const to = target === null ? null : roomOf(folder, target);
      if (to === null || to === from) continue;
      const ways = graph.get(from) ?? new Map<string, string>();
      if (!ways.has(to)) ways.set(to, `${file.path} imports ${target}`);
      graph.set(from, ways);
    }
  }
  const reported = new Set<string>();
  const problems: Problem[] = [];
  for (const start of [...graph.keys()].sort()) {
    if (reported.has(start)) continue;
    const circle = circleFrom(graph, start);
    if (circle === null) continue;
    for (const room of circle) reported.add(room);
    const steps = circle.map((room, at) => graph.get(room)?.get(circle[(at + 1) % circle.length] ?? '') ?? '');
    problems.push({ path: `${folder}/${start}`, line: 1, message: `rooms in a circle: ${steps.join('; ')}` });
  }
  return problems;
}

/** The sub-folder, or the file itself where it lies loose. */
function roomOf(folder: string, path: string): string | null {
  if (!path.startsWith(`${folder}/`)) return null;
  return path.slice(folder.length + 1).split('/')[0] ?? null;
}

function circleFrom(graph: ReadonlyMap<string, ReadonlyMap<string, string>>, start: string): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let room = queue.shift(); room !== undefined; room = queue.shift()) {
    for (const to of graph.get(room)?.keys() ?? []) {
      if (to === start) {
        const way = [room];
        for (let at = cameFrom.get(room); at !== undefined; at = cameFrom.get(at)) way.unshift(at);
        return way;
      }
      if (cameFrom.has(to)) continue;
      if (room !== start) cameFrom.set(to, room);
      else cameFrom.set(to, start);
      queue.push(to);
    }
  }
  return null;
}

/** A folder that nobody can take in at a glance. Tests stand beside what they test and are not counted. */
function checkCrowds(files: readonly SourceFile[]): Problem[] {
  const counts = new Map<string, number>();
  for (const { path } of files) {
    if (!path.startsWith('src/') || !isCode(path) || isTest(path)) continue;
    const folder = path.slice(0, path.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts]
    .filter(([folder, count]) => count > FILES_MAX && !MANY_THINGS.has(folder))
    .map(([folder, count]) => ({ path: folder, line: 1, message: `has ${count} files; ${FILES_MAX} is the most` }));
}
