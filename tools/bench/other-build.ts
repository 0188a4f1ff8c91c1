import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A checkout of the program whose work is measured. */
export interface Build {
  /** What it is called in what is printed. */
  name: string;
  root: string;
}

export const thisBuild: Build = { name: 'this build', root: ROOT };

/**
 * Does something with this build and, where a revision is named, with that one too, from a work tree of it beside,
 * which is gone afterwards. It has this build's dependencies. What it is measured with is its own: `work-child.ts` of
 * its `tools/bench`.
 */
export async function withBuilds<T>(
  options: { against: string | undefined; directory: string },
  work: (builds: readonly Build[]) => Promise<T>,
): Promise<T> {
  const { against } = options;
  if (against === undefined) return await work([thisBuild]);
  const { stdout } = await run('git', ['-C', ROOT, 'rev-parse', '--short', '--verify', `${against}^{commit}`]);
  const root = join(await mkdtemp(join(options.directory, 'build-')), 'tidemark');
  await run('git', ['-C', ROOT, 'worktree', 'add', '--detach', root, stdout.trim()]);
  try {
    await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    return await work([thisBuild, { name: `${against} (${stdout.trim()})`, root }]);
  } finally {
    await rm(root, { recursive: true, force: true });
    await run('git', ['-C', ROOT, 'worktree', 'prune']);
  }
}

/** One after another, and the other way round by turns: what else the machine does then falls on all of them. */
export function inTurn<T>(builds: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? builds : builds.toReversed();
}
