import type { Logger } from '../lib/logger.ts';
import type { Repository } from '../repository/repository.ts';
import { describeSkew, isSkewed, readStoreTime, SKEW_HINT } from '../repository/store-time.ts';
import type { Duty } from '../tasks/timer.ts';

const EVERY_MS = 3_600_000;

/** Why this machine's clock is not to be trusted, by the time of the repository's store; null where they agree. */
export async function clockDoubt(repository: Repository): Promise<string | null> {
  const { skewMs } = await readStoreTime(repository);
  return isSkewed(skewMs) ? describeSkew(skewMs, repository.store.description) : null;
}

/** Says in the log, at the start and each hour, where the clocks of this machine and of the store do not agree. */
export function clockWatchDuty(repository: Repository, log: Logger): Duty {
  const { clock } = repository;
  let doneAtMs = Number.NEGATIVE_INFINITY;
  return {
    name: 'compare the clocks',
    run: async () => {
      if (clock.monotonicMs() - doneAtMs < EVERY_MS) return;
      doneAtMs = clock.monotonicMs();
      const reason = await clockDoubt(repository);
      if (reason !== null)
        log.warn({ reason, hint: SKEW_HINT }, 'the clocks do not agree: nothing is pruned meanwhile');
    },
    nextDueMs: async () => null,
  };
}
