import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../lib/clock.ts';
import type { IdSource } from '../lib/ids.ts';
import type { Logger } from '../lib/logger.ts';
import type { SecretBox } from '../lib/secret-box.ts';

/** What every noun works with. */
export interface DomainContext {
  catalog: Catalog;
  clock: Clock;
  ids: IdSource;
  secretBox: SecretBox;
  log: Logger;
  /** Called after a transaction that queued a task: the worker of this process, where there is one, looks at once. */
  wakeWorker: () => void;
}
