import { forEachDocument } from '../../bson/raw-bson.ts';
import { Fault, messageOf } from '../../lib/errors.ts';
import type { CollectionEntry, Manifest } from '../../repository/format/manifest.ts';
import { replicaSetsOf } from '../../repository/format/manifest-replica-sets.ts';
import { readCollection } from '../../repository/layers/layers.ts';
import type { Repository } from '../../repository/repository.ts';
import { type Ownership, ownedDocuments, type ShardRouting } from '../sharding/shard-routing.ts';
import { type Block, type BlockLimits, cutBlocks } from './cut-blocks.ts';
import { exportedCollections } from './exported-collections.ts';
import { seriesFieldsOf, unpackBucket } from './unpack-bucket.ts';

/** What one replica set has of one collection: it becomes files of its own. */
export interface ExportPart {
  index: number;
  /** What the collection is: its options and indexes. */
  entry: CollectionEntry;
  /** What its documents are read from. */
  data: CollectionEntry;
  replicaSetName: string;
  /** Orphans are not exported: no client of the cluster sees them. */
  owned: Ownership;
}

export interface DataBlock extends Block {
  part: ExportPart;
}

interface Source {
  repository: Repository;
  clusterId: string;
  limits: BlockLimits;
  signal: AbortSignal;
}

/**
 * Everything that is exported, in the order in which it is written. `routing` is that of a sharded cluster's snapshot.
 */
export function exportParts(manifest: Manifest, routing: ShardRouting | null): ExportPart[] {
  const ofShards = replicaSetsOf(manifest).filter(({ replicaSet }) => replicaSet?.configServer !== true);
  return ofShards
    .flatMap(({ replicaSet, manifest: { header, collections } }) =>
      exportedCollections(collections).map((exported) => ({
        ...exported,
        replicaSetName: header.replicaSetName,
        owned:
          routing === null || replicaSet === null
            ? ('all' as const)
            : routing.ownership(exported.data, replicaSet.shardName),
      })),
    )
    .map((part, index) => ({ index, ...part }));
}

export async function* dataBlocks(parts: readonly ExportPart[], source: Source): AsyncGenerator<DataBlock> {
  for (const part of parts) {
    const documents = documentsOf(part, source);
    const shown = part.entry.type === 'timeseries' ? measurementsOf(part, documents) : documents;
    for await (const block of cutBlocks(shown, source.limits)) yield { ...block, part };
  }
}

const ORDER_SEED = 0x7da3;

/**
 * With a seed of its own, reading in several passes would give another order each time, and files that were begun could
 * not be gone on with.
 */
function documentsOf({ data, owned }: ExportPart, { repository, clusterId, signal }: Source): AsyncIterable<Buffer> {
  return ownedDocuments(readCollection(repository, clusterId, data, { signal, seed: ORDER_SEED }), owned);
}

/** One bucket's at a time. */
async function* measurementsOf({ entry }: ExportPart, buckets: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const fields = seriesFieldsOf(entry.info);
  for await (const buffer of buckets) {
    const offsets: number[] = [];
    forEachDocument(buffer, (offset) => void offsets.push(offset));
    for (const [index, offset] of offsets.entries()) {
      try {
        yield unpackBucket(buffer.subarray(offset, offsets[index + 1]), fields);
      } catch (cause) {
        const subject = `${entry.db}.${entry.name}`;
        const message = `a bucket of the time series ${subject} cannot be unpacked: ${messageOf(cause)}`;
        throw new Fault({ op: 'export', subject, message, cause });
      }
    }
  }
}
