import { formatTimestamp, type Timestamp64, timestampOf } from '../lib/timestamp.ts';
import type { Manifest } from '../repository/format/manifest.ts';
import { listManifests, readManifest } from '../repository/manifests.ts';
import type { Repository } from '../repository/repository.ts';
import { UsageError } from './usage-error.ts';

/** Finding snapshots in a repository by its manifests alone. Ids rise with time, so the greatest is the newest. */

export interface ManifestName {
  clusterId: string;
  snapshotId: string;
}

export async function everyManifestName(repository: Repository): Promise<ManifestName[]> {
  const names: ManifestName[] = [];
  for await (const { clusterId, snapshotId } of listManifests(repository, {})) names.push({ clusterId, snapshotId });
  return names.sort((a, b) => (a.snapshotId < b.snapshotId ? -1 : 1));
}

/** The manifest of `wanted`, an id or `latest`. */
export async function findManifest(repository: Repository, wanted: string, signal: AbortSignal): Promise<Manifest> {
  const names = await everyManifestName(repository);
  const name = wanted === 'latest' ? names.at(-1) : names.find(({ snapshotId }) => snapshotId === wanted);
  if (name !== undefined) return await readManifest(repository, name, { signal });
  if (names.length === 0) throw new UsageError(`${repository.store.description} holds no snapshot.`);
  throw new UsageError(
    `${repository.store.description} holds no snapshot ${wanted}. \`tidemark snapshot list --repository\` shows those there are.`,
  );
}

/** The newest snapshot at or before the time, of whatever cluster; or `wanted`, where that is an id. */
export async function findManifestBefore(
  repository: Repository,
  wanted: string,
  ts: Timestamp64,
  signal: AbortSignal,
): Promise<Manifest> {
  if (wanted !== 'latest') return await findManifest(repository, wanted, signal);
  for (const name of (await everyManifestName(repository)).toReversed()) {
    const manifest = await readManifest(repository, name, { signal });
    if (timestampOf(manifest.header.clusterTime) <= ts) return manifest;
  }
  throw new UsageError(`${repository.store.description} holds no snapshot from ${formatTimestamp(ts)} or before.`);
}
