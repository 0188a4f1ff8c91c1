import {
  type RestoredSnapshot,
  type RestoreSnapshotOptions,
  restoreSnapshot,
} from '../../src/engine/restore/restore-snapshot.ts';
import { type TakenSnapshot, type TakeSnapshotOptions, takeSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { Manifest } from '../../src/repository/format/manifest.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { emptyStore } from './empty-store.ts';

const ids = createIdSource(systemClock, systemRandom);

/** A repository and the snapshots of one cluster in it, without a service around them. */
export class SnapshotFixture {
  readonly repository: Repository;
  readonly clusterId = ids.next();
  readonly #uri: string;
  last: TakenSnapshot | null = null;

  private constructor(repository: Repository, uri: string) {
    this.repository = repository;
    this.#uri = uri;
  }

  static async create(
    uri: string,
    options: { store?: ObjectStore; passphrase?: string; blobBytes?: number } = {},
  ): Promise<SnapshotFixture> {
    const store = options.store ?? (await emptyStore(systemClock));
    const { blobBytes } = options;
    const repository = await createRepository(
      { store, clock: systemClock, random: systemRandom },
      {
        ...(options.passphrase === undefined ? {} : { passphrase: options.passphrase }),
        ...(blobBytes === undefined
          ? {}
          : { chunker: { minBytes: blobBytes / 4, targetBytes: blobBytes, maxBytes: blobBytes * 2 } }),
      },
    );
    return new SnapshotFixture(repository, uri);
  }

  /** Takes a snapshot, with the last one as its parent. */
  async take(options: Partial<TakeSnapshotOptions> = {}): Promise<TakenSnapshot> {
    const parent = this.last === null ? null : { clusterId: this.clusterId, snapshotId: this.last.header.snapshotId };
    this.last = await takeSnapshot({
      uri: this.#uri,
      repository: this.repository,
      clusterId: this.clusterId,
      clusterName: 'source',
      projectId: ids.next(),
      snapshotId: ids.next(),
      parent,
      retention: {
        description: null,
        snapshotType: 'onDemand',
        frequencyType: 'ondemand',
        expiresAt: null,
        policyItems: [],
      },
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      signal: new AbortController().signal,
      report: () => undefined,
      ...options,
    });
    return this.last;
  }

  async restore(
    uri: string,
    taken: TakenSnapshot | null = this.last,
    options: Partial<RestoreSnapshotOptions> = {},
  ): Promise<RestoredSnapshot> {
    const snapshotId = options.snapshotId ?? taken?.header.snapshotId ?? '';
    return await restoreSnapshot(
      {
        repository: this.repository,
        clusterId: this.clusterId,
        snapshotId,
        uri,
        verifyContent: true,
        clock: systemClock,
        log: silentLogger,
        signal: new AbortController().signal,
        report: () => undefined,
        ...options,
      },
      await this.manifest(snapshotId, options.repository),
    );
  }

  async manifest(snapshotId: string, repository: Repository = this.repository): Promise<Manifest> {
    return await readManifest(repository, { clusterId: this.clusterId, snapshotId });
  }
}
