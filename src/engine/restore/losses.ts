import type { Logger } from '../../lib/logger.ts';
import { refusalOf } from '../../mongo/errors.ts';
import { describeLeftOut, type LeftOut, LeftOutList } from '../left-out.ts';

/**
 * What the target cannot be given of a snapshot, by name: an index that the data violate, a view, an option that it
 * does not know. One object that cannot be made does not cost the others.
 */
export class RestoreLosses {
  readonly list = new LeftOutList();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(item: LeftOut): void {
    this.list.add([item]);
    this.#log.warn(item, `left out of the restore: ${describeLeftOut(item)}`);
  }

  /** Whether it was done; not where the server refuses this very object, which is noted. All else is thrown. */
  async unlessRefused(item: Omit<LeftOut, 'problem'>, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const problem = refusalOf(error);
      if (problem === null) throw error;
      this.add({ ...item, problem });
      return false;
    }
  }
}
