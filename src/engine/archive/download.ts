import { createHash } from 'node:crypto';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import type { CollectionEntry, Manifest } from '../../repository/format/manifest.ts';
import { replicaSetsOf } from '../../repository/format/manifest-replica-sets.ts';
import { readManifest } from '../../repository/manifests.ts';
import type { Repository } from '../../repository/repository.ts';
import type { JsonLoss, LeftOut } from '../left-out.ts';
import { withSeriesOfBuckets } from '../replay/replay-state.ts';
import { oplogAfter } from '../replay/slice-oplog.ts';
import type { PointOfCluster } from '../restore/sharded-point-in-time.ts';
import { readRouting } from '../sharding/read-routing.ts';
import type { Ownership } from '../sharding/shard-routing.ts';
import { type ArchivePoint, planArchivePoint, planArchivePoints } from './archive-point.ts';
import { GZIP_LEVEL, gzipMembers } from './gzip-members.ts';
import { requireText } from './require-archivable.ts';
import { ARCHIVE_WRITER, planOf, writeArchive } from './write-archive.ts';

export interface DownloadRequest {
  repository: Repository;
  clusterId: string;
  snapshotId: string;
  /** A later point than the snapshot's own, to which the captured oplogs of its replica sets lead. */
  pointInTime?: PointOfCluster | undefined;
  signal: AbortSignal;
}

/** One file of a download: the compressed archive of one replica set. */
export interface PreparedFile {
  replicaSetName: string;
  /** One of several, of a sharded snapshot. */
  isShard: boolean;
  bytes: number;
  /** Hex. */
  sha1: string;
  sha256: string;
  /** What its bytes depend on beside the snapshot. */
  writer: string;
  /** What of the snapshot it does not hold because Extended JSON has no text for it. */
  leftOut: LeftOut[];
}

/** Bytes of a file are the same only under the same of these. */
export function fileWriter(): string {
  return `${ARCHIVE_WRITER}, zlib ${process.versions.zlib} level ${GZIP_LEVEL}`;
}

/**
 * Reads and compresses all of a snapshot, or of a later point, once and keeps nothing but lengths and sums. So a link
 * is given out only for what can be read from its first byte to its last, and its length is known, without which nobody
 * can go on with a file that broke off.
 */
export async function prepareDownload(
  request: DownloadRequest & { report: ReportProgress; jsonLoss?: JsonLoss },
): Promise<PreparedFile[]> {
  const { repository, clusterId, snapshotId, signal, report } = request;
  const manifest = await readManifest(repository, { clusterId, snapshotId }, { signal });
  const replicaSets = await downloadedReplicaSets(repository, manifest, signal);
  assert(replicaSets.length > 0, 'a snapshot is of a replica set at least');
  const points = await pointsOf(request, manifest);
  const planned = replicaSets.map((one) => {
    const point = points?.get(one.replicaSetName);
    const plan = planOf({ manifest: one.manifest, point });
    // Of every file before the first is read.
    const leftOut = requireText({ manifest: one.manifest, point, plan }, request.jsonLoss);
    return { ...one, point, plan, leftOut };
  });
  const prepared: PreparedFile[] = [];
  let bytesBefore = 0;
  for (const { replicaSetName, isShard, manifest: own, ownership, point, plan, leftOut } of planned) {
    const [sha1, sha256] = [createHash('sha1'), createHash('sha256')];
    let bytes = 0;
    let plainBytes = 0;
    const archive = writeArchive({
      repository,
      manifest: own,
      ownership,
      point,
      plan,
      signal,
      progress: ({ namespace, bytes: done, collectionsDone, collectionsTotal }) => {
        plainBytes = done;
        report({
          phase: 'preparing the download',
          documentsDone: 0,
          bytesDone: bytesBefore + done,
          bytesTotal: manifest.header.bytes,
          collectionsDone,
          collectionsTotal,
          subject: namespace,
        });
      },
    });
    for await (const piece of gzipMembers(archive)) {
      throwIfAborted(signal);
      bytes += piece.length;
      sha1.update(piece);
      sha256.update(piece);
    }
    bytesBefore += plainBytes;
    const sums = { sha1: sha1.digest('hex'), sha256: sha256.digest('hex') };
    assert(bytes > 0, 'an archive has a beginning, whatever it holds');
    prepared.push({ replicaSetName, isShard, bytes, ...sums, writer: fileWriter(), leftOut });
  }
  return prepared;
}

/** The file again, from its first byte: whoever wants a later one leaves out what comes before it. */
export async function* readDownload(
  request: DownloadRequest & { replicaSetName: string; writer: string },
): AsyncGenerator<Buffer, void, undefined> {
  const { repository, clusterId, snapshotId, replicaSetName, signal } = request;
  if (request.writer !== fileWriter()) {
    throw new Fault({
      op: 'download',
      subject: snapshotId,
      message: `the download was prepared by ${request.writer}; this is ${fileWriter()}, whose bytes may differ`,
      hint: 'Ask for another download of the snapshot',
    });
  }
  const manifest = await readManifest(repository, { clusterId, snapshotId }, { signal });
  const replicaSets = await downloadedReplicaSets(repository, manifest, signal);
  const found = replicaSets.find((candidate) => candidate.replicaSetName === replicaSetName);
  if (found === undefined) {
    throw new Fault({
      op: 'download',
      subject: snapshotId,
      message: `snapshot ${snapshotId} has no replica set ${replicaSetName}`,
    });
  }
  const point = (await pointsOf(request, manifest))?.get(replicaSetName);
  yield* gzipMembers(writeArchive({ repository, ...found, point, signal }));
}

/** By the names of the replica sets that have a file; null where the snapshot itself is meant. */
export async function pointsOf(
  { repository, clusterId, pointInTime, signal }: Omit<DownloadRequest, 'snapshotId'>,
  manifest: Manifest,
): Promise<Map<string, ArchivePoint> | null> {
  if (pointInTime === undefined) return null;
  const { header } = manifest;
  if (header.type === 'sharded')
    return await planArchivePoints({ repository, clusterId, signal }, manifest, pointInTime);
  const { end, slices, elsewhere } = pointInTime;
  const source = await oplogAfter(slices, header, end.ts, signal, elsewhere);
  return new Map([[header.replicaSetName, await planArchivePoint(repository, manifest, { end, source, signal })]]);
}

/** What becomes one file. */
export interface DownloadedReplicaSet {
  replicaSetName: string;
  isShard: boolean;
  manifest: Manifest;
  ownership?: (entry: CollectionEntry) => Ownership;
}

/** One file each. Without the config servers, of which nothing can be restored by itself. */
export async function downloadedReplicaSets(
  repository: Repository,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<DownloadedReplicaSet[]> {
  const routing = await readRouting(repository, manifest, signal);
  const withData = replicaSetsOf(manifest).filter(({ replicaSet }) => replicaSet?.configServer !== true);
  assert(routing !== null || withData.length === 1, 'several shards have routing');
  return withData.map(({ replicaSet, manifest: own }) => {
    const { replicaSetName } = own.header;
    if (routing === null || replicaSet === null) return { replicaSetName, isShard: false, manifest: own };
    const ofShard = { ...own, collections: withSeriesOfBuckets(own.collections) };
    const ownership = (entry: CollectionEntry) => routing.ownership(entry, replicaSet.shardName);
    return { replicaSetName, isShard: true, manifest: ofShard, ownership };
  });
}
