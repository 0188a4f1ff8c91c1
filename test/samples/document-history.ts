import type { Domain } from '../../src/domain/domain.ts';
import type { ResourceSamples } from './resource-samples.ts';
import type { SampleParts } from './sample-parts.ts';

export const documentHistorySamples: ResourceSamples = {
  operations: {
    listDocumentHistory: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_RECOVERY_OPERATOR ORG_OWNER',
      body: { namespace: 'shop.orders', id: 7 },
      comesDownTo: { harmless: 'a question' },
    },
    restoreDocument: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_RECOVERY_OPERATOR ORG_OWNER',
      body: { namespace: 'shop.orders', id: 7, at: { date: '2026-09-21T14:13:20Z', increment: 1 } },
      comesDownTo: ['documentHistory.restore'],
    },
  },
  verdicts: {
    'documentHistory.restore': { harmless: 'a document is written into a cluster; its backups stay' },
  },
};

/** One version and one stretch that nothing is known of. */
export function documentHistoryNoun({ note, clusterNamed }: SampleParts): Domain['documentHistory'] {
  const at = (1_790_000_000n << 32n) | 1n;
  const version = {
    kind: 'version',
    at,
    operation: 'insert',
    namespace: 'shop.orders',
    uuid: '0123456789abcdef0123456789abcdef',
    transaction: { sessionId: 'fedcba9876543210fedcba9876543210', number: 4n },
    content: 'document',
    documentJson: '{"_id":{"$numberInt":"7"}}',
    cause: null,
    shardName: 's0',
  } as const;
  return {
    list: async (request) => {
      clusterNamed(request);
      return {
        items: [{ kind: 'unknown', from: null, to: at, cause: 'nothing was captured before' }, version],
        next: null,
      };
    },
    version: async () => version,
    restore: async ({ signal: _, ...request }) => {
      clusterNamed(request);
      note('documentHistory.restore', { ...request, at: String(request.at) });
      return {
        version,
        targetProjectId: request.targetProjectId ?? request.projectId,
        targetClusterName: request.targetClusterName ?? request.clusterName,
        targetNamespace: request.targetNamespace ?? request.namespace,
        result: 'inserted',
      };
    },
  };
}
