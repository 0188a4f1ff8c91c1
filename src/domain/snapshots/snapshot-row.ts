import type { ClusterType, FrequencyType, SnapshotCopyRow, SnapshotRow, SnapshotType } from '../../catalog/schema.ts';
import { decodeSnapshotReplicaSets, type SnapshotReplicaSet } from '../../catalog/snapshots.ts';
import { assert } from '../../lib/assert.ts';
import type { ManifestHeader, ManifestRetention } from '../../repository/format/manifest.ts';
import type { ManifestFacts } from './snapshot-engine.ts';
import type { Snapshot } from './snapshots.ts';

/** Between rows and what others see of them. Pure. */

/** An on-demand snapshot as it is asked for: nothing of the data is known, and its expiry is provisional. */
export function requestedSnapshot(request: {
  id: string;
  clusterId: string;
  type: ClusterType;
  description: string;
  nowMs: number;
  retentionMs: number;
}): SnapshotRow {
  assert(request.retentionMs > 0, 'a snapshot is kept for some time');
  return {
    id: request.id,
    clusterId: request.clusterId,
    status: 'queued',
    snapshotType: 'onDemand',
    frequencyType: 'ondemand',
    type: request.type,
    description: request.description,
    policyItems: '[]',
    requestedAtMs: request.nowMs,
    startedAtMs: null,
    finishedAtMs: null,
    createdAtMs: null,
    retentionMs: request.retentionMs,
    expiresAtMs: request.nowMs + request.retentionMs,
    retentionChanged: 0,
    retentionUpdatedAtMs: null,
    copiesOnlySinceMs: null,
    doNotDelete: 0,
    clusterTimeT: null,
    clusterTimeI: null,
    parentSnapshotId: null,
    replicaSetName: null,
    members: null,
    mongodVersion: null,
    featureCompatibilityVersion: null,
    collections: null,
    documents: null,
    dataBytes: null,
    writtenPlainBytes: null,
    writtenStoredBytes: null,
    storageSizeBytes: null,
    failureReason: null,
    deletedAtMs: null,
  };
}

/**
 * What a completed snapshot's row says of the data, all of it from the manifest: so a rebuild finds the same.
 * `createdAtMs` is the time of the data.
 */
export function completedColumns({ header, storageSizeBytes }: ManifestFacts) {
  const finishedAtMs = Date.parse(header.finishedAt);
  const expiresAt = header.retention.expiresAt;
  assert(Number.isFinite(finishedAtMs), 'a manifest says when it was finished');
  return {
    status: 'completed' as const,
    finishedAtMs,
    createdAtMs: header.clusterTime.t * 1000,
    ...(expiresAt === null ? {} : { expiresAtMs: Date.parse(expiresAt) }),
    clusterTimeT: header.clusterTime.t,
    clusterTimeI: header.clusterTime.i,
    parentSnapshotId: header.parentSnapshotId,
    type: header.type,
    replicaSetName: header.replicaSetName,
    members: encodeReplicaSets(header),
    mongodVersion: header.mongodVersion,
    featureCompatibilityVersion: header.featureCompatibilityVersion,
    collections: header.collections,
    documents: header.documents,
    dataBytes: header.bytes,
    writtenPlainBytes: header.writtenPlainBytes,
    writtenStoredBytes: header.writtenStoredBytes,
    storageSizeBytes,
    failureReason: null,
  };
}

/** What the API says of the replica sets of a sharded snapshot. */
function encodeReplicaSets({ replicaSets }: ManifestHeader): string | null {
  if (replicaSets === undefined) return null;
  const shown: SnapshotReplicaSet[] = replicaSets.map(({ id, shardName, configServer, replicaSetName }) => ({
    id,
    shardName,
    configServer,
    replicaSetName,
  }));
  return JSON.stringify(shown);
}

/** The retention that goes into the manifest of a snapshot that ends at that time. */
export function manifestRetention(row: SnapshotRow, finishedAtMs: number): ManifestRetention {
  return {
    description: row.description === '' ? null : row.description,
    snapshotType: row.snapshotType,
    frequencyType: row.frequencyType,
    expiresAt: new Date(finishedAtMs + row.retentionMs).toISOString(),
    policyItems: JSON.parse(row.policyItems) as string[],
  };
}

/**
 * For a rebuild: the row of a manifest that the catalog does not know. Without an expiry it is kept for a hundred
 * years.
 */
export function rebuiltSnapshot(facts: ManifestFacts): SnapshotRow {
  const { header } = facts;
  const takenAtMs = Date.parse(header.takenAt);
  const finishedAtMs = Date.parse(header.finishedAt);
  const expiresAtMs =
    header.retention.expiresAt === null ? finishedAtMs + 36_500 * 86_400_000 : Date.parse(header.retention.expiresAt);
  const requested = requestedSnapshot({
    id: header.snapshotId,
    clusterId: header.clusterId,
    type: header.type,
    description: header.retention.description ?? '',
    nowMs: takenAtMs,
    retentionMs: Math.max(1, expiresAtMs - finishedAtMs),
  });
  return {
    ...requested,
    snapshotType: header.retention.snapshotType as SnapshotType,
    frequencyType: header.retention.frequencyType as FrequencyType,
    policyItems: JSON.stringify(header.retention.policyItems),
    startedAtMs: takenAtMs,
    ...completedColumns(facts),
    expiresAtMs,
  };
}

export function snapshotOf(
  row: SnapshotRow,
  known: { projectId: string; clusterName: string; taskId: string | null; copies: readonly SnapshotCopyRow[] },
): Snapshot {
  const { copies, projectId, clusterName, taskId } = known;
  // Copied whole, with the few columns that are nobody else's concern: leaving them out one by one takes longer than
  // all the rest of a list.
  return {
    ...row,
    projectId,
    clusterName,
    taskId,
    replicaSets: decodeSnapshotReplicaSets(row.members),
    // Of one whose original has expired only the copies are left, and their time is what counts.
    expiresAtMs:
      row.deletedAtMs === null ? row.expiresAtMs : Math.max(row.expiresAtMs, ...copies.map((copy) => copy.expiresAtMs)),
    copyRegions: copies.map((copy) => copy.regionName),
    doNotDelete: row.doNotDelete === 1,
    policyItems: row.policyItems === '[]' ? [] : (JSON.parse(row.policyItems) as string[]),
  };
}
