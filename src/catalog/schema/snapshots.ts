import type { Generated } from 'kysely';
import type { CloudProvider, ClusterType, Flag } from './clusters.ts';

/**
 * Tables of snapshots, of what makes them come and go, and of checkpoints.
 * Rules for all of them: `../schema.ts`.
 */

export type SnapshotStatus = 'queued' | 'inProgress' | 'completed' | 'failed';

export type SnapshotType = 'onDemand' | 'scheduled' | 'fallback';

export type FrequencyType = 'ondemand' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

export interface SnapshotTable {
  id: string;
  clusterId: string;
  status: SnapshotStatus;
  snapshotType: SnapshotType;
  frequencyType: FrequencyType;
  type: ClusterType;
  description: string;
  /** JSON: ids of the policy items it belongs to. */
  policyItems: string;
  requestedAtMs: number;
  startedAtMs: number | null;
  finishedAtMs: number | null;
  /** The time of the data: that of `clusterTime`. Null until completed. */
  createdAtMs: number | null;
  /** What `expiresAtMs` is counted from completion with. */
  retentionMs: number;
  /** Request + retention until completed, completion + retention from then on, or what the owner set. */
  expiresAtMs: number;
  /** The owner changed its retention: policies leave it alone, and catalog copies carry it. */
  retentionChanged: Flag;
  /** When a policy last changed what it was taken with; catalog copies carry that too. */
  retentionUpdatedAtMs: number | null;
  /** Its original has expired, and a copy is still there to be restored. */
  copiesOnlySinceMs: number | null;
  /** Neither expires nor can be deleted until the owner takes it back; catalog copies carry it. */
  doNotDelete: Generated<Flag>;
  clusterTimeT: number | null;
  clusterTimeI: number | null;
  parentSnapshotId: string | null;
  replicaSetName: string | null;
  /** JSON: `SnapshotReplicaSet[]` of catalog/snapshots.ts; null for a replica set, and until it is completed. */
  members: Generated<string | null>;
  mongodVersion: string | null;
  featureCompatibilityVersion: string | null;
  collections: number | null;
  documents: number | null;
  /** Bytes of the documents at the snapshot's time, uncompressed. */
  dataBytes: number | null;
  /** What the snapshot added to the repository, before and after compression. */
  writtenPlainBytes: number | null;
  writtenStoredBytes: number | null;
  /** All objects the snapshot is made of, also those it shares with others: what it would take alone. */
  storageSizeBytes: number | null;
  failureReason: string | null;
  deletedAtMs: number | null;
}

/** One for each cluster that is or was registered. */
export interface ScheduleTable {
  clusterId: string;
  policyId: string;
  /** UTC. */
  referenceHour: number;
  referenceMinute: number;
  restoreWindowDays: number;
  autoExportEnabled: Flag;
  exportBucketId: string | null;
  exportFrequencyType: string | null;
  namesInExportPrefix: Flag;
  copyPolicyItemsEnabled: Flag;
  autoCopySettingsEnabled: Flag;
  /** JSON: `{frequencyType, retentionDays}[]`. */
  extraRetentionSettings: string;
  /** What was due up to then has its snapshot, or was due before the schedule said so. */
  servedUntilMs: number;
  updatedAtMs: number;
}

export type PolicyRetentionUnit = 'days' | 'weeks' | 'months' | 'years';

export interface PolicyItemTable {
  id: string;
  clusterId: string;
  position: number;
  frequencyType: Exclude<FrequencyType, 'ondemand'>;
  frequencyInterval: number;
  retentionUnit: PolicyRetentionUnit;
  retentionValue: number;
}

/** At most one a region. */
export interface CopySettingTable {
  id: string;
  clusterId: string;
  position: number;
  cloudProvider: CloudProvider;
  /** The name of a copy store of the service's configuration. */
  regionName: string;
  zoneId: string;
  shouldCopyOplogs: Flag;
  /** JSON: `HOURLY`, ... `ON_DEMAND`; what is copied where copy policy items are not in use. */
  frequencies: string;
  /** Only so many of the newest are kept; excludes the two beside it. */
  lastNumberOfSnapshots: number | null;
  /** JSON: `{id, frequencyType, retentionUnit?, retentionValue?}[]`; what is copied, and how long copies are kept. */
  copyPolicyItems: string;
}

export type SnapshotCopyState = 'queued' | 'inProgress' | 'completed' | 'failed';

/** A snapshot in a second place. It may outlive the original. */
export interface SnapshotCopyTable {
  id: string;
  snapshotId: string;
  clusterId: string;
  cloudProvider: CloudProvider;
  regionName: string;
  zoneId: string;
  state: SnapshotCopyState;
  requestedAtMs: number;
  finishedAtMs: number | null;
  expiresAtMs: number;
  /** What the copy wrote; null until completed. */
  storedBytes: number | null;
  failureReason: string | null;
  deletedAtMs: number | null;
}

/** At most one a project. Its state is not kept: the transaction that changes it raises what falls below it. */
export interface CompliancePolicyTable {
  projectId: string;
  authorizedEmail: string;
  authorizedUserFirstName: string;
  authorizedUserLastName: string;
  copyProtectionEnabled: Flag;
  encryptionAtRestEnabled: Flag;
  pitEnabled: Flag;
  /** 0 where none is required. */
  restoreWindowDays: number;
  createdAtMs: number;
  updatedAtMs: number;
  /** Public key or client id of who changed it last. */
  updatedUser: string;
}

/** Those of type `ondemand` number at most one a project. */
export interface CompliancePolicyItemTable {
  id: string;
  projectId: string;
  position: number;
  frequencyType: FrequencyType;
  frequencyInterval: number;
  retentionUnit: PolicyRetentionUnit;
  retentionValue: number;
}

export interface CheckpointTable {
  id: string;
  clusterId: string;
  startedAtMs: number;
  completedAtMs: number | null;
  /** The time it restores to, to the second; exactly it is that of the two below. */
  timestampMs: number | null;
  restorable: Flag;
  state: Generated<CheckpointState>;
  /** At or after every token. Set once all are written. */
  clusterTimeT: Generated<number | null>;
  clusterTimeI: Generated<number | null>;
  /** Why it failed, or is not restorable (any more). */
  reason: Generated<string | null>;
}

export type CheckpointState = 'queued' | 'inProgress' | 'discovering' | 'completed' | 'failed';

/** How often a sharded cluster has a checkpoint made. */
export interface CheckpointScheduleTable {
  clusterId: string;
  intervalMinutes: number;
  /** What was due up to then has been made, or was missed. */
  servedUntilMs: number;
}

export type CheckpointPartType = 'REPLICA_SET' | 'CONFIG_SERVER' | 'CONFIG_SERVER_REPLICA_SET';

/** One per shard, and one for the config servers. */
export interface CheckpointPartTable {
  checkpointId: string;
  position: number;
  replicaSetName: string | null;
  shardName: string | null;
  typeName: CheckpointPartType;
  tokenDiscovered: Flag;
  tokenSeconds: number | null;
  tokenIncrement: number | null;
}

/** The legacy snapshot schedule as it was set last: how a change of the schedule was said, to be shown so. */
export interface LegacyScheduleTable {
  clusterId: string;
  snapshotIntervalHours: number;
  snapshotRetentionDays: number;
  dailySnapshotRetentionDays: number;
  weeklySnapshotRetentionWeeks: number;
  monthlySnapshotRetentionMonths: number;
  pointInTimeWindowHours: number;
  updatedAtMs: number;
}
