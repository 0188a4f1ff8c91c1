import type { ShapeOf } from '../../../contract/primitives.ts';
import type { ReconnectClusterRequest, tidemarkOperations } from '../../../contract/tidemark.ts';
import type { GivenConnection } from '../../domain/clusters/clusters.ts';
import type { Domain } from '../../domain/domain.ts';
import type { ClusterName } from '../../domain/names.ts';
import { refuse } from '../../domain/refusals/refusals.ts';
import type { RestoreJob } from '../../domain/restores/restore-jobs.ts';
import type { Task } from '../../domain/tasks/tasks.ts';
import type { HandlersOf } from '../call.ts';
import { requireCertificates } from '../given-certificates.ts';
import type { LinkBuilder } from '../links.ts';
import { clusterOf, mapped } from '../listing.ts';
import { continuousBackupBody } from '../wire/continuous-backup.ts';
import { connectedBody, registeredClusterBody } from '../wire/registered-cluster.ts';
import { taskBody } from '../wire/task.ts';

type SnapshotParams = { groupId: string; clusterName: string; snapshotId: string };
type ExportParams = { groupId: string; clusterName: string; exportId: string };
type CollectionRestoreParams = { groupId: string; clusterName: string; jobId: string };
type RestoreJobParams = { groupId: string; clusterName: string; restoreJobId: string };

export const tidemarkHandlers: HandlersOf<typeof tidemarkOperations> = {
  async listRegisteredClusters({ params, page, domain, links }) {
    const found = await domain.clusters.list({ projectId: params.groupId, page });
    return mapped(found, (cluster) => registeredClusterBody(cluster, links));
  },

  async registerCluster({ params, body, domain, links, signal }) {
    const cluster = await domain.clusters.register({
      projectId: params.groupId,
      name: body.name,
      ...connectionIn(body),
      signal,
    });
    return connectedBody(cluster, links);
  },

  async reconnectCluster({ params, body, domain, links, signal }) {
    const cluster = await domain.clusters.reconnect({ ...clusterOf(params), ...connectionIn(body), signal });
    return connectedBody(cluster, links);
  },

  async removeCluster({ params, query, domain }) {
    const { deleteSnapshots = false } = query;
    await domain.clusters.remove({ ...clusterOf(params), deleteSnapshots });
    return undefined;
  },

  async getContinuousBackup({ params, domain }) {
    return continuousBackupBody(await domain.continuousBackup.status(clusterOf(params)));
  },

  async getSnapshotTask({ params, domain, links }) {
    return snapshotTaskBody(params, await taskOfSnapshot(params, domain), links);
  },

  async cancelSnapshotTask({ params, domain, links }) {
    const task = await taskOfSnapshot(params, domain);
    return snapshotTaskBody(params, await domain.tasks.cancel(task.id), links);
  },

  async getRestoreJobTask({ params, domain, links }) {
    const { task, leftOut } = await taskOfRestoreJob(params, domain);
    return restoreJobTaskBody(params, task, links, leftOut);
  },

  async cancelRestoreJobTask({ params, domain, links }) {
    const { task, leftOut } = await taskOfRestoreJob(params, domain);
    return restoreJobTaskBody(params, await domain.tasks.cancel(task.id), links, leftOut);
  },

  async getCollectionRestoreTask({ params, domain, links }) {
    return collectionRestoreTaskBody(params, await taskOfCollectionRestore(params, domain), links);
  },

  async cancelCollectionRestoreTask({ params, domain, links }) {
    const task = await taskOfCollectionRestore(params, domain);
    return collectionRestoreTaskBody(params, await domain.tasks.cancel(task.id), links);
  },

  async getExportTask({ params, domain, links }) {
    return exportTaskBody(params, await taskOfExport(params, domain), links);
  },

  async cancelExportTask({ params, domain, links }) {
    const task = await taskOfExport(params, domain);
    return exportTaskBody(params, await domain.tasks.cancel(task.id), links);
  },
};

/** As whoever calls may say it: a client, never the operator of this machine. */
function connectionIn(body: ShapeOf<typeof ReconnectClusterRequest>): Required<GivenConnection> {
  requireCertificates(body);
  const { connectionString: uri, identity, tlsCa: ca, tlsCertificateKey: certificateKey } = body;
  const parts = { identity, ca, certificateKey, certificateKeyPassword: body.tlsCertificateKeyPassword };
  const given = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
  return { uri, giver: 'client', parts: given };
}

/** Tasks are reached through what they work on, because that says whose they are. */
async function taskOfSnapshot(params: SnapshotParams, domain: Domain): Promise<Task> {
  const { taskId } = await domain.snapshots.get({ ...clusterOf(params), snapshotId: params.snapshotId });
  if (taskId === null) throw refuse('TASK_NOT_FOUND', [params.snapshotId]);
  return await domain.tasks.get(taskId);
}

async function taskOfRestoreJob(
  params: RestoreJobParams,
  domain: Domain,
): Promise<{ task: Task; leftOut: RestoreJob['leftOut'] }> {
  const job = await domain.restoreJobs.get({ ...clusterOf(params), restoreJobId: params.restoreJobId });
  if (job.taskId === null) throw refuse('TASK_NOT_FOUND', [params.restoreJobId]);
  return { task: await domain.tasks.get(job.taskId), leftOut: job.leftOut };
}

async function taskOfCollectionRestore(params: CollectionRestoreParams, domain: Domain): Promise<Task> {
  const { taskId } = await domain.collectionRestoreJobs.get({ ...clusterOf(params), jobId: params.jobId });
  if (taskId === null) throw refuse('TASK_NOT_FOUND', [params.jobId]);
  return await domain.tasks.get(taskId);
}

async function taskOfExport(params: ExportParams, domain: Domain): Promise<Task> {
  const { taskId } = await domain.exportJobs.get({ ...clusterOf(params), exportJobId: params.exportId });
  if (taskId === null) throw refuse('TASK_NOT_FOUND', [params.exportId]);
  return await domain.tasks.get(taskId);
}

function clusterPath({ projectId, clusterName }: ClusterName): string {
  return `/groups/${projectId}/clusters/${clusterName}`;
}

function snapshotTaskBody(params: SnapshotParams, task: Task, links: LinkBuilder): object {
  return taskBody(task, clusterPath(clusterOf(params)), `snapshots/${params.snapshotId}`, links);
}

function restoreJobTaskBody(
  params: RestoreJobParams,
  task: Task,
  links: LinkBuilder,
  leftOut: RestoreJob['leftOut'],
): object {
  return taskBody(task, clusterPath(clusterOf(params)), `restoreJobs/${params.restoreJobId}`, links, leftOut);
}

function collectionRestoreTaskBody(params: CollectionRestoreParams, task: Task, links: LinkBuilder): object {
  return taskBody(task, clusterPath(clusterOf(params)), `collectionRestoreJobs/${params.jobId}`, links);
}

function exportTaskBody(params: ExportParams, task: Task, links: LinkBuilder): object {
  return taskBody(task, clusterPath(clusterOf(params)), `exports/${params.exportId}`, links);
}
