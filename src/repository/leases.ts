import { Damage } from '../lib/errors.ts';
import { ObjectMissing } from '../storage/object-store.ts';
import { decodeLeaseJson, type LeaseJson } from './format/lease-json.ts';
import { LEASES_PREFIX, parseLeaseKey, type SnapshotPlace } from './object-keys.ts';
import type { ReadOptions } from './reader.ts';
import type { Repository } from './repository.ts';

/** How long a lease counts after it was last refreshed, by the store's own time. */
export const LEASE_MS = 15 * 60_000;

export interface FoundLease extends SnapshotPlace, LeaseJson {
  objectKey: string;
  modifiedAtMs: number;
  lives: boolean;
}

/** Every lease that is there. One that cannot be read counts as living, and as one of the whole cluster. */
export async function readLeases(
  repository: Repository,
  storeNowMs: number,
  options: ReadOptions & { leaseMs?: number | undefined } = {},
): Promise<FoundLease[]> {
  const { signal, leaseMs = LEASE_MS } = options;
  const leases: FoundLease[] = [];
  for await (const { objectKey, modifiedAtMs } of repository.store.list(LEASES_PREFIX, { signal })) {
    const place = parseLeaseKey(objectKey);
    if (place === null) continue;
    const json = await readLease(repository, objectKey, { signal });
    if (json === null) continue; // given back since it was listed
    leases.push({
      ...place,
      ...json,
      objectKey,
      modifiedAtMs,
      lives: !json.ended && modifiedAtMs > storeNowMs - leaseMs,
    });
  }
  return leases;
}

async function readLease(repository: Repository, objectKey: string, options: ReadOptions): Promise<LeaseJson | null> {
  try {
    return decodeLeaseJson(await repository.store.get(objectKey, options), objectKey);
  } catch (error) {
    if (error instanceof ObjectMissing) return null;
    if (error instanceof Damage) return { covers: 'cluster', parentSnapshotId: null, ended: false };
    throw error;
  }
}

/** What leases say of the prefixes of snapshots. */
export class LeaseBook {
  readonly #living = new Set<string>();
  readonly #gone = new Map<string, SnapshotPlace>();
  /** Snapshots that holders of living leases may name blobs of. */
  readonly parents: SnapshotPlace[] = [];

  add(leases: readonly FoundLease[]): void {
    for (const { clusterId, snapshotId, covers, parentSnapshotId, lives, objectKey } of leases) {
      if (!lives) {
        this.#gone.set(objectKey, { clusterId, snapshotId });
        continue;
      }
      this.#living.add(covers === 'cluster' ? clusterId : `${clusterId}/${snapshotId}`);
      if (parentSnapshotId !== null) this.parents.push({ clusterId, snapshotId: parentSnapshotId });
    }
  }

  /** Whether somebody may be writing below the snapshot's prefix. */
  isWritten({ clusterId, snapshotId }: SnapshotPlace): boolean {
    return this.#living.has(clusterId) || this.#living.has(`${clusterId}/${snapshotId}`);
  }

  /** Whether it is proven that who wrote there is gone: it had leases, and none of them lives. */
  isGone(place: SnapshotPlace): boolean {
    return !this.isWritten(place) && [...this.#gone.values()].some((gone) => samePlace(gone, place));
  }

  /**
   * Keys of the leases that do not live and are not needed as a proof: those of prefixes where something was left stay.
   */
  lapsed(left: ReadonlySet<string>): string[] {
    return [...this.#gone]
      .filter(([, place]) => !this.isWritten(place) && !left.has(`${place.clusterId}/${place.snapshotId}`))
      .map(([objectKey]) => objectKey);
  }
}

function samePlace(one: SnapshotPlace, other: SnapshotPlace): boolean {
  return one.clusterId === other.clusterId && one.snapshotId === other.snapshotId;
}
