import { must } from '../../lib/assert.ts';
import { tryCollections } from '../restore/preflight/try-collections.ts';
import { type Item, infoOf, type Staging } from './stage-collections.ts';

/**
 * Tries on the target what kinds of collections and views are to be made, before anything is: what is made in its
 * place, after what was there is gone, has to be known to be possible. Notes which options of a collection it refuses,
 * and gives the views that it does not take.
 */
export async function tryItems(
  staging: Staging,
  items: readonly Item[],
  about: { name: string; signal: AbortSignal },
): Promise<Item[]> {
  const create = items.map((item) => ({ ...item.chosen.entry, info: infoOf(staging, item) }));
  const indexed = staging.indexStrategy === 'none' ? [] : items.flatMap(({ chosen }) => chosen.documents ?? []);
  const trial = { op: 'restore collections', create, indexed, byOplog: false, onRefusal: 'leaveOut' } as const;
  const { reduced, refusedViews } = await tryCollections(staging.target, { ...about, ...trial });
  const views: Item[] = [];
  for (const [index, item] of items.entries()) {
    const entry = must(create[index], 'each is tried');
    const { info = null, refused = [] } = reduced.get(entry) ?? {};
    item.reducedInfo = info;
    for (const option of refused) item.losses.add({ namespace: item.source, kind: 'option', ...option });
    const problem = refusedViews.get(entry);
    if (problem === undefined) continue;
    item.losses.add({ namespace: item.source, kind: 'view', name: entry.name, problem });
    views.push(item);
  }
  return views;
}
