import type { clusterOperations } from '../../../contract/clusters.ts';
import type { ProcessSettings } from '../../domain/cluster-facts/cluster-probe.ts';
import type { Cluster } from '../../domain/clusters/clusters.ts';
import { refuse } from '../../domain/refusals/refusals.ts';
import type { HandlersOf } from '../call.ts';
import { changedFact } from '../cluster-facts.ts';
import { HttpRefusal } from '../http-refusals.ts';
import type { LinkBuilder } from '../links.ts';
import { clusterOf, mapped } from '../listing.ts';
import {
  advancedClusterBody,
  clusterBody20240805,
  clusterStatusBody,
  processArgsBody,
  processArgsBody20240805,
} from '../wire/cluster.ts';

type ClusterVersion = '2023-02-01' | '2024-08-05' | '2024-10-23';

function bodyIn(version: ClusterVersion, cluster: Cluster, links: LinkBuilder): object {
  return version === '2023-02-01' ? advancedClusterBody(cluster, links) : clusterBody20240805(cluster, links);
}

function processArgsIn(version: '2023-01-01' | '2024-08-05', settings: ProcessSettings): object {
  return version === '2023-01-01' ? processArgsBody(settings) : processArgsBody20240805(settings);
}

/** Atlas gives a cluster its connection strings; here somebody may well think to change one so. */
function refuseConnectionString(params: { groupId: string; clusterName: string }, body: object): void {
  const field = ['connectionString', 'mongoURI', 'mongoURIWithOptions', 'srvAddress', 'uri'].find(
    (name) => name in body,
  );
  if (field === undefined) return;
  const way = `PATCH /api/tidemark/v1/groups/${params.groupId}/clusters/${params.clusterName} with connectionString`;
  throw refuse('FEATURE_UNSUPPORTED', [`${field} is not changed here; use ${way}, or \`tidemark cluster update\``]);
}

export const clusterHandlers: HandlersOf<typeof clusterOperations> = {
  async listGroupClusters({ params, page, version, domain, links }) {
    const found = await domain.clusters.list({ projectId: params.groupId, page });
    return mapped(found, (cluster) => bodyIn(version, cluster, links));
  },

  async getGroupCluster({ params, version, domain, links }) {
    return bodyIn(version, await domain.clusters.get(clusterOf(params)), links);
  },

  async createGroupCluster({ params }) {
    const way = `POST /api/tidemark/v1/groups/${params.groupId}/clusters with its name and connectionString`;
    throw refuse('FEATURE_UNSUPPORTED', [`servers are not started here; register a cluster that runs, by ${way}`]);
  },

  async updateGroupCluster({ params, body, version, domain, links, rolesInProjectNamed }) {
    refuseConnectionString(params, body);
    const cluster = await domain.clusters.get(clusterOf(params));
    const fact = changedFact(bodyIn(version, cluster, links), body);
    if (fact !== null)
      throw refuse('FEATURE_UNSUPPORTED', [`${fact} is what the servers are, not what a request says`]);
    const { backupEnabled, paused, pitEnabled, retainBackups, terminationProtectionEnabled } = body;
    const protects = terminationProtectionEnabled ?? cluster.terminationProtectionEnabled;
    if (protects !== cluster.terminationProtectionEnabled) {
      if (!(await rolesInProjectNamed(params.groupId)).has('GROUP_OWNER')) throw new HttpRefusal('USER_UNAUTHORIZED');
    }
    const change = {
      ...(backupEnabled === undefined ? {} : { backupEnabled }),
      ...(paused === undefined ? {} : { paused }),
      ...(pitEnabled === undefined ? {} : { pitEnabled }),
      ...(retainBackups === undefined ? {} : { retainBackups }),
      ...(terminationProtectionEnabled === undefined ? {} : { terminationProtectionEnabled }),
    };
    if (Object.keys(change).length === 0) return bodyIn(version, cluster, links);
    return bodyIn(version, await domain.clusters.update({ ...clusterOf(params), change }), links);
  },

  async deleteGroupCluster({ params, query, domain }) {
    const { retainBackups } = query;
    await domain.clusters.terminate({
      ...clusterOf(params),
      ...(retainBackups === undefined ? {} : { retainBackups }),
    });
    return {};
  },

  async getGroupClusterStatus({ params, domain }) {
    return clusterStatusBody(await domain.clusters.get(clusterOf(params)));
  },

  async getGroupClusterProcessArgs({ params, version, domain, signal }) {
    return processArgsIn(version, await domain.clusters.processSettings({ ...clusterOf(params), signal }));
  },

  /** What the servers already have may be asked for; anything else would take a change to them. */
  async updateGroupClusterProcessArgs({ params, body, version, domain, signal }) {
    const settings = await domain.clusters.processSettings({ ...clusterOf(params), signal });
    for (const [name, value] of Object.entries(body)) {
      if (name !== 'links' && settings[name as keyof ProcessSettings] !== value)
        throw refuse('FEATURE_UNSUPPORTED', [`${name} is a setting of the servers; change it there`]);
    }
    return processArgsIn(version, settings);
  },

  async listGroupContainers() {
    return { items: [], totalCount: 0 };
  },
};
