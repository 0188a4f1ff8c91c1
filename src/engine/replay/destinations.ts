import { formatNamespace, type Namespace } from '../../bson/namespace.ts';
import { assert, must } from '../../lib/assert.ts';
import { murmur3 } from '../../lib/murmur.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import { isOwnedByTarget, planRestore } from '../restore-plan.ts';
import type { ReplayPlan } from './plan-replay.ts';
import { isApplyingInOrder, isCapped, listState } from './replay-state.ts';

/** A collection of the target, as writes name it. */
export interface Destination {
  db: string;
  name: string;
  namespace: string;
  /** Of its lane where all its writes are in one row, else of the lanes of its ids. */
  seed: number;
  inOrder: boolean;
  capped: boolean;
  /** The name by which its options are changed: a time series has them under its own. */
  commandName: string;
}

/**
 * Whether a server carries out deletions in capped collections: clients' own, and those that come by `applyOps`. One
 * that does not has no deletions in its oplog but for what it evicts.
 */
export function removesFromCapped(version: string): boolean {
  return Number.parseInt(version, 10) >= 6;
}

/** By the source's UUID. */
export function destinationsOf(
  plan: ReplayPlan,
  into: ReadonlyMap<string, Namespace> | undefined,
): ReadonlyMap<string, Destination> {
  const series = new Set(
    listState(plan.state)
      .filter((entry) => entry.type === 'timeseries')
      .map((entry) => `${entry.db}.${BUCKETS}${entry.name}`),
  );
  const destinations = new Map<string, Destination>();
  for (const [uuid, { db, name }] of into ?? ownNames(plan)) {
    const entry = must(plan.state.collections.get(uuid), 'only collections of the plan are written to');
    const bytes = Buffer.from(uuid, 'hex');
    assert(bytes.length === 16, 'a UUID has 16 bytes');
    assert(!series.has(formatNamespace(entry)) || name.startsWith(BUCKETS), 'a time series is written to its buckets');
    const isSeries = series.has(formatNamespace(entry)) || (into !== undefined && name.startsWith(BUCKETS));
    destinations.set(uuid, {
      db,
      name,
      namespace: formatNamespace({ db, name }),
      seed: murmur3(bytes, 0, 0, bytes.length, 0),
      inOrder: isApplyingInOrder(entry),
      capped: isCapped(entry),
      // Of a sharded one only its database's primary shard has the name, but what is made for chosen buckets has it.
      commandName: isSeries ? name.slice(BUCKETS.length) : name,
    });
  }
  return destinations;
}

const BUCKETS = 'system.buckets.';

/** All that a restore of the whole creates, but for what is `left` to the target. */
export function ownNames(
  { state }: ReplayPlan,
  left: (entry: CollectionEntry) => boolean = isOwnedByTarget,
): Map<string, Namespace> {
  const leftOut = new Set(planRestore(listState(state)).leftOut.map((entry) => entry.uuid));
  const restored = [...state.collections].filter(([uuid, entry]) => !leftOut.has(uuid) && !left(entry));
  return new Map(restored.map(([uuid, { db, name }]) => [uuid, { db, name }]));
}
