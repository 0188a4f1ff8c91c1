import { givenName } from '../config.ts';
import type { Clock } from '../lib/clock.ts';
import { exitCodes } from './exit-codes.ts';
import { reportFailure } from './failure.ts';
import { withInterruption } from './interruption.ts';
import type { Terminal } from './terminal.ts';
import { wrapLine } from './wrap.ts';

/** What every command works with; made once, in program.ts. */
export interface CommandTools {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface CommandRun extends CommandTools {
  readonly signal: AbortSignal;
  /** JSON was asked for: standard output is for that alone. */
  readonly json: boolean;
  /** Prints `value` as JSON where that was asked for, else the lines. */
  answer(value: unknown, lines: readonly string[]): void;
  /** It is done all but what the answer names as missing: the exit code says so. */
  incomplete(): void;
}

/**
 * The body of a command: errors become a message and an exit code here and nowhere else. `options` are those of the
 * command line, `renamed` the names that this command has for some of them.
 */
export async function runCommand(
  tools: CommandTools,
  options: { json?: boolean | undefined },
  work: (run: CommandRun) => Promise<void>,
  renamed: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { terminal } = tools;
  const json = options.json === true;
  const answer = (value: unknown, lines: readonly string[]): void => {
    if (json) terminal.print(JSON.stringify(value, undefined, terminal.columns === null ? 0 : 2));
    else for (const line of lines) terminal.print(wrapLine(line, terminal.columns));
  };
  const incomplete = (): void => {
    process.exitCode = exitCodes.incomplete;
  };
  try {
    await withInterruption((signal) => work({ ...tools, signal, json, answer, incomplete }));
  } catch (error) {
    process.exitCode = reportFailure(error, terminal, json, (option) =>
      givenName(option, tools.env, { ...options }, renamed[option]),
    );
  }
}
