import { hasUnfinishedTaskWithKey, hurryTasks } from '../../catalog/tasks.ts';
import type { Random } from '../../lib/random.ts';
import type { TaskHandlers } from '../../tasks/handler.ts';
import { Worker } from '../../tasks/worker.ts';
import { CATALOG_KEY, type DomainContext } from '../context.ts';

const FLUSH_MS = 10_000;
const POLL_MS = 50;

/**
 * Before we go, the copy that a change asked for is written: a command that registers a cluster may be the last one for
 * a long time. Bounded; what is not done by then stays queued.
 */
export async function flushCatalogCopy(context: DomainContext, handlers: TaskHandlers, random: Random): Promise<void> {
  const { catalog, clock, ids, log } = context;
  const waiting = async (): Promise<boolean> => await hasUnfinishedTaskWithKey(catalog.reader, CATALOG_KEY);
  if (!(await waiting())) return;
  await catalog.transact(async (writer) => await hurryTasks(writer, 'copyCatalog', clock.nowMs()));
  const owner = ids.next();
  const worker = new Worker({ catalog, clock, random, log, handlers, owner, concurrency: 1, kinds: ['copyCatalog'] });
  worker.start();
  const untilMs = clock.monotonicMs() + FLUSH_MS;
  while (clock.monotonicMs() < untilMs && (await waiting())) await clock.sleep(POLL_MS);
  if (clock.monotonicMs() >= untilMs) log.warn('the catalog copy could not be written yet; the next start tries again');
  await worker.stop();
}
