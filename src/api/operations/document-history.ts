import type { documentHistoryOperations } from '../../../contract/document-history.ts';
import { timestampOf } from '../../bson/timestamp.ts';
import type { HandlersOf } from '../call.ts';
import { clusterOf } from '../listing.ts';
import { mayRestoreIntoTarget } from '../restore-target.ts';
import { historyItemBody, versionBody } from '../wire/document-history.ts';

const LIMIT_DEFAULT = 100;

export const documentHistoryHandlers: HandlersOf<typeof documentHistoryOperations> = {
  async listDocumentHistory({ params, body, domain, signal }) {
    const { namespace, id, cursor, from, to, limit = LIMIT_DEFAULT } = body;
    const { items, next } = await domain.documentHistory.list({
      ...clusterOf(params),
      namespace,
      id,
      limit,
      signal,
      ...(cursor === undefined ? {} : { cursor }),
      ...(from === undefined ? {} : { fromMs: Date.parse(from) }),
      ...(to === undefined ? {} : { toMs: Date.parse(to) }),
    });
    return { next, results: items.map(historyItemBody) };
  },

  async restoreDocument({ params, body, domain, signal, rolesInProjectNamed }) {
    const { namespace, id, at, collectionUuid, overwrite = false } = body;
    const { targetGroupId, targetClusterName, targetNamespace } = body;
    await mayRestoreIntoTarget({ ...params, targetGroupId, targetClusterName, rolesInProjectNamed });
    const restored = await domain.documentHistory.restore({
      ...clusterOf(params),
      namespace,
      id,
      at: timestampOf({ t: Math.floor(Date.parse(at.date) / 1000), i: at.increment }),
      overwrite,
      signal,
      ...(collectionUuid === undefined ? {} : { collectionUuid }),
      ...(targetGroupId === undefined ? {} : { targetProjectId: targetGroupId }),
      ...(targetClusterName === undefined ? {} : { targetClusterName }),
      ...(targetNamespace === undefined ? {} : { targetNamespace }),
    });
    return {
      result: restored.result,
      targetClusterName: restored.targetClusterName,
      targetGroupId: restored.targetProjectId,
      targetNamespace: restored.targetNamespace,
      version: versionBody(restored.version),
    };
  },
};
