import type { Namespace } from '../../bson/namespace.ts';
import { findId, forEachDocument } from '../../bson/raw-bson.ts';
import { idDocument } from '../../bson/zero-timestamps.ts';
import { assert, must } from '../../lib/assert.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import { OplogApplier } from '../../mongo/oplog-applier.ts';
import { SourceMember } from '../../mongo/source-member.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import { dropFromTarget } from '../../mongo/target-catalog.ts';
import { type InsertAllOptions, insertAll, insertLimits } from '../restore/load-collections.ts';
import { ownedDocuments } from '../sharding/shard-routing.ts';
import type { DocumentsPart } from './backup/cluster-collections.ts';
import type { Item, Staging } from './stage-collections.ts';

/**
 * At a point, what each shard has of a collection is brought there by itself, orphans too: a document may have become
 * one since the snapshot, or have ceased to be one, and two shards may have one each of the same _id on the way. The
 * first part is made where the collection waits for its place, the others beside it.
 */
const BUCKETS = 'system.buckets.';
const JOINED_AT_ONCE = 2;
const BATCH_DOCUMENTS = 1_000_000;

/** A part of an item, and where its documents are until all are together. */
export interface StagedPart {
  part: DocumentsPart;
  /** As it is made: by the name of a time series. */
  made: Namespace;
  documents: Namespace;
}

export function stagedParts({ chosen, staged, partsName }: Item): StagedPart[] {
  return chosen.parts.map((part, index) => {
    const made = index === 0 ? staged : { db: staged.db, name: `${partsName}_${index}` };
    const documents = chosen.kind === 'timeseries' ? { db: made.db, name: BUCKETS + made.name } : made;
    return { part, made, documents };
  });
}

/** Those that are made beside the item. */
export function partsBeside(item: Item, { replays }: Pick<Staging, 'replays'>): StagedPart[] {
  return replays.length === 0 ? [] : stagedParts(item).slice(1);
}

/** Where a shard's writes go, by the source's UUIDs. */
export function destinationsOn(items: readonly Item[], shardName: string): Map<string, Namespace> {
  const parts = items.flatMap((item) => stagedParts(item)).filter(({ part }) => part.shardName === shardName);
  return new Map(
    parts.map(({ part, documents }) => [must(part.entry.uuid, 'what has documents has a UUID'), documents]),
  );
}

/** Those whose parts are not what clients saw yet. */
export function apart(items: readonly Item[]): Item[] {
  return items.filter(({ chosen }) => chosen.parts.length > 1 || chosen.parts.some(({ owned }) => owned !== 'all'));
}

export interface JoinPartsOptions {
  target: RestoreTarget;
  signal: AbortSignal;
  /** Around the work on one item. */
  each(item: Item, work: () => Promise<void>): Promise<void>;
}

/** Leaves of every item what its shards owned at the point, together in the first part's place. */
export async function joinParts(items: readonly Item[], { target, signal, each }: JoinPartsOptions): Promise<void> {
  const limits = insertLimits();
  await forEachConcurrently(items, JOINED_AT_ONCE, async (item) => {
    await each(item, async () => await joinItem(item, { target, signal, ...limits }));
  });
}

type Joining = Pick<InsertAllOptions, 'target' | 'signal' | 'inserts' | 'memory'>;

async function joinItem(item: Item, joining: Joining): Promise<void> {
  const { target, signal } = joining;
  const [first, ...others] = stagedParts(item);
  assert(first !== undefined, 'what has documents has a part');
  await removeOrphans(first, joining);
  for (const { part, made, documents } of others) {
    assert(part.owned !== 'all', 'what several shards have is routed');
    const owned = ownedDocuments(scan(target, documents, signal), part.owned);
    await insertAll(owned, { ...joining, into: first.documents, ordered: false, inserted: () => undefined });
    await dropFromTarget(target, made);
  }
}

/** By their ids, before another shard's documents of the same ids come. */
async function removeOrphans(
  { part: { owned }, documents: { db, name } }: StagedPart,
  { target, signal }: Joining,
): Promise<void> {
  if (owned === 'all') return;
  assert(owned !== 'none', 'a part is of a shard that owns some of it');
  const applier = new OplogApplier(target, 1);
  try {
    for await (const buffer of scan(target, { db, name }, signal)) {
      for (const id of orphansIn(buffer, owned))
        await applier.write(0, { op: 'd', namespace: `${db}.${name}`, o: id, o2: null });
    }
    await applier.flush();
  } finally {
    await applier.settle();
  }
}

/** Their ids, as documents. */
function orphansIn(buffer: Buffer, owns: (buffer: Buffer, offset: number) => boolean): Buffer[] {
  const ids: Buffer[] = [];
  forEachDocument(buffer, (offset) => {
    if (!owns(buffer, offset)) ids.push(idDocument(buffer, must(findId(buffer, offset), 'a document has an id')));
  });
  return ids;
}

/** Raw documents in runs, as the primary has them: what was written a moment ago has no majority yet. */
async function* scan(target: RestoreTarget, { db, name }: Namespace, signal: AbortSignal): AsyncGenerator<Buffer> {
  const command = {
    find: name,
    hint: { $natural: 1 },
    readConcern: { level: 'local' },
    batchSize: BATCH_DOCUMENTS,
  };
  const member = new SourceMember(target.client, 'the target');
  const batches = member.rawBatches(db, command, signal, { batchSize: BATCH_DOCUMENTS });
  for await (const { documents } of batches) if (documents.length > 0) yield documents;
}
