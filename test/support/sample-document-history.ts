import type { Domain } from '../../src/domain/domain.ts';
import type { ClusterName } from '../../src/domain/names.ts';

/** One version and one stretch that nothing is known of. */
export function sampleDocumentHistory(
  note: (name: string, argument: unknown) => void,
  clusterNamed: (name: ClusterName) => unknown,
): Domain['documentHistory'] {
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
