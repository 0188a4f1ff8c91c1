import type { Catalog, CatalogWriter } from '../catalog/catalog.ts';
import { hasQueuedTask } from '../catalog/tasks.ts';
import type { Clock } from '../lib/clock.ts';
import type { IdSource } from '../lib/ids.ts';
import type { Logger } from '../lib/logger.ts';
import type { SecretBox } from '../lib/secret-box.ts';
import { enqueueTask } from '../tasks/queue.ts';

/** What every noun works with. */
export interface DomainContext {
  catalog: Catalog;
  clock: Clock;
  ids: IdSource;
  secretBox: SecretBox;
  log: Logger;
}

/**
 * Follows what transactions write from here on: each that changes what the repository copies of the catalog asks for a
 * copy, and each that brings a task has the worker of this process, where there is one, look at once.
 */
export function createContext(context: DomainContext, wakeWorker: () => void): DomainContext {
  context.catalog.follow({
    copyOutdated: async (writer) => await queueCatalogCopy(writer, context),
    taskBrought: wakeWorker,
  });
  return context;
}

/** Copies are made one at a time, whoever makes them. */
export const CATALOG_KEY = 'catalog';

/** Changes come in bursts: the copy waits for the rest of one. */
const COPY_DELAY_MS = 2_000;

/** One waiting copy is enough: it is made of what holds when it runs. */
export async function queueCatalogCopy(
  writer: CatalogWriter,
  context: Pick<DomainContext, 'ids' | 'clock'>,
): Promise<void> {
  if (await hasQueuedTask(writer, 'copyCatalog')) return;
  await enqueueTask(writer, {
    id: context.ids.next(),
    kind: 'copyCatalog',
    subjectId: CATALOG_KEY,
    exclusiveKey: CATALOG_KEY,
    nowMs: context.clock.nowMs(),
    delayMs: COPY_DELAY_MS,
  });
}
