import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { formatDuration } from '../../src/cli/sizes.ts';
import type { Column } from '../../src/cli/table.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { installPackage, packPackage, stagePackage } from '../release/npm-package.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const TRIES = 11;

export interface StartFigures {
  command: string;
  /** The middle one of `TRIES`, from the start of the process to its end. */
  checkoutMs: number;
  packageMs: number;
}

/**
 * How long it takes until a command that does nothing has ended: from the checkout, where Node reads TypeScript, and
 * from the installed package, turn about.
 */
export async function measureStart(directory: string): Promise<StartFigures[]> {
  const staged = join(directory, 'staged');
  await stagePackage(staged);
  const place = join(directory, 'installed');
  await mkdir(place);
  const installed = await installPackage(await packPackage(staged, directory), place);
  const checkout = join(root, 'bin/tidemark.mjs');
  const dataDir = join(directory, 'data');
  await run(process.execPath, [installed, 'init', '--data-dir', dataDir]);
  const commands = [['--help'], ['snapshot', 'list', '--data-dir', dataDir]];
  const figures: StartFigures[] = [];
  for (const args of commands) {
    const took: Record<string, number[]> = { [checkout]: [], [installed]: [] };
    for (let tries = 0; tries < TRIES; tries++)
      for (const [program, times] of Object.entries(took)) times.push(await timeOf(program, args));
    const [checkoutMs, packageMs] = [middle(took[checkout]), middle(took[installed])];
    figures.push({ command: args.slice(0, 2).join(' '), checkoutMs, packageMs });
  }
  return figures;
}

async function timeOf(program: string, args: readonly string[]): Promise<number> {
  const startedMs = systemClock.monotonicMs();
  await run(process.execPath, [program, ...args]);
  return systemClock.monotonicMs() - startedMs;
}

function middle(times: readonly number[] = []): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

export const startColumns: Column[] = [
  { header: 'COMMAND' },
  { header: 'CHECKOUT', align: 'right' },
  { header: 'PACKAGE', align: 'right' },
  { header: 'RATIO', align: 'right' },
];

export function startRows(figures: readonly StartFigures[]): string[][] {
  return figures.map(({ command, checkoutMs, packageMs }) => [
    command,
    formatDuration(checkoutMs),
    formatDuration(packageMs),
    (packageMs / checkoutMs).toFixed(2),
  ]);
}
