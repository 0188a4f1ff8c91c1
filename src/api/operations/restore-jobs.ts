import type { RequestBody } from '../../../contract/operation.ts';
import type { restoreJobOperations } from '../../../contract/restore-jobs.ts';
import { refuse } from '../../domain/refusals/refusals.ts';
import type { RestoreRequest } from '../../domain/restores/restore-jobs.ts';
import type { HandlersOf } from '../call.ts';
import { clusterOf, mapped } from '../listing.ts';
import { mayRestoreIntoTarget } from '../restore-target.ts';
import { restoreJobBody } from '../wire/restore-job.ts';

type RestoreBody = RequestBody<(typeof restoreJobOperations)['createGroupClusterBackupRestoreJob']>;

export const restoreJobHandlers: HandlersOf<typeof restoreJobOperations> = {
  async listGroupClusterBackupRestoreJobs({ params, page, domain, links }) {
    const found = await domain.restoreJobs.list({ ...clusterOf(params), page });
    return mapped(found, (job) => restoreJobBody(job, links));
  },

  async createGroupClusterBackupRestoreJob(call) {
    const { params, body, rolesInProjectNamed } = call;
    const { targetGroupId, targetClusterName } = body;
    await mayRestoreIntoTarget({ ...params, targetGroupId, targetClusterName, rolesInProjectNamed });
    const job = await call.domain.restoreJobs.create({
      ...clusterOf(call.params),
      deliveryType: deliveryTypeOf(call.body.deliveryType),
      ...targetOf(call.body),
      ...pointOf(call.body),
    });
    return restoreJobBody(job, call.links);
  },

  async getGroupClusterBackupRestoreJob({ params, domain, links }) {
    const job = await domain.restoreJobs.get({ ...clusterOf(params), restoreJobId: params.restoreJobId });
    return restoreJobBody(job, links);
  },

  async cancelGroupClusterBackupRestoreJob({ params, domain }) {
    await domain.restoreJobs.cancel({ ...clusterOf(params), restoreJobId: params.restoreJobId });
    return undefined;
  },
};

function deliveryTypeOf(text: string): RestoreRequest['deliveryType'] {
  if (text === 'automated' || text === 'download' || text === 'pointInTime') return text;
  throw refuse('UNSUPPORTED_DELIVERY_METHOD', [text]);
}

function targetOf({ snapshotId, targetClusterName, targetGroupId }: RestoreBody) {
  return {
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(targetClusterName === undefined ? {} : { targetClusterName }),
    ...(targetGroupId === undefined ? {} : { targetProjectId: targetGroupId }),
  };
}

function pointOf({ oplogInc, oplogTs, pointInTimeUTCSeconds }: RestoreBody) {
  return {
    ...(oplogInc === undefined ? {} : { oplogInc }),
    ...(oplogTs === undefined ? {} : { oplogTs }),
    ...(pointInTimeUTCSeconds === undefined ? {} : { pointInTimeUtcSeconds: pointInTimeUTCSeconds }),
  };
}
