import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { closed, Links, Paginated } from './primitives.ts';

/** A database or a collection inside a snapshot: what a collection restore can ask for. */
export const NamedContent = Type.Object({ name: Type.String(), links: Links }, closed);

const databases =
  '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/snapshots/{snapshotId}/databases' as const;
const manage = { scope: 'project', anyOf: ['GROUP_BACKUP_MANAGER'] } as const;
const unreadable = ['SNAPSHOT_NOT_FOUND', 'CANNOT_LIST_INCOMPLETE_SNAPSHOT'] as const;
const notFound = [...unreadable, 'RESOURCE_NOT_FOUND'] as const;
const one = {
  ...reading,
  access: manage,
  versions: [{ date: '2025-03-12', response: NamedContent }],
  errorCodes: notFound,
} as const;
const many = {
  ...listing,
  access: manage,
  versions: [{ date: '2025-03-12', response: Paginated(NamedContent) }],
  documents400: true,
  errorCodes: notFound,
} as const;

export const snapshotContentOperations = defineOperations({
  listGroupClusterBackupSnapshotDatabases: {
    ...many,
    aliases: ['listBackupSnapshotDatabases'],
    path: databases,
    errorCodes: unreadable,
  },
  getGroupClusterBackupSnapshotDatabase: {
    ...one,
    aliases: ['getBackupSnapshotDatabase'],
    path: `${databases}/{databaseName}`,
  },
  listGroupClusterBackupSnapshotDatabaseCollections: {
    ...many,
    aliases: ['listSnapshotDatabaseCollections'],
    path: `${databases}/{databaseName}/collections`,
  },
  getGroupClusterBackupSnapshotDatabaseCollection: {
    ...one,
    aliases: ['getSnapshotDatabaseCollection'],
    path: `${databases}/{databaseName}/collections/{collectionName}`,
  },
});
