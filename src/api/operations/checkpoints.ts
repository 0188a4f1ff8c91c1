import type { checkpointOperations } from '../../../contract/checkpoints.ts';
import type { HandlersOf } from '../call.ts';
import { clusterOf, mapped } from '../listing.ts';
import { checkpointBody } from '../wire/checkpoint.ts';

export const checkpointHandlers: HandlersOf<typeof checkpointOperations> = {
  async listGroupClusterBackupCheckpoints({ params, page, domain, links }) {
    const found = await domain.checkpoints.list({ ...clusterOf(params), page });
    return mapped(found, (checkpoint) => checkpointBody(checkpoint, params.clusterName, links));
  },

  async getGroupClusterBackupCheckpoint({ params, domain, links }) {
    const checkpoint = await domain.checkpoints.get({ ...clusterOf(params), checkpointId: params.checkpointId });
    return checkpointBody(checkpoint, params.clusterName, links);
  },
};
