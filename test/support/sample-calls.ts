import type { Operation } from '../../contract/operation.ts';
import type { OperationId } from '../../contract/operations.ts';
import { must } from '../../src/lib/assert.ts';
import { callerBodies, callerParameters } from './sample-callers.ts';
import { sampleClusterName, sampleIds, sampleRestoreJobs } from './sample-domain.ts';
import { sampleBodies, sampleParameters, sampleRefusals } from './sample-requests.ts';

/** How the tests that go through every operation ask. */

/** A value for every path parameter: what it names is there. */
export const samples: Readonly<Record<string, string>> = {
  groupId: sampleIds.project,
  groupName: 'Shop',
  orgId: sampleIds.organization,
  clusterName: sampleClusterName,
  name: sampleClusterName,
  snapshotId: sampleIds.snapshot,
  restoreJobId: sampleRestoreJobs[0]?.id ?? '',
  ...sampleParameters,
  ...callerParameters,
};

/** Bodies that are accepted, for the operations that take one. */
export const acceptedBodies: Partial<Record<OperationId, object>> = {
  ...callerBodies,
  takeGroupClusterBackupSnapshots: { description: 'd', retentionInDays: 3 },
  updateGroupClusterBackupSnapshot: { retentionUnit: 'WEEKS', retentionValue: 2 },
  updateGroupClusterBackupSchedule: { referenceHourOfDay: 3, referenceMinuteOfHour: 4 },
  updateGroupBackupCompliancePolicy: {
    authorizedEmail: 'auditor@example.com',
    authorizedUserFirstName: 'Ada',
    authorizedUserLastName: 'Auditor',
  },
  createGroupClusterBackupRestoreJob: {
    deliveryType: 'automated',
    snapshotId: sampleIds.snapshot,
    targetClusterName: sampleClusterName,
    targetGroupId: sampleIds.project,
  },
  registerCluster: { name: 'fresh', connectionString: 'mongodb://db/' },
  reconnectCluster: { connectionString: 'mongodb://db2/' },
  ...sampleBodies,
  createGroup: { name: 'Fresh', orgId: sampleIds.organization },
  updateGroup: { name: 'Renamed', tags: [{ key: 'team', value: 'shop' }] },
  updateGroupSettings: { isDataExplorerEnabled: true },
  updateOrgSettings: { restrictEmployeeAccess: true },
  createGroupCluster: { name: 'fresh' },
  updateGroupCluster: { paused: true },
  updateGroupClusterProcessArgs: { noTableScan: false },
};

/** Operations that exist to refuse: the sample domain has nothing that they could answer with. */
export const refusing: Partial<Record<OperationId, string>> = {
  getGroupFlexCluster: '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API',
  listGroupFlexClusterBackupSnapshots: '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API',
  getGroupFlexClusterBackupSnapshot: '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API',
  listGroupFlexClusterBackupRestoreJobs: '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API',
  getGroupFlexClusterBackupRestoreJob: '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API',
  cancelGroupClusterBackupRestoreJob: '400 CANNOT_CANCEL_AUTOMATED_RESTORE',
  ...sampleRefusals,
  createGroupCluster: '400 FEATURE_UNSUPPORTED',
};

/** Names of the path's parameters, in order. */
export function parametersOf(operation: Operation): string[] {
  return [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
}

/** The operation's path with the samples in it, or other values where they are given. */
export function urlOf(operation: Operation, change: Record<string, string> = {}): string {
  return operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(change[name] ?? must(samples[name], `no sample for ${name}`)),
  );
}
