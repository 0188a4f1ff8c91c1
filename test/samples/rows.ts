import { zoneIdOf } from '../../src/api/wire/cluster-parts.ts';
import type { Checkpoint } from '../../src/domain/checkpoints/checkpoints.ts';
import type { Cluster, ConnectedNow } from '../../src/domain/clusters/clusters.ts';
import type { CompliancePolicy } from '../../src/domain/compliance-policies/compliance-policies.ts';
import type { ExportBucket } from '../../src/domain/exports/export-buckets.ts';
import type { ExportJob } from '../../src/domain/exports/export-jobs.ts';
import type { Page, PageRequest } from '../../src/domain/names.ts';
import type { Organization } from '../../src/domain/organizations/organizations.ts';
import type { Schedule } from '../../src/domain/policies/schedule.ts';
import type { Project } from '../../src/domain/projects/projects.ts';
import type { RestoreJob } from '../../src/domain/restores/restore-jobs.ts';
import type { Snapshot } from '../../src/domain/snapshots/snapshots.ts';
import type { Task } from '../../src/domain/tasks/tasks.ts';

/** The fixed rows of the sample domain. Ids say what they are of in their last digits. */
export const sampleNowMs = Date.parse('2026-11-22T10:00:00Z');

export const sampleIds = {
  organization: '00000000000000000000a001',
  foreignOrganization: '00000000000000000000a002',
  project: '00000000000000000000b001',
  foreignProject: '00000000000000000000b002',
  siblingProject: '00000000000000000000b003',
  cluster: '00000000000000000000c001',
  snapshot: '00000000000000000000d001',
  unknown: 'ffffffffffffffffffffffff',
} as const;

export const sampleClusterName = 'orders-1';

export const hourMs = 3_600_000;

export function sampleId(kind: string, number: number): string {
  return kind.padStart(20, '0') + number.toString(16).padStart(4, '0');
}

export function organizationRow(id: string, name: string): Organization {
  return { id, name, createdAtMs: sampleNowMs - 100 * hourMs };
}

export function projectRow(id: string, organizationId: string, name: string, clusterCount: number): Project {
  return { id, organizationId, name, createdAtMs: sampleNowMs - 99 * hourMs, settings: {}, clusterCount };
}

export function connectedNow(change: Partial<Cluster> = {}): ConnectedNow {
  return { ...clusterRow(change), overriddenOptions: [], missingPrivileges: [] };
}

export function clusterRow(change: Partial<Cluster> = {}): Cluster {
  return {
    id: sampleIds.cluster,
    projectId: sampleIds.project,
    name: sampleClusterName,
    type: 'replicaSet',
    displayUri: 'mongodb://db1.example:27017,db2.example:27017/?replicaSet=rs0',
    replicaSetName: 'rs0',
    mongodVersion: '8.0.4',
    featureCompatibilityVersion: '8.0',
    members: [
      { host: 'db1.example:27017', state: 'PRIMARY', hidden: false, priority: 1 },
      { host: 'db2.example:27017', state: 'SECONDARY', hidden: false, priority: 1 },
      { host: 'db3.example:27017', state: 'SECONDARY', hidden: true, priority: 0 },
      { host: 'db4.example:27017', state: 'ARBITER', hidden: false, priority: 0 },
    ],
    dataBytes: 5 * 1024 ** 3,
    probedAtMs: sampleNowMs,
    createdAtMs: sampleNowMs - 98 * hourMs,
    probeFailure: null,
    restoreInProgress: false,
    backupEnabled: true,
    pitEnabled: false,
    paused: false,
    retainBackups: false,
    terminationProtectionEnabled: false,
    ...change,
  };
}

export function snapshotRow(change: Partial<Snapshot> = {}): Snapshot {
  return {
    id: sampleIds.snapshot,
    clusterId: sampleIds.cluster,
    projectId: sampleIds.project,
    clusterName: sampleClusterName,
    status: 'completed',
    snapshotType: 'onDemand',
    frequencyType: 'ondemand',
    type: 'replicaSet',
    description: 'before the migration',
    replicaSets: [],
    policyItems: [],
    requestedAtMs: sampleNowMs - 2 * hourMs,
    startedAtMs: sampleNowMs - 2 * hourMs + 1000,
    finishedAtMs: sampleNowMs - hourMs,
    createdAtMs: sampleNowMs - hourMs - 5000,
    retentionMs: 24 * hourMs,
    expiresAtMs: sampleNowMs + 23 * hourMs,
    clusterTimeT: Math.floor(sampleNowMs / 1000) - 3605,
    clusterTimeI: 7,
    parentSnapshotId: null,
    replicaSetName: 'rs0',
    mongodVersion: '8.0.4',
    featureCompatibilityVersion: '8.0',
    collections: 12,
    documents: 1_000_000,
    dataBytes: 9_000_000_000,
    writtenPlainBytes: 9_000_000_000,
    writtenStoredBytes: 3_000_000_000,
    storageSizeBytes: 4_000_000_000,
    failureReason: null,
    doNotDelete: false,
    copyRegions: [],
    taskId: sampleId('7', 1),
    ...change,
  };
}

const undescribed = {
  startedAtMs: null,
  finishedAtMs: null,
  createdAtMs: null,
  clusterTimeT: null,
  clusterTimeI: null,
  replicaSetName: null,
  mongodVersion: null,
  featureCompatibilityVersion: null,
  collections: null,
  documents: null,
  dataBytes: null,
  writtenPlainBytes: null,
  writtenStoredBytes: null,
  storageSizeBytes: null,
} as const;

export const sampleSnapshots: readonly Snapshot[] = [
  snapshotRow(),
  snapshotRow({ ...undescribed, id: sampleId('d', 2), status: 'queued', description: '' }),
  snapshotRow({ ...undescribed, id: sampleId('d', 3), status: 'inProgress', mongodVersion: '8.0.4' }),
  snapshotRow({ ...undescribed, id: sampleId('d', 4), status: 'failed', failureReason: 'no primary', taskId: null }),
];

export function restoreJobRow(change: Partial<RestoreJob> = {}): RestoreJob {
  return {
    id: sampleId('e', 1),
    clusterId: sampleIds.cluster,
    projectId: sampleIds.project,
    clusterName: sampleClusterName,
    snapshotId: sampleIds.snapshot,
    snapshotCreatedAtMs: sampleNowMs - hourMs - 5000,
    deliveryType: 'automated',
    state: 'completed',
    targetProjectId: sampleIds.project,
    targetClusterId: sampleIds.cluster,
    targetClusterName: sampleClusterName,
    pointInTimeUtcSeconds: null,
    oplogTs: null,
    oplogInc: null,
    createdAtMs: sampleNowMs - 1000_000,
    startedAtMs: sampleNowMs - 999_000,
    finishedAtMs: sampleNowMs - 500_000,
    expiresAtMs: null,
    restoredDocuments: 1_000_000,
    restoredBytes: 9_000_000_000,
    leftOut: null,
    failureReason: null,
    targetClearedAtMs: sampleNowMs - 998_000,
    taskId: sampleId('7', 2),
    downloads: [],
    ...change,
  };
}

export const sampleRestoreJobs: readonly RestoreJob[] = [
  restoreJobRow(),
  restoreJobRow({ id: sampleId('e', 2), state: 'queued', startedAtMs: null, finishedAtMs: null }),
  restoreJobRow({ id: sampleId('e', 3), state: 'failed', failureReason: 'the target went away' }),
  restoreJobRow({
    id: sampleId('e', 4),
    state: 'inProgress',
    finishedAtMs: null,
    deliveryType: 'pointInTime',
    pointInTimeUtcSeconds: 1_760_000_000,
  }),
  restoreJobRow({
    id: sampleId('e', 5),
    state: 'inProgress',
    finishedAtMs: null,
    deliveryType: 'pointInTime',
    snapshotId: null,
    snapshotCreatedAtMs: null,
    oplogTs: 1_760_000_000,
    oplogInc: 3,
  }),
  restoreJobRow({
    id: sampleId('e', 6),
    state: 'expired',
    deliveryType: 'download',
    targetClusterId: null,
    targetClusterName: null,
    targetProjectId: null,
    expiresAtMs: sampleNowMs,
  }),
  restoreJobRow({ id: sampleId('e', 7), state: 'cancelled' }),
];

export const sampleBuckets: readonly ExportBucket[] = [
  { cloudProvider: 'AWS' as const, region: 'eu-west-1', serviceUrl: null, tenantId: null },
  { cloudProvider: 'AWS' as const, region: null, serviceUrl: null, tenantId: null },
  {
    cloudProvider: 'AZURE' as const,
    region: null,
    serviceUrl: 'https://backups.blob.core.windows.net/here',
    tenantId: 'd1b8a7c6-0000-4000-8000-000000000000',
  },
  { cloudProvider: 'GCP' as const, region: null, serviceUrl: null, tenantId: null },
].map((bucket, index) => ({
  ...bucket,
  id: sampleId('f', index + 1),
  projectId: sampleIds.project,
  bucketName: `exports-${index + 1}`,
  roleId: sampleId('ab', index + 1),
  requirePrivateNetworking: index === 1,
  createdAtMs: sampleNowMs,
}));

const exportJobBase: ExportJob = {
  id: sampleId('9', 1),
  projectId: sampleIds.project,
  clusterId: sampleIds.cluster,
  clusterName: sampleClusterName,
  snapshotId: sampleIds.snapshot,
  exportBucketId: sampleId('f', 1),
  state: 'Successful',
  prefix: `exported_snapshots/${sampleIds.organization}/${sampleIds.project}/${sampleClusterName}/2026-11-22T0859/1763800000`,
  customData: [],
  exportedCollections: 12,
  totalCollections: 12,
  components: [],
  createdAtMs: sampleNowMs,
  finishedAtMs: sampleNowMs,
  taskId: sampleId('7', 3),
  stateReason: null,
};

export const sampleExportJobRows: readonly ExportJob[] = [
  exportJobBase,
  {
    ...exportJobBase,
    id: sampleId('9', 2),
    state: 'Queued',
    exportedCollections: 0,
    totalCollections: 0,
    finishedAtMs: null,
  },
  {
    ...exportJobBase,
    id: sampleId('9', 3),
    state: 'Failed',
    customData: [{ key: 'why', value: 'audit' }],
    components: [{ exportId: sampleId('9', 4), replicaSetName: 'shard0' }],
    stateReason: { errorCode: 'UNEXPECTED_ERROR', message: 'the bucket is gone' },
  },
];

export const sampleCheckpoints: readonly Checkpoint[] = [
  {
    id: sampleId('8', 1),
    projectId: sampleIds.project,
    clusterId: sampleIds.cluster,
    startedAtMs: sampleNowMs - 20_000,
    completedAtMs: sampleNowMs - 10_000,
    timestampMs: sampleNowMs - 15_000,
    restorable: true,
    reason: null,
    parts: [
      {
        replicaSetName: 'shard0',
        shardName: 'shard0',
        typeName: 'REPLICA_SET',
        tokenDiscovered: true,
        tokenTimestamp: { seconds: 1_760_000_000, increment: 2 },
      },
      {
        replicaSetName: null,
        shardName: null,
        typeName: 'CONFIG_SERVER',
        tokenDiscovered: false,
        tokenTimestamp: null,
      },
    ],
  },
  {
    id: sampleId('8', 2),
    projectId: sampleIds.project,
    clusterId: sampleIds.cluster,
    startedAtMs: sampleNowMs,
    completedAtMs: null,
    timestampMs: null,
    restorable: false,
    reason: null,
    parts: [],
  },
];

function taskRow(change: Partial<Task>): Task {
  return {
    id: sampleId('7', 1),
    kind: 'takeSnapshot',
    state: 'running',
    subjectId: sampleIds.snapshot,
    attempts: 1,
    attemptsMax: 5,
    progress: { phase: 'scan', subject: 'shop.orders', documentsDone: 10, bytesDone: 1000, bytesTotal: 5000 },
    failureReason: null,
    cancelRequested: false,
    createdAtMs: sampleNowMs - 5000,
    startedAtMs: sampleNowMs - 4000,
    finishedAtMs: null,
    ...change,
  };
}

export const sampleTasks: readonly Task[] = [
  taskRow({}),
  taskRow({
    id: sampleId('7', 2),
    kind: 'restoreSnapshot',
    state: 'succeeded',
    subjectId: sampleId('e', 1),
    progress: null,
    finishedAtMs: sampleNowMs,
  }),
  taskRow({
    ...{ id: sampleId('7', 4), kind: 'restoreCollections', state: 'succeeded', subjectId: sampleId('e', 1) },
    ...{ progress: null, finishedAtMs: sampleNowMs },
  }),
  taskRow({
    ...{ id: sampleId('7', 3), kind: 'exportSnapshot', state: 'succeeded', subjectId: sampleId('9', 1) },
    ...{ progress: null, finishedAtMs: sampleNowMs },
  }),
];

export function pageOf<T>(rows: readonly T[], page: PageRequest): Page<T> {
  const from = (page.pageNum - 1) * page.itemsPerPage;
  const items = rows.slice(from, from + page.itemsPerPage);
  return page.includeCount ? { items, totalCount: rows.length } : { items };
}

const policyItem = (
  id: number,
  frequencyType: 'hourly' | 'weekly',
  frequencyInterval: number,
  retentionValue: number,
) => ({
  id: sampleId('6', id),
  frequencyType,
  frequencyInterval,
  retentionUnit: 'days' as const,
  retentionValue,
});

export const sampleSchedule: Schedule = {
  projectId: sampleIds.project,
  clusterId: sampleIds.cluster,
  clusterName: sampleClusterName,
  policyId: sampleId('6', 1),
  items: [policyItem(2, 'hourly', 6, 7), policyItem(3, 'weekly', 6, 28)],
  referenceHour: 3,
  referenceMinute: 16,
  restoreWindowDays: 7,
  nextSnapshotMs: sampleNowMs + hourMs,
  autoExportEnabled: true,
  export: { exportBucketId: sampleId('f', 1), frequencyType: 'weekly' },
  namesInExportPrefix: false,
  copyPolicyItemsEnabled: false,
  autoCopySettingsEnabled: false,
  copySettings: [
    {
      id: sampleId('6', 4),
      cloudProvider: 'AWS',
      regionName: 'EU_WEST_1',
      zoneId: zoneIdOf(sampleIds.cluster),
      shouldCopyOplogs: false,
      frequencies: ['WEEKLY'],
      lastNumberOfSnapshots: null,
      copyPolicyItems: [],
    },
  ],
  extraRetention: [{ frequencyType: 'WEEKLY', retentionDays: 3 }],
};

export const sampleCompliancePolicy: CompliancePolicy = {
  projectId: sampleIds.project,
  authorizedEmail: 'auditor@example.com',
  authorizedUserFirstName: 'Ada',
  authorizedUserLastName: 'Auditor',
  scheduledItems: [policyItem(5, 'hourly', 12, 3)],
  onDemandItem: { id: sampleId('6', 6), frequencyInterval: 0, retentionUnit: 'days', retentionValue: 2 },
  pitEnabled: false,
  restoreWindowDays: 0,
  encryptionAtRestEnabled: false,
  copyProtectionEnabled: false,
  state: 'ACTIVE',
  deletable: false,
  updatedAtMs: sampleNowMs,
  updatedUser: 'abcdefgh',
};
