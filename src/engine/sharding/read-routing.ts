import { forEachDocument } from '../../bson/raw-bson.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { must } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import type { CollectionEntry, Manifest } from '../../repository/format/manifest.ts';
import { replicaSetsOf } from '../../repository/format/manifest-replica-sets.ts';
import { readCollection } from '../../repository/layers/layers.ts';
import type { Repository } from '../../repository/repository.ts';
import { ShardRouting } from './shard-routing.ts';

/** Where a sharded snapshot's documents belong, from what the config servers held; null for a replica set. */
export async function readRouting(
  repository: Repository,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<ShardRouting | null> {
  if (manifest.header.type !== 'sharded') return null;
  const config = must(
    replicaSetsOf(manifest).find(({ replicaSet }) => replicaSet?.configServer === true),
    'a sharded snapshot has its config servers',
  ).manifest;
  return await routingOf(async (name) => {
    const entry = config.collections.find((one) => one.db === 'config' && one.name === name);
    return entry === undefined ? [] : await readDocuments(repository, config.header.clusterId, entry, signal);
  });
}

/** The same of whatever the config servers held in `config`, by the name of a collection there. */
export async function routingOf(documentsOf: (name: string) => Promise<readonly Buffer[]>): Promise<ShardRouting> {
  const [databases, collections, chunks] = [
    await documentsOf('databases'),
    await documentsOf('collections'),
    await documentsOf('chunks'),
  ];
  if (collections.length > 0 && chunks.length === 0)
    throw new Damage({
      op: 'read routing',
      subject: 'config.chunks',
      message: 'the config servers of the snapshot hold no chunks of its sharded collections',
    });
  return new ShardRouting({ databases, collections, chunks });
}

/** Copies, so that a few documents do not keep a blob each in memory. */
async function readDocuments(
  repository: Repository,
  clusterId: string,
  entry: CollectionEntry,
  signal: AbortSignal,
): Promise<Buffer[]> {
  const documents: Buffer[] = [];
  for await (const buffer of readCollection(repository, clusterId, entry, { signal })) {
    throwIfAborted(signal);
    forEachDocument(buffer, (offset, length) => {
      documents.push(Buffer.from(buffer.subarray(offset, offset + length)));
    });
  }
  return documents;
}
