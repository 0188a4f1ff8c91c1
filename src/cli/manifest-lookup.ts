import { formatTimestamp, type Timestamp64, timestampOf } from '../bson/timestamp.ts';
import type { ReplayEnd } from '../engine/replay/replay-interval.ts';
import type { Manifest, ManifestHeader } from '../repository/format/manifest.ts';
import { listManifests, readManifest, readManifestHeader } from '../repository/manifests.ts';
import type { Repository } from '../repository/repository.ts';
import { formatBytes, formatNumberOf, formatTime } from './sizes.ts';
import { NothingFound, UsageError } from './usage-error.ts';

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

/** Which snapshot is meant: its id, or `latest`; and of which cluster, by its name or id. */
export interface Wanted {
  snapshot: string;
  from?: string | undefined;
}

/**
 * The manifest that is wanted. `latest` is the newest by the cluster's own time, of one cluster: where several have
 * snapshots it has to be named.
 */
export async function findManifest(repository: Repository, wanted: Wanted, signal: AbortSignal): Promise<Manifest> {
  if (wanted.snapshot === 'latest') return await newestManifest(repository, wanted, () => true, signal);
  const name = (await everyManifestName(repository)).find(({ snapshotId }) => snapshotId === wanted.snapshot);
  if (name === undefined) {
    throw new NothingFound(
      `${repository.store.description} holds no snapshot ${wanted.snapshot}. \`tidemark snapshot list --repository\` shows those there are.`,
    );
  }
  const manifest = await readManifest(repository, name, { signal });
  const { clusterName, clusterId } = manifest.header;
  if (wanted.from === undefined || wanted.from === clusterName || wanted.from === clusterId) return manifest;
  throw new UsageError(`Snapshot ${wanted.snapshot} is of ${clusterName}, not of ${wanted.from}.`);
}

/** What a command reads: a snapshot as it is, or the one to begin with for a later point of the captured oplog. */
export async function findManifestAsked(
  repository: Repository,
  { snapshot, from }: Partial<Wanted>,
  at: ReplayEnd | undefined,
  signal: AbortSignal,
): Promise<Manifest> {
  if (at !== undefined)
    return await findManifestBefore(repository, { snapshot: snapshot ?? 'latest', from }, at.ts, signal);
  if (snapshot === undefined)
    throw new UsageError(
      'Say what is wanted: --snapshot <id> or --snapshot latest, or a time with --at or --just-before.',
    );
  return await findManifest(repository, { snapshot, from }, signal);
}

/** The newest snapshot of its cluster at or before the time; or the one that is wanted by its id. */
export async function findManifestBefore(
  repository: Repository,
  wanted: Wanted,
  ts: Timestamp64,
  signal: AbortSignal,
): Promise<Manifest> {
  if (wanted.snapshot !== 'latest') return await findManifest(repository, wanted, signal);
  const isBefore = (header: ManifestHeader) => timestampOf(header.clusterTime) <= ts;
  return await newestManifest(repository, wanted, isBefore, signal, ` from ${formatTimestamp(ts)} or before`);
}

async function newestManifest(
  repository: Repository,
  { from }: Wanted,
  isWanted: (header: ManifestHeader) => boolean,
  signal: AbortSignal,
  which = '',
): Promise<Manifest> {
  const names = await everyManifestName(repository);
  const clusterId = await chooseCluster(repository, names, from, signal);
  let newest: ManifestHeader | undefined;
  // Ids follow the clocks of who took the snapshots; only the cluster's own time orders them.
  for (const name of names.filter((one) => one.clusterId === clusterId)) {
    const header = await readManifestHeader(repository, name, { signal });
    if (!isWanted(header)) continue;
    const ts = timestampOf(header.clusterTime);
    if (newest === undefined || ts >= timestampOf(newest.clusterTime)) newest = header;
  }
  if (newest !== undefined) return await readManifest(repository, newest, { signal });
  throw new NothingFound(`${repository.store.description} holds no snapshot${which}.`);
}

/** The id of the cluster that is meant. */
async function chooseCluster(
  repository: Repository,
  names: readonly ManifestName[],
  from: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const newestOf = new Map(names.map((name) => [name.clusterId, name]));
  if (newestOf.size === 0) throw new NothingFound(`${repository.store.description} holds no snapshot.`);
  const known: { clusterId: string; clusterName: string }[] = [];
  for (const name of newestOf.values()) known.push(await readManifestHeader(repository, name, { signal }));
  const shown = known.map(({ clusterId, clusterName }) => `${clusterName} (${clusterId})`).join(', ');
  const meant = known.filter(
    ({ clusterId, clusterName }) => from === undefined || from === clusterName || from === clusterId,
  );
  const [only, another] = meant;
  if (only === undefined) throw new NothingFound(`There is no snapshot of ${from}. There are snapshots of: ${shown}.`);
  if (another !== undefined) {
    throw new UsageError(
      from === undefined
        ? `Several clusters have snapshots, so say whose latest is meant with --from <cluster>: ${shown}.`
        : `Several clusters were called ${from}, so give the id of one with --from: ${shown}.`,
    );
  }
  return only.clusterId;
}

/**
 * `snapshot 6… of Shop as of 2026-11-22 10:20:30Z (1,234 documents, 5.0 MB)`: what a person has to know before data is
 * replaced by it.
 */
export function describeSource({ snapshotId, clusterName, clusterTime, documents, bytes }: ManifestHeader): string {
  const amount = `${formatNumberOf(documents, 'document')}, ${formatBytes(bytes)}`;
  return `snapshot ${snapshotId} of ${clusterName} as of ${formatTime(clusterTime.t * 1000)} (${amount})`;
}
