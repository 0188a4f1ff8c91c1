import { Refusal } from '../domain/refusals/refusals.ts';
import { isAbort } from '../lib/abort.ts';
import { Bug } from '../lib/assert.ts';
import { CancelledHalfway, Damage, describeError, Fault, Misconfigured, messageOf } from '../lib/errors.ts';
import { wordsOf } from './command-words.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';
import { NothingFound, UsageError } from './usage-error.ts';
import { wrapLine } from './wrap.ts';

export interface Failure {
  exitCode: ExitCode;
  message: string;
  /** What to do next. */
  hint: string | null;
  /** Atlas's errorCode, for what was refused. */
  errorCode: string | null;
}

/** The name under which an option of the configuration was given; null where it was left out. */
export type NameOption = (option: string) => string | null;

export function describeFailure(error: unknown, nameOption: NameOption = () => null): Failure {
  const failure = (exitCode: ExitCode, message: string, hint: string | null = null): Failure => {
    return { exitCode, message, hint, errorCode: null };
  };
  if (error instanceof CancelledHalfway) return failure(exitCodes.cancelled, error.message);
  if (isAbort(error)) return failure(exitCodes.cancelled, 'cancelled');
  if (error instanceof NothingFound) return failure(exitCodes.refused, error.message);
  if (error instanceof UsageError) return failure(exitCodes.usage, error.message);
  if (error instanceof Refusal) {
    const { message, hint } = wordsOf(error);
    return { ...failure(exitCodes.refused, message, hint), errorCode: error.code };
  }
  if (error instanceof Misconfigured) return failure(exitCodes.usage, describeMisconfigured(error, nameOption));
  if (error instanceof Damage) return failure(exitCodes.damaged, describeDamage(error), error.hint ?? DAMAGED);
  if (error instanceof Fault) return failure(exitCodes.failed, describeError(error));
  if (error instanceof Bug) {
    return failure(exitCodes.bug, `this is a bug in Tidemark: ${error.stack ?? error.message}`, 'Please report it.');
  }
  return failure(
    exitCodes.failed,
    isExpected(error) ? messageOf(error) : `${(error as Error).stack ?? messageOf(error)}`,
  );
}

/** Where nothing else is known to do. */
const DAMAGED =
  'Run `tidemark repository check --read-data`: it lists all that is damaged. What it does not list is sound: restore ' +
  'another snapshot, or put the object back from a copy of the repository';

/** Always with the name of what is damaged; the hint stands apart. */
function describeDamage(error: Damage): string {
  const { hint: _, subject, op } = error;
  const message = describeError(new Damage({ op, subject, message: error.message, cause: error.cause }));
  return message.includes(subject) ? message : `${message} (${subject})`;
}

/** `--port: 99999 is not a whole number from 0 to 65535. ...`. */
export function describeMisconfigured(error: Misconfigured, nameOption: NameOption): string {
  const name = error.option === undefined ? null : nameOption(error.option);
  return name === null ? describeError(error) : `${name}: ${describeError(error)}`;
}

/** Errors of the operating system say what is wrong in their message; of others the stack is worth having. */
function isExpected(error: unknown): boolean {
  return !(error instanceof Error) || 'code' in error || 'syscall' in error;
}

/** Prints the failure to standard error, as one JSON line where JSON was asked for, and returns the exit code. */
export function reportFailure(error: unknown, terminal: Terminal, json: boolean, nameOption?: NameOption): ExitCode {
  const failure = describeFailure(error, nameOption);
  if (json) {
    const { message, hint, errorCode } = failure;
    terminal.printError(`${JSON.stringify({ error: { message, hint, errorCode } })}\n`);
  } else {
    const paint = terminal.errorColors;
    const wrapped = (text: string): string =>
      text
        .split('\n')
        .map((line) => wrapLine(line, terminal.errorColumns))
        .join('\n');
    terminal.printError(`${wrapped(`${paint.red('tidemark:')} ${failure.message}`)}\n`);
    if (failure.hint !== null) terminal.printError(`${paint.dim(wrapped(failure.hint))}\n`);
  }
  return failure.exitCode;
}
