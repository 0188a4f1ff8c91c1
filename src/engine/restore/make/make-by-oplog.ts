import type { Namespace } from '../../../bson/namespace.ts';
import { createSeriesByOplog } from '../../../mongo/series-target.ts';
import type { RestoreTarget } from '../../../mongo/target.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';
import { seriesInfoOf } from '../../replay/replay-state.ts';

const BUCKETS = 'system.buckets.';

/**
 * Makes what a shard has, as it has it: a collection or the buckets of a time series with their UUID, because all
 * shards know a sharded one by it. `into`: where, and under the name of what kind; `uuid`: that of the collection or
 * the buckets. A shard that is not its database's primary has buckets without a series.
 */
export async function makeByOplog(
  target: RestoreTarget,
  { db, name }: Namespace,
  { type, info, uuid }: { type: CollectionEntry['type']; info: Buffer; uuid: string | null },
): Promise<void> {
  if (type === 'timeseries' && uuid !== null)
    return await createSeriesByOplog(target, { db, name }, { info, uuid, view: true });
  if (type !== 'collection') return await target.create(db, name, info);
  if (!name.startsWith(BUCKETS) || uuid === null) return await target.createByOplog(db, name, info, uuid);
  const series = name.slice(BUCKETS.length);
  const own = { info: seriesInfoOf(series, info), uuid, view: false };
  return await createSeriesByOplog(target, { db, name: series }, own);
}
