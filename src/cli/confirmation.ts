import { Cancelled } from '../lib/errors.ts';
import type { CommandRun } from './command-run.ts';
import { UsageError } from './usage-error.ts';
import { wrapLine } from './wrap.ts';

/**
 * Asks before data is replaced: the person types `expected`. Where nobody can be asked the command is refused and names
 * --yes, so that a script says what it means and a forgotten prompt hangs nothing.
 */
export async function confirm(
  run: CommandRun,
  options: { yes?: boolean | undefined; warning: string; expected: string },
): Promise<void> {
  if (options.yes === true) return;
  const paint = run.terminal.errorColors;
  const warning = wrapLine(options.warning, run.terminal.errorColumns);
  const question = `${paint.yellow(warning)}\nType ${paint.bold(options.expected)} to go on: `;
  const answer = await run.terminal.ask(question, run.signal);
  if (answer === null)
    throw new UsageError(
      `${options.warning} Nobody can be asked here: repeat the command with --yes if that is wanted.`,
    );
  if (answer.trim() !== options.expected) throw new Cancelled('not confirmed: nothing was changed');
}
