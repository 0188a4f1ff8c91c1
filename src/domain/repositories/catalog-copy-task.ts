import type { TaskHandler } from '../../tasks/handler.ts';
import type { DomainContext } from '../context.ts';
import { collectCatalogCopy } from './catalog-copy.ts';

/** Where copies go and come from: the repository's `catalog/` objects. */
export interface CatalogCopies {
  /** Where it is, copies hold secrets too. */
  readonly encrypted: boolean;
  write(copy: unknown): Promise<void>;
  readLatest(): Promise<unknown>;
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
