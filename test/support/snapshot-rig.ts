import { Timestamp } from 'mongodb';
import { restoreSnapshot } from '../../src/engine/restore/restore-snapshot.ts';
import { type TakenSnapshot, type TakeSnapshotOptions, takeSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createIdSource, type IdSource } from '../../src/lib/ids.ts';
import type { Logger } from '../../src/lib/logger.ts';
import type { Progress } from '../../src/lib/progress.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { Chunker } from '../../src/repository/layers/boundaries.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { emptyStore } from './empty-store.ts';

const LOG_LINES_MAX = 200;

/**
 * The engine with a repository of its own and nothing of the service around it: takes snapshots of one cluster in a row
 * and restores them.
 */
export class SnapshotRig {
  readonly repository: Repository;
  readonly #ids: IdSource = createIdSource(systemClock, systemRandom);
  readonly clusterId = this.#ids.next();
  readonly #projectId = this.#ids.next();
  #parent: { clusterId: string; snapshotId: string } | null = null;
  readonly #lines: string[] = [];

  private constructor(repository: Repository) {
    this.repository = repository;
  }

  /** `chunker`: small blobs make small collections go through everything that big ones go through. */
  static async create(options: { passphrase?: string; chunker?: Partial<Chunker> } = {}): Promise<SnapshotRig> {
    const store = await emptyStore(systemClock);
    return new SnapshotRig(await createRepository({ store, clock: systemClock, random: systemRandom }, options));
  }

  /** Takes the next snapshot of the row: incremental unless it is the first, or `full` asks for a first one. */
  async take(
    uri: string,
    options: Partial<Pick<TakeSnapshotOptions, 'limits' | 'signal'>> & {
      full?: boolean;
      onProgress?: (progress: Progress) => void;
    } = {},
  ): Promise<TakenSnapshot> {
    const snapshotId = this.#ids.next();
    const taken = await takeSnapshot({
      uri,
      repository: this.repository,
      clusterId: this.clusterId,
      clusterName: 'source',
      projectId: this.#projectId,
      snapshotId,
      parent: options.full ? null : this.#parent,
      retention: {
        description: null,
        snapshotType: 'onDemand',
        frequencyType: 'ondemand',
        expiresAt: null,
        policyItems: [],
      },
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      clock: systemClock,
      random: systemRandom,
      log: this.#logger(),
      signal: options.signal ?? new AbortController().signal,
      report: (progress) => options.onProgress?.(progress),
    });
    this.#parent = { clusterId: this.clusterId, snapshotId };
    return taken;
  }

  async restore(taken: TakenSnapshot, uri: string, options: { verifiedWithinMs?: number } = {}): Promise<void> {
    await restoreSnapshot(
      {
        repository: this.repository,
        clusterId: this.clusterId,
        snapshotId: taken.header.snapshotId,
        uri,
        verifyContent: true,
        ...options,
        clock: systemClock,
        log: this.#logger(),
        signal: new AbortController().signal,
        report: () => undefined,
      },
      await readManifest(this.repository, taken.header),
    );
  }

  /** What the engine logged last, for messages about failures. */
  get log(): string {
    return this.#lines.join('\n');
  }

  #logger(): Logger {
    const write = (...parts: unknown[]): void => {
      this.#lines.push(
        parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part, showBigInt))).join(' '),
      );
      if (this.#lines.length > LOG_LINES_MAX) this.#lines.shift();
    };
    const logger = { info: write, warn: write, error: write, debug: write, child: () => logger };
    return logger as unknown as Logger;
  }
}

function showBigInt(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

export function clusterTimeOf(taken: TakenSnapshot): Timestamp {
  const { t, i } = taken.header.clusterTime;
  return new Timestamp({ t, i });
}
