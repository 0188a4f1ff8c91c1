import type { CollectionEntry, LayerRef, Manifest } from '../../src/repository/format/manifest.ts';
import type { Chunker } from '../../src/repository/layers/boundaries.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { clockOfEmptyStore, emptyStore } from './empty-store.ts';
import type { FakeClock } from './fake-clock.ts';
import { SeededRandom } from './seeded-random.ts';

export const testClusterId = 'c1'.repeat(12);

/** Sizes that make a handful of documents several blobs. */
export const tinyChunker: Partial<Chunker> = { minBytes: 64, targetBytes: 200, maxBytes: 400 };

/** A passphrase's key in no time: the real cost is a tenth of a second for each repository made or opened. */
export const cheapScrypt = 1 << 4;

/** The `n`th snapshot's id; ids rise with `n`. */
export function snapshotIdOf(n: number): string {
  return n.toString(16).padStart(24, '0');
}

export async function testRepository(
  options: {
    store?: ObjectStore;
    clock?: FakeClock;
    passphrase?: string;
    chunker?: Partial<Chunker>;
    seed?: number;
  } = {},
): Promise<Repository> {
  const clock = options.clock ?? clockOfEmptyStore();
  const store = options.store ?? (await emptyStore(clock));
  const random = new SeededRandom(options.seed ?? 1);
  return await createRepository(
    { store, clock, random },
    {
      chunker: options.chunker ?? tinyChunker,
      scryptCost: cheapScrypt,
      ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
    },
  );
}

export function collectionOf(name: string, layers: LayerRef[]): CollectionEntry {
  const documents = layers[0]?.documents ?? 0;
  return {
    db: 'shop',
    name,
    type: 'collection',
    uuid: Buffer.from(name.padEnd(16).slice(0, 16)).toString('hex'),
    info: Buffer.from('info'),
    indexes: [],
    documents,
    bytes: documents * 10,
    layers: layers.filter((layer) => layer.documents > 0 || layer.deleted > 0),
  };
}

export function manifestOf(
  repository: Repository,
  snapshotId: string,
  collections: CollectionEntry[],
  parentSnapshotId: string | null = null,
): Manifest {
  const at = new Date(repository.clock.nowMs()).toISOString();
  return {
    header: {
      repositoryId: repository.repositoryId,
      clusterId: testClusterId,
      clusterName: 'Cluster0',
      projectId: 'd1'.repeat(12),
      snapshotId,
      parentSnapshotId,
      type: 'replicaSet',
      replicaSetName: 'rs0',
      replicaSetId: null,
      clusterTime: { t: 1, i: 1, term: 1 },
      takenAt: at,
      finishedAt: at,
      mongodVersion: '6.0.5',
      featureCompatibilityVersion: '6.0',
      collections: collections.length,
      documents: collections.reduce((sum, entry) => sum + entry.documents, 0),
      bytes: collections.reduce((sum, entry) => sum + entry.bytes, 0),
      writtenPlainBytes: 0,
      writtenStoredBytes: 0,
      retention: {
        description: null,
        snapshotType: 'onDemand',
        frequencyType: 'ondemand',
        expiresAt: null,
        policyItems: [],
      },
    },
    collections,
  };
}
