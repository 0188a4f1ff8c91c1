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
  return await routingOf((name) => {
    const entry = config.collections.find((one) => one.db === 'config' && one.name === name);
    return entry === undefined ? nothing() : documentsOf(repository, config.header.clusterId, entry, signal);
  });
}

async function* nothing(): AsyncGenerator<Buffer> {}

/** The same of whatever the config servers held in `config`, by the name of a collection there. */
export async function routingOf(ledger: (name: string) => AsyncIterable<Buffer>): Promise<ShardRouting> {
  const [databases, collections] = [await copiesOf(ledger('databases')), await copiesOf(ledger('collections'))];
  const routing = new ShardRouting({ databases, collections, chunks: [] });
  let chunks = 0;
  for await (const chunk of ledger('chunks')) {
    routing.addChunk(chunk);
    chunks++;
  }
  if (collections.length > 0 && chunks === 0)
    throw new Damage({
      op: 'read routing',
      subject: 'config.chunks',
      message: 'the config servers of the snapshot hold no chunks of its sharded collections',
    });
  return routing;
}

/** So that a few documents do not keep a blob each in memory. */
async function copiesOf(documents: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const copies: Buffer[] = [];
  for await (const document of documents) copies.push(Buffer.from(document));
  return copies;
}

/** Views of blobs as they are read. */
async function* documentsOf(
  repository: Repository,
  clusterId: string,
  entry: CollectionEntry,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const buffer of readCollection(repository, clusterId, entry, { signal })) {
    throwIfAborted(signal);
    const found: Buffer[] = [];
    forEachDocument(buffer, (offset, length) => {
      found.push(buffer.subarray(offset, offset + length));
    });
    yield* found;
  }
}
