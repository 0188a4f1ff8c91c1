import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { Paginated } from './primitives.ts';

/**
 * There are no flex clusters here, but the Atlas CLI asks for one before every snapshot and restore command and goes on
 * only when the refusal carries one of three codes. So the reading operations exist: the list is empty and everything
 * below a name refuses.
 */
const flexClusters = '/api/atlas/v2/groups/{groupId}/flexClusters';
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
/** Refused whatever it says. */
const anyBody = Type.Object({});
const refused = {
  ...reading,
  access: read,
  versions: [{ date: '2024-11-13', response: Type.Never() }],
  documents400: true,
  errorCodes: ['CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API'],
} as const;

export const flexClusterOperations = defineOperations({
  listGroupFlexClusters: {
    ...listing,
    aliases: ['listFlexClusters'],
    path: flexClusters,
    access: read,
    versions: [{ date: '2024-11-13', response: Paginated(Type.Never()) }],
  },
  getGroupFlexCluster: { ...refused, aliases: ['getFlexCluster'], path: `${flexClusters}/{name}` },
  listGroupFlexClusterBackupSnapshots: {
    ...refused,
    aliases: ['listFlexBackupSnapshots'],
    path: `${flexClusters}/{name}/backup/snapshots`,
  },
  getGroupFlexClusterBackupSnapshot: {
    ...refused,
    aliases: ['getFlexBackupSnapshot'],
    path: `${flexClusters}/{name}/backup/snapshots/{snapshotId}`,
  },
  listGroupFlexClusterBackupRestoreJobs: {
    ...refused,
    aliases: ['listFlexRestoreJobs'],
    path: `${flexClusters}/{name}/backup/restoreJobs`,
  },
  downloadGroupFlexClusterBackup: {
    ...refused,
    aliases: ['downloadFlexBackup'],
    method: 'POST',
    path: `${flexClusters}/{name}/backup/download`,
    access: { scope: 'project', anyOf: ['GROUP_BACKUP_EXPORT_OPERATOR'] },
    versions: [{ date: '2024-11-13', request: anyBody, response: Type.Never() }],
  },
  createGroupFlexClusterBackupRestoreJob: {
    ...refused,
    aliases: ['createFlexRestoreJob'],
    method: 'POST',
    path: `${flexClusters}/{name}/backup/restoreJobs`,
    access: { scope: 'project', anyOf: ['GROUP_BACKUP_RECOVERY_OPERATOR'] },
    versions: [{ date: '2024-11-13', request: anyBody, response: Type.Never() }],
  },
  getGroupFlexClusterBackupRestoreJob: {
    ...refused,
    aliases: ['getFlexRestoreJob'],
    path: `${flexClusters}/{name}/backup/restoreJobs/{restoreJobId}`,
  },
});
