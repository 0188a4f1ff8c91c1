import { Type } from '@sinclair/typebox';
import { defineOperations, reading } from './operation.ts';

/**
 * Backup operations of kinds of clusters that do not exist here: serverless instances and the shared tier. Clients call
 * them to find out what a cluster is, so each of them refuses with the code on which clients go on.
 */
const group = '/api/atlas/v2/groups/{groupId}' as const;
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
const own = { scope: 'project', anyOf: ['GROUP_OWNER'] } as const;
const nothing = Type.Never();
/** Refused whatever it says. */
const anyBody = Type.Object({});

/** Flex clusters took the place of serverless instances with that release. */
const serverlessVersion = { date: '2023-01-01', deprecated: '2024-11-13', sunset: '2026-01-22', response: nothing };
const serverless = {
  ...reading,
  documents400: true,
  errorCodes: ['CANNOT_USE_CLUSTER_IN_SERVERLESS_INSTANCE_API', 'SERVERLESS_INSTANCE_NOT_FOUND'],
} as const;
const instance = `${group}/serverless/{clusterName}/backup` as const;

const sharedTier = {
  ...reading,
  versions: [{ date: '2023-01-01', response: nothing }],
  documents400: true,
  errorCodes: ['FEATURE_UNSUPPORTED'],
} as const;
const tenant = `${group}/clusters/{clusterName}/backup/tenant` as const;

export const otherClusterKindOperations = defineOperations({
  listGroupServerlessBackupRestoreJobs: {
    ...serverless,
    aliases: ['listServerlessRestoreJobs', 'listServerlessBackupRestoreJobs'],
    path: `${instance}/restoreJobs`,
    access: own,
    versions: [serverlessVersion],
  },
  createGroupServerlessBackupRestoreJob: {
    ...serverless,
    aliases: ['createServerlessRestoreJob', 'createServerlessBackupRestoreJob'],
    method: 'POST',
    path: `${instance}/restoreJobs`,
    access: own,
    versions: [{ ...serverlessVersion, request: anyBody }],
  },
  getGroupServerlessBackupRestoreJob: {
    ...serverless,
    aliases: ['getServerlessRestoreJob', 'getServerlessBackupRestoreJob'],
    path: `${instance}/restoreJobs/{restoreJobId}`,
    access: own,
    versions: [serverlessVersion],
  },
  listGroupServerlessBackupSnapshots: {
    ...serverless,
    aliases: ['listServerlessBackupSnapshots', 'listServerlessBackups'],
    path: `${instance}/snapshots`,
    access: read,
    versions: [serverlessVersion],
  },
  getGroupServerlessBackupSnapshot: {
    ...serverless,
    aliases: ['getServerlessBackupSnapshot', 'getServerlessBackup'],
    path: `${instance}/snapshots/{snapshotId}`,
    access: read,
    versions: [serverlessVersion],
    pretty: false,
  },
  listSharedClusterBackups: { ...sharedTier, aliases: [], path: `${tenant}/snapshots`, access: read },
  getSharedClusterBackup: { ...sharedTier, aliases: [], path: `${tenant}/snapshots/{snapshotId}`, access: read },
  downloadSharedClusterBackup: {
    ...sharedTier,
    aliases: [],
    method: 'POST',
    path: `${tenant}/download`,
    access: own,
    versions: [{ date: '2023-01-01', request: anyBody, response: nothing }],
  },
  listSharedClusterBackupRestoreJobs: { ...sharedTier, aliases: [], path: `${tenant}/restores`, access: read },
  getSharedClusterBackupRestoreJob: {
    ...sharedTier,
    aliases: [],
    path: `${tenant}/restores/{restoreId}`,
    access: read,
  },
  createSharedClusterBackupRestoreJob: {
    ...sharedTier,
    aliases: [],
    method: 'POST',
    path: `${tenant}/restore`,
    access: own,
    versions: [{ date: '2023-01-01', request: anyBody, response: nothing }],
  },
});
