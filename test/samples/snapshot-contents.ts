import type { Domain } from '../../src/domain/domain.ts';
import type { ClusterName, PageRequest } from '../../src/domain/names.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import type { ResourceSamples } from './resource-samples.ts';
import type { SampleParts } from './sample-parts.ts';

export const snapshotContentsSamples: ResourceSamples = {
  operations: {
    listGroupClusterBackupSnapshotDatabases: { who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER' },
    getGroupClusterBackupSnapshotDatabase: { who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER' },
    listGroupClusterBackupSnapshotDatabaseCollections: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
    },
    getGroupClusterBackupSnapshotDatabaseCollection: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
    },
  },
  verdicts: {},
};

const contents: Readonly<Record<string, readonly string[]>> = {
  orders: ['customers', 'items.archived', 'orders'],
  stock: ['levels'],
};

type Names = { items: string[]; totalCount?: number };

function pageOfNames(names: readonly string[], page: PageRequest): Names {
  const from = (page.pageNum - 1) * page.itemsPerPage;
  const items = names.slice(from, from + page.itemsPerPage);
  return page.includeCount ? { items, totalCount: names.length } : { items };
}

export function snapshotContentsNoun({ snapshotOf }: SampleParts): Domain['snapshotContents'] {
  const collectionsOf = (query: ClusterName & { snapshotId: string; databaseName: string }) => {
    snapshotOf(query);
    const found = contents[query.databaseName];
    if (found === undefined) throw refuse('RESOURCE_NOT_FOUND', [query.databaseName]);
    return found;
  };
  return {
    async listDatabases({ page, ...name }) {
      snapshotOf(name);
      return pageOfNames(Object.keys(contents), page);
    },
    requireDatabase: async (query) => void collectionsOf(query),
    listCollections: async ({ page, ...query }) => pageOfNames(collectionsOf(query), page),
    async requireCollection({ collectionName, ...query }) {
      if (!collectionsOf(query).includes(collectionName)) throw refuse('RESOURCE_NOT_FOUND', [collectionName]);
    },
  };
}
