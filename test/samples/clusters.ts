import type { Domain } from '../../src/domain/domain.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import { sampleProcessSettings } from '../support/sample-process-settings.ts';
import { stops } from './bound-project.ts';
import { type ResourceSamples, readers } from './resource-samples.ts';
import { connectedNow, pageOf, sampleClusterName } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const clustersSamples: ResourceSamples = {
  operations: {
    listGroupClusters: { who: readers },
    getGroupCluster: { who: readers },
    createGroupCluster: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_CLUSTER_MANAGER ORG_OWNER',
      body: { name: 'fresh' },
      refuses: '400 FEATURE_UNSUPPORTED',
      comesDownTo: ['clusters.register'],
    },
    updateGroupCluster: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_CLUSTER_MANAGER ORG_OWNER',
      body: { paused: true },
      comesDownTo: ['clusters.update'],
    },
    deleteGroupCluster: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_CLUSTER_MANAGER ORG_OWNER',
      comesDownTo: ['clusters.terminate'],
    },
    getGroupClusterStatus: { who: readers },
    getGroupClusterProcessArgs: { who: readers },
    updateGroupClusterProcessArgs: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_CLUSTER_MANAGER ORG_OWNER',
      body: { noTableScan: false },
      comesDownTo: { harmless: 'settings of mongod, not of backups' },
    },
    listGroupContainers: { who: readers },
  },
  verdicts: {
    'clusters.register': { harmless: 'it only adds; a test below sees that what it adds is under the policy' },
    'clusters.reconnect': { harmless: 'it stays the same cluster with the same policies' },
    'clusters.update': {
      bound: [
        [stops, ({ domain, name }) => domain.clusters.update({ ...name, change: { backupEnabled: false } })],
        [
          stops,
          ({ domain, name }) =>
            domain.clusters.update({ ...name, change: { backupEnabled: false, retainBackups: true } }),
        ],
        [stops, ({ domain, name }) => domain.clusters.update({ ...name, change: { paused: true } })],
        [
          'CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY',
          ({ domain, name }) => domain.clusters.update({ ...name, change: { pitEnabled: false } }),
        ],
      ],
    },
    'clusters.remove': {
      bound: [
        [stops, ({ domain, name }) => domain.clusters.remove(name)],
        [stops, ({ domain, name }) => domain.clusters.remove({ ...name, deleteSnapshots: true })],
      ],
    },
    'clusters.terminate': {
      bound: [
        [stops, ({ domain, name }) => domain.clusters.terminate({ ...name, retainBackups: true })],
        [stops, ({ domain, name }) => domain.clusters.terminate({ ...name, retainBackups: false })],
      ],
    },
  },
};

export function clustersNoun({ note, clusters, clusterNamed }: SampleParts): Domain['clusters'] {
  return {
    list: async ({ projectId, page }) =>
      pageOf(
        clusters.filter((cluster) => cluster.projectId === projectId),
        page,
      ),
    get: async (query) => clusterNamed(query),
    async register({ signal: _, ...request }) {
      if (request.name === sampleClusterName) throw refuse('DUPLICATE_CLUSTER_NAME', [request.name, request.projectId]);
      note('clusters.register', request);
      return connectedNow({
        projectId: request.projectId,
        name: request.name,
        mongodVersion: null,
        replicaSetName: null,
        featureCompatibilityVersion: null,
        dataBytes: null,
        members: [],
      });
    },
    async reconnect({ signal: _, ...request }) {
      const found = clusterNamed(request);
      note('clusters.reconnect', request);
      return { ...found, overriddenOptions: ['maxPoolSize'], missingPrivileges: ['useUUID on the cluster'] };
    },
    async remove(request) {
      clusterNamed(request);
      note('clusters.remove', request);
    },
    async update(request) {
      const found = clusterNamed(request);
      note('clusters.update', request);
      return found;
    },
    async terminate(request) {
      clusterNamed(request);
      note('clusters.terminate', request);
    },
    async processSettings(request) {
      clusterNamed(request);
      return sampleProcessSettings;
    },
  };
}
