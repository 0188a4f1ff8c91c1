import { Fault } from '../../lib/errors.ts';
import type { CollectionEntry, Manifest } from '../../repository/format/manifest.ts';
import { readCollection } from '../../repository/layers.ts';
import type { Repository } from '../../repository/repository.ts';
import { type Block, type BlockLimits, cutBlocks } from './cut-blocks.ts';
import { exportedCollections } from './exported-collections.ts';

/** What one replica set has of one collection: it becomes files of its own. */
export interface ExportPart {
  index: number;
  /** What the collection is: its options and indexes. */
  entry: CollectionEntry;
  /** What its documents are read from. */
  data: CollectionEntry;
  replicaSetName: string;
}

export interface DataBlock extends Block {
  part: ExportPart;
}

/** Everything that is exported, in the order in which it is written. */
export function exportParts({ header, collections }: Manifest): ExportPart[] {
  const { replicaSetName } = header;
  const series = collections.find(({ type }) => type === 'timeseries');
  if (series !== undefined)
    throw new Fault({
      op: 'export',
      subject: `${series.db}.${series.name}`,
      message: `${series.db}.${series.name} is a time series, and those cannot be exported yet`,
    });
  return exportedCollections(collections).map(({ entry, data }, index) => ({ index, entry, data, replicaSetName }));
}

export async function* dataBlocks(
  parts: readonly ExportPart[],
  {
    repository,
    clusterId,
    limits,
    signal,
  }: { repository: Repository; clusterId: string; limits: BlockLimits; signal: AbortSignal },
): AsyncGenerator<DataBlock> {
  for (const part of parts) {
    // With a seed of its own, reading in several passes would give another order each time, and files that were begun could not be gone on with.
    const documents = readCollection(repository, clusterId, part.data, { signal, seed: ORDER_SEED });
    for await (const block of cutBlocks(documents, limits)) yield { ...block, part };
  }
}

const ORDER_SEED = 0x7da3;
