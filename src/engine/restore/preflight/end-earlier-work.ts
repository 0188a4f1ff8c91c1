import type { Clock } from '../../../lib/clock.ts';
import { Fault } from '../../../lib/errors.ts';
import { asFault } from '../../../mongo/errors.ts';
import type { RestoreTarget } from '../../../mongo/target.ts';

/** Of a restore, from 1: an attempt that was cut off may have left work at the target. */
export interface RestoreRun {
  id: string;
  attempt: number;
}

const PREFIX = 'tidemark restore';
const LOOK_EVERY_MS = 200;
/** A write that does not end although it was killed waits for something that the server does not get. */
const ENDING_MS_MAX = 60_000;
/** A connection that was cut off without a word stays open at the server for minutes; what it sent is read by then. */
const IDLE_MS_MAX = 3_000;
/** Of connections that only watch the server. */
const WATCHING = new Set(['hello', 'isMaster', 'ismaster', 'ping']);

/** The name that an attempt's connections have at the server. */
export function appNameOf(run: RestoreRun | undefined): string | undefined {
  return run === undefined ? undefined : `${PREFIX} ${run.id}/${run.attempt}`;
}

/** As `$currentOp` shows it. */
interface Operation {
  opid: number;
  active: boolean;
  appName: string;
  op?: string;
  ns?: string;
  command?: Record<string, unknown>;
}

/**
 * Ends what earlier attempts of the restore have under way at the primary, and waits until it has ended. A server goes
 * on with a write whose client is gone, also after it was stopped for a while: an insert or a replayed delete of before
 * would then come among those of now. The user's own operations take no privilege to be listed and killed.
 */
export async function endEarlierWork(
  target: RestoreTarget,
  { run, name, clock }: { run: RestoreRun | undefined; name: string; clock: Clock },
): Promise<void> {
  if (run === undefined || run.attempt === 1) return;
  const startedMs = clock.monotonicMs();
  for (;;) {
    const left = await earlierOperations(target, run, name);
    if (left.length === 0) return;
    const busy = left.filter(({ active }) => active);
    for (const { opid } of busy) await kill(target, opid);
    const waitedMs = clock.monotonicMs() - startedMs;
    if (busy.length === 0 && waitedMs > IDLE_MS_MAX) return;
    if (waitedMs > ENDING_MS_MAX) throw goesOn(name, busy);
    await clock.sleep(LOOK_EVERY_MS, target.signal);
  }
}

/** Of connections, idle ones too. */
async function earlierOperations(target: RestoreTarget, run: RestoreRun, name: string): Promise<Operation[]> {
  try {
    const reply = await target.command('admin', {
      aggregate: 1,
      pipeline: [
        { $currentOp: { allUsers: false, idleConnections: true } },
        { $match: { appName: { $gte: `${PREFIX} ${run.id}/`, $lt: `${PREFIX} ${run.id}0` } } },
      ],
      cursor: { batchSize: 10_000 },
    });
    const found = reply.cursor.firstBatch as Operation[];
    const mine = appNameOf(run);
    return found.filter((one) => one.appName !== mine && !WATCHING.has(Object.keys(one.command ?? {})[0] ?? ''));
  } catch (error) {
    throw asFault(error, 'list operations', name);
  }
}

async function kill(target: RestoreTarget, opid: number): Promise<void> {
  try {
    await target.command('admin', { killOp: 1, op: opid });
  } catch (error) {
    throw asFault(error, 'end an operation of an earlier attempt', 'the target');
  }
}

function goesOn(name: string, busy: readonly Operation[]): Fault {
  const what = busy.map(({ op, ns }) => `${op ?? 'command'} ${ns ?? ''}`).join(', ');
  return new Fault({
    op: 'restore',
    subject: name,
    message: `what an earlier attempt had under way on ${name} goes on after ${ENDING_MS_MAX / 1000} s (${what}); nothing new was begun`,
    retryable: true,
    hint: 'Look at db.currentOp() there: it waits for something',
  });
}
