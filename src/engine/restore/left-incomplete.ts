import { isAbort } from '../../lib/abort.ts';
import { CancelledHalfway, describeError, Fault } from '../../lib/errors.ts';
import { redactUri } from '../../mongo/connection/connect.ts';
import { asFault } from '../../mongo/errors.ts';

export const RESTORE_AGAIN = 'Mend the cause and restore again: a restore replaces whatever it finds';

/** What is thrown once a restore has begun to clear its target, whatever ended it: a failure or a cancel. */
export function leftIncomplete(
  error: unknown,
  { uri, phase, signal }: { uri: string; phase: string; signal: AbortSignal },
): Error {
  if (isAbort(error) || signal.aborted)
    return new CancelledHalfway(
      `the restore was cancelled while ${phase} and left the target incomplete. Restore again: a restore replaces whatever it finds`,
    );
  return new Fault({
    op: 'restore',
    subject: redactUri(uri),
    message: `the restore failed while ${phase} and left the target incomplete: ${describeError(error)}`,
    hint: RESTORE_AGAIN,
    cause: asFault(error, 'restore', redactUri(uri)),
  });
}
