import type { snapshotContentOperations } from '../../../contract/snapshot-contents.ts';
import type { HandlersOf } from '../call.ts';
import type { LinkBuilder } from '../links.ts';
import { clusterOf, mapped } from '../listing.ts';

type Params = { groupId: string; clusterName: string; snapshotId: string };

export const snapshotContentHandlers: HandlersOf<typeof snapshotContentOperations> = {
  async listGroupClusterBackupSnapshotDatabases({ params, page, domain, links }) {
    const found = await domain.snapshotContents.listDatabases({ ...snapshotOf(params), page });
    return mapped({ ...found, items: found.items.map((name) => ({ name })) }, ({ name }) =>
      named(name, databasePath(params, name), links),
    );
  },

  async getGroupClusterBackupSnapshotDatabase({ params, domain, links }) {
    const { databaseName } = params;
    await domain.snapshotContents.requireDatabase({ ...snapshotOf(params), databaseName });
    return named(databaseName, databasePath(params, databaseName), links);
  },

  async listGroupClusterBackupSnapshotDatabaseCollections({ params, page, domain, links }) {
    const { databaseName } = params;
    const found = await domain.snapshotContents.listCollections({ ...snapshotOf(params), databaseName, page });
    return mapped({ ...found, items: found.items.map((name) => ({ name })) }, ({ name }) =>
      named(name, collectionPath(params, databaseName, name), links),
    );
  },

  async getGroupClusterBackupSnapshotDatabaseCollection({ params, domain, links }) {
    const { databaseName, collectionName } = params;
    await domain.snapshotContents.requireCollection({ ...snapshotOf(params), databaseName, collectionName });
    return named(collectionName, collectionPath(params, databaseName, collectionName), links);
  },
};

function snapshotOf(params: Params) {
  return { ...clusterOf(params), snapshotId: params.snapshotId };
}

function named(name: string, path: string, links: LinkBuilder) {
  return { name, links: [links.self(path)] };
}

function databasePath({ groupId, clusterName, snapshotId }: Params, databaseName: string): string {
  const snapshot = `/groups/${groupId}/clusters/${clusterName}/backup/snapshots/${snapshotId}`;
  return `${snapshot}/databases/${encodeURIComponent(databaseName)}`;
}

function collectionPath(params: Params, databaseName: string, collectionName: string): string {
  return `${databasePath(params, databaseName)}/collections/${encodeURIComponent(collectionName)}`;
}
