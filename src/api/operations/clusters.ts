import type { clusterOperations } from '../../../contract/clusters.ts';
import type { Cluster } from '../../domain/domain.ts';
import type { HandlersOf } from '../call.ts';
import type { LinkBuilder } from '../links.ts';
import { clusterOf, mapped } from '../listing.ts';
import { advancedClusterBody, clusterBody20240805 } from '../wire/cluster.ts';

function bodyIn(version: '2023-02-01' | '2024-08-05', cluster: Cluster, links: LinkBuilder): object {
  return version === '2023-02-01' ? advancedClusterBody(cluster, links) : clusterBody20240805(cluster, links);
}

export const clusterHandlers: HandlersOf<typeof clusterOperations> = {
  async listGroupClusters({ params, page, version, domain, links }) {
    const found = await domain.clusters.list({ projectId: params.groupId, page });
    return mapped(found, (cluster) => bodyIn(version, cluster, links));
  },

  async getGroupCluster({ params, version, domain, links }) {
    return bodyIn(version, await domain.clusters.get(clusterOf(params)), links);
  },
};
