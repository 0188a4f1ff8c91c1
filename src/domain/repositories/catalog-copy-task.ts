import type { CatalogWriter } from '../../catalog/catalog.ts';
import { hasQueuedTask } from '../../catalog/tasks.ts';
import type { TaskHandler } from '../../tasks/handler.ts';
import { enqueueTask } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import { collectCatalogCopy } from './catalog-copy.ts';

/** Copies are made one at a time, whoever makes them. */
export const CATALOG_KEY = 'catalog';

/** Changes come in bursts: the copy waits for the rest of one. */
const COPY_DELAY_MS = 2_000;
/** Retried over some hours: the repository may be away for a while, and the next change brings another copy anyway. */
const COPY_ATTEMPTS_MAX = 30;

/** Where copies go and come from: the repository's `catalog/` objects. */
export interface CatalogCopies {
  /** Where it is, copies hold secrets too. */
  readonly encrypted: boolean;
  write(copy: unknown): Promise<void>;
  readLatest(): Promise<unknown>;
}

/**
 * To be called in every transaction that changes what manifests do not hold. One waiting copy is enough: it is made of
 * what holds when it runs.
 */
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
    attemptsMax: COPY_ATTEMPTS_MAX,
    nowMs: context.clock.nowMs(),
    delayMs: COPY_DELAY_MS,
  });
}

export function copyCatalogHandler(context: DomainContext, copies: CatalogCopies): TaskHandler {
  return {
    run: async () => {
      await copies.write(await collectCatalogCopy(context, { withSecrets: copies.encrypted }));
      return { done: async () => undefined };
    },
    // There is no resource to bring to an end; the task itself says why the copy is missing.
    settle: async () => undefined,
  };
}
