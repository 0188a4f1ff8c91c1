import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { Damage, Fault } from '../../lib/errors.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import type { Manifest } from '../format/manifest.ts';
import { findManifest, listManifests, newSectionCache } from '../manifests.ts';
import { manifestKey, parseBlobKey, type SnapshotPlace } from '../object-keys.ts';
import type { Repository } from '../repository.ts';
import { CheckedCluster } from './checked-cluster.ts';

/** More than a person reads; a lost disk would name millions. Every snapshot that has a problem is named with one. */
const PROBLEMS_PER_SNAPSHOT_MAX = 100;

/** One thing that keeps one snapshot from being restored whole. */
export interface CheckProblem {
  clusterId: string;
  snapshotId: string;
  /** `database.collection`, or null where it concerns the snapshot as a whole. */
  namespace: string | null;
  objectKey: string | null;
  problem: string;
}

export interface CheckReport {
  snapshots: number;
  /** Distinct objects that the snapshots are made of, manifests left out. */
  blobs: number;
  /** Stored bytes of these. */
  bytes: number;
  problems: CheckProblem[];
  /** Found beyond those listed. */
  problemsLeftOut: number;
  /** Snapshots of which every blob was read and is what was written. */
  verified: SnapshotPlace[];
}

export interface CheckOptions {
  /** Also read, decrypt, decompress and hash every blob, and count its documents. */
  readData?: boolean;
  signal?: AbortSignal | undefined;
  report?: ReportProgress | undefined;
}

/**
 * Checks every snapshot of the repository, or of one cluster, or one. Faults of the store are thrown; what is wrong
 * with the content is reported.
 */
export async function checkRepository(
  repository: Repository,
  options: CheckOptions & { clusterId?: string; snapshotId?: string } = {},
): Promise<CheckReport> {
  const { signal, snapshotId } = options;
  const total: CheckReport = nothingYet();
  let places: SnapshotPlace[] = [];
  const checkPlaces = async (): Promise<void> => {
    if (places.length === 0) return;
    const found = places;
    const sections = newSectionCache();
    const read: ReadManifest = async (place) => await findManifest(repository, place, { signal, sections });
    add(total, await checkCluster(repository, found, read, options));
    places = [];
  };
  for await (const place of listManifests(repository, options)) {
    if (snapshotId !== undefined && place.snapshotId !== snapshotId) continue;
    if (places[0]?.clusterId !== place.clusterId) await checkPlaces();
    places.push({ clusterId: place.clusterId, snapshotId: place.snapshotId });
  }
  await checkPlaces();
  if (snapshotId !== undefined && total.snapshots === 0) {
    const message = `there is no snapshot ${snapshotId} in ${repository.store.description}`;
    throw new Fault({ op: 'check', subject: snapshotId, message });
  }
  return total;
}

/** Checks what one snapshot is made of. A restore does so before it touches its target. */
export async function checkSnapshot(
  repository: Repository,
  manifest: Manifest,
  options: CheckOptions = {},
): Promise<CheckProblem[]> {
  const { clusterId, snapshotId } = manifest.header;
  const report = await checkCluster(repository, [{ clusterId, snapshotId }], async () => manifest, options);
  assert(report.problemsLeftOut === 0 || report.problems.length > 0, 'problems are left out only beyond others');
  return report.problems;
}

type ReadManifest = (place: SnapshotPlace) => Promise<Manifest | null>;

/**
 * Looks at every object once, however many snapshots share it; only when something is wrong the manifests are gone
 * through again, to say whose it is. Manifests are read one at a time and not kept.
 */
async function checkCluster(
  repository: Repository,
  places: readonly SnapshotPlace[],
  readManifest: ReadManifest,
  options: CheckOptions,
): Promise<CheckReport> {
  const { clusterId } = places[0] as SnapshotPlace;
  const checked = new CheckedCluster(repository, clusterId, options);
  const report: CheckReport = nothingYet();
  const sound: SnapshotPlace[] = [];
  for (const place of places) {
    throwIfAborted(options.signal);
    try {
      const manifest = await readManifest(place);
      if (manifest === null) continue; // deleted since it was listed
      report.snapshots++;
      await checked.examine(manifest);
      sound.push(place);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      report.snapshots++;
      report.problems.push({ ...place, namespace: null, objectKey: lostObject(error, place), problem: error.message });
    }
  }
  await checked.finish();
  report.blobs = checked.blobs;
  report.bytes = checked.storedBytes;
  if (checked.isSound) return { ...report, verified: options.readData === true ? sound : [] };
  for (const place of sound) {
    const manifest = await readManifest(place);
    if (manifest === null) continue;
    let listed = 0;
    for await (const problem of checked.problemsOf(manifest)) {
      if (++listed > PROBLEMS_PER_SNAPSHOT_MAX) report.problemsLeftOut++;
      else report.problems.push({ ...place, ...problem });
    }
    if (listed === 0 && options.readData === true) report.verified.push(place);
  }
  return report;
}

function nothingYet(): CheckReport {
  return { snapshots: 0, blobs: 0, bytes: 0, problems: [], problemsLeftOut: 0, verified: [] };
}

/** What keeps a manifest from being read: a section of it, or its own object. */
function lostObject({ subject }: Damage, place: SnapshotPlace): string {
  return parseBlobKey(subject) === null ? manifestKey(place) : subject;
}

function add(total: CheckReport, report: CheckReport): void {
  total.snapshots += report.snapshots;
  total.blobs += report.blobs;
  total.bytes += report.bytes;
  total.problemsLeftOut += report.problemsLeftOut;
  total.problems.push(...report.problems);
  total.verified.push(...report.verified);
}
