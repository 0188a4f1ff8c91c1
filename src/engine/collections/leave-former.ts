import { Fault } from '../../lib/errors.ts';
import { listTarget } from '../../mongo/target-catalog.ts';
import { describeLeftOut } from '../left-out.ts';
import { removeStaged } from './remove-staged.ts';
import { documentsOf, type Item, type Staging } from './stage-collections.ts';

/**
 * A collection that lacks an index does not replace the whole one that is there: what was loaded of it is taken away,
 * and the others go on. Gives the ones that do not. Where none is left the restore has failed.
 */
export async function leaveFormer(staging: Staging, items: readonly Item[]): Promise<Item[]> {
  const { target, journal } = staging;
  const given: Item[] = [];
  for (const item of items) if (await replacesWhole(staging, item)) given.push(item);
  const first = given[0];
  if (first === undefined) return [];
  for (const item of given) item.failure = { state: 'INDEX_BUILD_FAILED', reason: lossesOf(item) };
  if (given.length === items.length)
    throw new Fault({ op: 'restore collections', subject: first.source, message: lossesOf(first) });
  for (const item of given) {
    await removeStaged(target, item.staged, item.uuid);
    const nothing = { stagedName: null, stagedUuid: null, restoredDocuments: 0 };
    await journal.update(item.source, { state: 'INDEX_BUILD_FAILED', ...nothing });
  }
  return given;
}

async function replacesWhole({ target }: Staging, item: Item): Promise<boolean> {
  // A time series has its own name from the start, and there was nothing of that name.
  if (!item.lacksIndexes || documentsOf(item).name !== item.staged.name) return false;
  return (await listTarget(target, item.target.db)).has(item.target.name);
}

/** A line for all that is missing of an item. */
export function lossesOf({ losses }: Item): string {
  return losses.list.named.map(describeLeftOut).join('; ');
}
