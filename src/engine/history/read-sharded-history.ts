import { parseNamespace } from '../../bson/namespace.ts';
import type { Timestamp64 } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import { readManifest } from '../../repository/manifests.ts';
import { readCoverage } from '../../repository/slices.ts';
import { readRouting } from '../sharding/read-routing.ts';
import { type HistoryItem, positionOf } from './history-item.ts';
import { type ShardItem, ShardMerge } from './merge-shards.ts';
import { type HistorySnapshot, historyItems, type ReadHistoryOptions } from './read-history.ts';
import { inWindow } from './window.ts';

export interface HistoryShard {
  shardName: string;
  replicaSetName: string;
}

export interface ReadShardedHistoryOptions extends Omit<ReadHistoryOptions, 'source' | 'snapshots'> {
  clusterId: string;
  /** In order of name, the config servers left out. */
  shards: readonly HistoryShard[];
  /** Completed snapshots of the cluster, each with the replica sets that are in it. */
  snapshots: readonly (HistorySnapshot & { replicaSetNames: readonly string[] })[];
}

/**
 * Every version of one document of a sharded cluster, oldest first: what each shard's snapshots and captured oplog say
 * of it, merged (`ShardMerge`). It is told up to where all shards are captured, because what a shard that is behind has
 * still to say may come before.
 */
export function readShardedHistory(options: ReadShardedHistoryOptions): AsyncGenerator<HistoryItem, void, undefined> {
  return inWindow(mergedItems(options), options);
}

async function* mergedItems(options: ReadShardedHistoryOptions): AsyncGenerator<HistoryItem, void, undefined> {
  assert(options.shards.length > 0, 'a sharded cluster has shards');
  const known = await knownUpTo(options);
  const to = known !== null && known < options.to ? known : options.to;
  const merge = new ShardMerge();
  const heads = await Promise.all(
    options.shards.map(async (shard) => await Head.open(historyOf(options, shard, to), shard)),
  );
  try {
    for (let at = earliestOf(heads); at !== null; at = earliestOf(heads)) {
      const items: ShardItem[] = [];
      for (const head of heads) items.push(...(await head.takeAt(at)));
      yield* merge.take(await withoutOrphans(options, items, at));
    }
  } finally {
    for (const head of heads) await head.close();
  }
  if (to < options.to) yield { kind: 'unknown', from: to, to: null, cause: 'not captured yet' };
}

/**
 * What a snapshot found on a shard that did not own it by the routing metadata of that snapshot, was no document to
 * those who looked.
 */
async function withoutOrphans(
  { repository, clusterId, snapshots, signal }: ReadShardedHistoryOptions,
  items: readonly ShardItem[],
  at: Timestamp64,
): Promise<readonly ShardItem[]> {
  const snapshot = snapshots.find(({ ts }) => ts === at);
  const isFound = ({ item }: ShardItem) =>
    item.kind === 'version' && item.operation === 'snapshot' && item.document !== null;
  if (snapshot === undefined || !items.some(isFound)) return items;
  const manifest = await readManifest(repository, { clusterId, snapshotId: snapshot.id }, { signal });
  const routing = await readRouting(repository, manifest, signal);
  return items.map((one) => {
    const { item, shardName } = one;
    if (routing === null || !isFound(one) || item.kind !== 'version' || item.document === null) return one;
    const ownership = routing.ownership(parseNamespace(item.namespace), shardName);
    const owned = ownership === 'all' || (ownership !== 'none' && ownership(item.document, 0));
    return owned ? one : { shardName, item: { ...item, content: 'absent', document: null } };
  });
}

/** The end of the shards' captured oplogs that ends first; null where one has none, and only snapshots tell. */
async function knownUpTo({
  repository,
  clusterId,
  shards,
  signal,
}: ReadShardedHistoryOptions): Promise<Timestamp64 | null> {
  let least: Timestamp64 | null = null;
  for (const { replicaSetName } of shards) {
    const { runs } = await readCoverage(repository, { clusterId, replicaSetName }, { signal });
    const last = runs.reduce<Timestamp64 | null>((max, run) => (max === null || run.last > max ? run.last : max), null);
    if (last === null) return null;
    if (least === null || last < least) least = last;
  }
  return least;
}

function historyOf(
  options: ReadShardedHistoryOptions,
  { replicaSetName }: HistoryShard,
  to: Timestamp64,
): AsyncGenerator<HistoryItem, void, undefined> {
  const { clusterId, shards: _, ...common } = options;
  const snapshots = options.snapshots.filter(({ replicaSetNames }) => replicaSetNames.includes(replicaSetName));
  return historyItems({ ...common, snapshots, to, source: { clusterId, replicaSetName } });
}

/** The next item of one shard's history. */
class Head {
  readonly #items: AsyncGenerator<HistoryItem, void, undefined>;
  readonly #shardName: string;
  #next: HistoryItem | null = null;

  private constructor(items: AsyncGenerator<HistoryItem, void, undefined>, shardName: string) {
    this.#items = items;
    this.#shardName = shardName;
  }

  static async open(items: AsyncGenerator<HistoryItem, void, undefined>, { shardName }: HistoryShard): Promise<Head> {
    const head = new Head(items, shardName);
    await head.#advance();
    return head;
  }

  get at(): Timestamp64 | null {
    return this.#next === null ? null : positionOf(this.#next);
  }

  /** All that it has of that time. */
  async takeAt(at: Timestamp64): Promise<ShardItem[]> {
    const taken: ShardItem[] = [];
    while (this.#next !== null && positionOf(this.#next) === at) {
      taken.push({ shardName: this.#shardName, item: this.#next });
      await this.#advance();
    }
    return taken;
  }

  async close(): Promise<void> {
    await this.#items.return();
  }

  async #advance(): Promise<void> {
    const { value, done } = await this.#items.next();
    const before = this.at;
    this.#next = done === true ? null : value;
    assert(before === null || this.at === null || before <= this.at, 'a shard tells its history in order');
  }
}

function earliestOf(heads: readonly Head[]): Timestamp64 | null {
  return heads.reduce<Timestamp64 | null>(
    (least, { at }) => (at === null || (least !== null && least <= at) ? least : at),
    null,
  );
}
