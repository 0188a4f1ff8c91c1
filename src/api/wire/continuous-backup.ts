import { type Timestamp64, timestampParts } from '../../bson/timestamp.ts';
import type { ContinuousBackupStatus, ReplicaSetStatus } from '../../domain/continuous-backup/continuous-backup.ts';
import { isoSeconds } from '../../lib/clock.ts';

/** Our own shape; times of entries as Atlas writes BSON timestamps: a date and the ordinal within its second. */
export function continuousBackupBody(status: ContinuousBackupStatus) {
  return {
    captured: status.captured === null ? null : entryTime(status.captured),
    enabled: status.enabled,
    failureReason: status.failure,
    gaps: status.gaps.map(({ from, cause, at, shardName }) => ({ at, cause, from: entryTime(from), shardName })),
    lagSeconds: status.lagSeconds,
    members: status.replicaSets.map(replicaSetBody),
    restorable: status.ranges.map(({ from, to }) => ({ from: entryTime(from), to: entryTime(to) })),
    sourceHost: status.host,
    storageSizeBytes: status.storedBytes,
    updatedAt: status.updatedAtMs === null ? null : isoSeconds(status.updatedAtMs),
  };
}

function replicaSetBody(replicaSet: ReplicaSetStatus) {
  const { configServer, failure, host, lagSeconds, replicaSetName, shardName, storedBytes } = replicaSet;
  return {
    captured: replicaSet.captured === null ? null : entryTime(replicaSet.captured),
    configServer,
    failureReason: failure,
    lagSeconds,
    replicaSetName,
    shardName,
    sourceHost: host,
    storageSizeBytes: storedBytes,
    updatedAt: isoSeconds(replicaSet.updatedAtMs),
  };
}

function entryTime(ts: Timestamp64): { date: string; increment: number } {
  const { t, i } = timestampParts(ts);
  return { date: isoSeconds(t * 1000), increment: i };
}
