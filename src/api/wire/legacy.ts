import type {
  LegacyRestoreJob,
  LegacySchedule as LegacyScheduleBody,
  LegacySnapshot,
} from '../../../contract/legacy-backup.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type { LegacySchedule } from '../../domain/legacy/legacy.ts';
import type { RestoreJob } from '../../domain/restores/restore-jobs.ts';
import type { Snapshot } from '../../domain/snapshots/snapshots.ts';
import { isoSeconds } from '../../lib/clock.ts';
import type { LinkBuilder } from '../links.ts';
import { timeIfKnown } from './times.ts';

/** Snapshots, restore jobs and the schedule in the vocabulary of legacy backup. `encrypted`: the repository is. */

/**
 * `created` is the time of the data, and until that is known the time of the request; a snapshot that is kept for good
 * does not expire.
 */
export function legacySnapshotBody(
  snapshot: Snapshot,
  encrypted: boolean,
  links: LinkBuilder,
): ShapeOf<typeof LegacySnapshot> {
  const { clusterId, clusterName, projectId, clusterTimeT, clusterTimeI } = snapshot;
  const cluster = `/groups/${projectId}/clusters/${clusterName}`;
  const applied = clusterTimeT === null ? null : clusterTimeT * 1000;
  return {
    clusterId,
    clusterName,
    complete: snapshot.status === 'completed',
    created: { date: isoSeconds(applied ?? snapshot.requestedAtMs), increment: clusterTimeI },
    doNotDelete: snapshot.doNotDelete,
    ...timeIfKnown('expires', snapshot.doNotDelete ? null : snapshot.expiresAtMs),
    groupId: projectId,
    id: snapshot.id,
    incremental: snapshot.parentSnapshotId !== null,
    lastOplogAppliedTimestamp: { date: applied === null ? null : isoSeconds(applied), increment: clusterTimeI },
    links: [links.self(`${cluster}/snapshots/${snapshot.id}`), links.to('cluster', cluster)],
    parts: partsOf(snapshot, encrypted),
  };
}

type Part = ShapeOf<typeof LegacySnapshot>['parts'][number];

/**
 * One part of a replica set; of a sharded cluster one for each shard and the config servers, once they are known. From
 * which member a part was read is not kept, our compression has no name here, and sizes are known of the whole alone:
 * these stay out.
 */
function partsOf(snapshot: Snapshot, encrypted: boolean): Part[] {
  const { dataBytes, storageSizeBytes, replicaSetName, replicaSets } = snapshot;
  const common = partOf(snapshot, encrypted);
  if (snapshot.type === 'sharded') {
    return replicaSets.map((replicaSet) => ({
      ...common,
      replicaSetName: replicaSet.replicaSetName,
      typeName: replicaSet.configServer ? 'CONFIG_SERVER_REPLICA_SET' : 'REPLICA_SET',
    }));
  }
  return [
    {
      ...common,
      ...(dataBytes === null ? {} : { dataSizeBytes: dataBytes }),
      ...(storageSizeBytes === null ? {} : { fileSizeBytes: storageSizeBytes, storageSizeBytes }),
      ...(replicaSetName === null ? {} : { replicaSetName }),
    },
  ];
}

function partOf(snapshot: Snapshot, encrypted: boolean): Part {
  const { mongodVersion, featureCompatibilityVersion: fcv } = snapshot;
  const complete = snapshot.status === 'completed';
  return {
    clusterId: snapshot.clusterId,
    ...timeIfKnown('completedTime', complete ? snapshot.finishedAtMs : null),
    encryptionEnabled: encrypted,
    ...(fcv === null ? {} : { fcv }),
    ...(mongodVersion === null ? {} : { mongodVersion }),
    typeName: 'REPLICA_SET',
  };
}

const jobStatus = {
  queued: 'IN_PROGRESS',
  inProgress: 'IN_PROGRESS',
  completed: 'FINISHED',
  failed: 'BROKEN',
  cancelled: 'KILLED',
  expired: 'FINISHED',
} as const;

const deliveryStatus = {
  queued: 'NOT_STARTED',
  inProgress: 'IN_PROGRESS',
  completed: 'READY',
  failed: 'FAILED',
  cancelled: 'INTERRUPTED',
  expired: 'EXPIRED',
} as const;

function deliveryStatusOf(job: RestoreJob): ShapeOf<typeof LegacyRestoreJob>['delivery']['statusName'] {
  const used = job.deliveryType === 'download' && job.state === 'completed' && job.finishedAtMs !== null;
  return used ? 'MAX_DOWNLOADS_EXCEEDED' : deliveryStatus[job.state];
}

/**
 * The link, while it lives. The old address has no place for several: of a sharded snapshot it is that of the first.
 */
function downloadOf(job: RestoreJob, links: LinkBuilder): Partial<ShapeOf<typeof LegacyRestoreJob>['delivery']> {
  if (job.deliveryType !== 'download') return {};
  const path = job.downloads.find((file) => file.path !== null)?.path ?? null;
  const url = path === null ? {} : { url: links.url(path), urlV2: links.url(path) };
  return { expirationHours: 1, maxDownloads: 1, ...timeIfKnown('expires', job.expiresAtMs), ...url };
}

/** A restore job; it belongs to no batch, as every job of a replica set. */
export function legacyRestoreJobBody(
  job: RestoreJob,
  encrypted: boolean,
  links: LinkBuilder,
): ShapeOf<typeof LegacyRestoreJob> {
  const cluster = `/groups/${job.projectId}/clusters/${job.clusterName}`;
  const { snapshotId, snapshotCreatedAtMs, targetClusterId, targetClusterName, targetProjectId } = job;
  return {
    clusterId: job.clusterId,
    clusterName: job.clusterName,
    created: isoSeconds(job.createdAtMs),
    delivery: {
      methodName: job.deliveryType === 'download' ? 'HTTP' : 'AUTOMATED_RESTORE',
      statusName: deliveryStatusOf(job),
      ...downloadOf(job, links),
      ...(targetClusterId === null ? {} : { targetClusterId }),
      ...(targetClusterName === null ? {} : { targetClusterName }),
      ...(targetProjectId === null ? {} : { targetGroupId: targetProjectId }),
    },
    encryptionEnabled: encrypted,
    groupId: job.projectId,
    hashes: job.downloads.map(({ fileName, sha1 }) => ({ fileName, hash: sha1, typeName: 'SHA1' })),
    id: job.id,
    links: [
      links.self(`${cluster}/restoreJobs/${job.id}`),
      ...(snapshotId === null ? [] : [links.to('snapshot', `${cluster}/snapshots/${snapshotId}`)]),
      links.to('cluster', cluster),
    ],
    ...(snapshotId === null ? {} : { snapshotId }),
    statusName: jobStatus[job.state],
    timestamp: {
      date: snapshotCreatedAtMs === null ? null : isoSeconds(snapshotCreatedAtMs),
      increment: null,
    },
  };
}

export function legacyScheduleBody(schedule: LegacySchedule, links: LinkBuilder): ShapeOf<typeof LegacyScheduleBody> {
  const { projectId, clusterName, clusterCheckpointIntervalMin: interval, ...settings } = schedule;
  const cluster = `/groups/${projectId}/clusters/${clusterName}`;
  return {
    ...settings,
    ...(isInterval(interval) ? { clusterCheckpointIntervalMin: interval } : {}),
    groupId: projectId,
    links: [links.self(`${cluster}/snapshotSchedule`), links.to('cluster', cluster)],
  };
}

function isInterval(minutes: number | null): minutes is 15 | 30 | 60 {
  return minutes === 15 || minutes === 30 || minutes === 60;
}
