import type { ShapeOf } from '../../../contract/primitives.ts';
import type { RestoreJob as RestoreJobBody } from '../../../contract/restore-jobs.ts';
import type { RestoreJob } from '../../domain/restores/restore-jobs.ts';
import { isoSeconds } from '../../lib/clock.ts';
import type { LinkBuilder } from '../links.ts';
import { timeIfKnown } from './times.ts';

type Body = ShapeOf<typeof RestoreJobBody>;

/**
 * A restore job on the wire. There is no state field: clients read three booleans and whether `finishedAt` is there.
 * `deliveryUrl` and `desiredTimestamp` are always there, empty where they do not apply; a download has no target.
 */
export function restoreJobBody(job: RestoreJob, links: LinkBuilder): Body {
  const project = `/groups/${job.projectId}`;
  const cluster = `${project}/clusters/${job.clusterName}`;
  const { snapshotId } = job;
  return {
    cancelled: job.state === 'cancelled',
    ...components(job, links),
    deliveryType: job.deliveryType,
    deliveryUrl: job.downloads.flatMap(({ path, isShard }) => (path === null || isShard ? [] : [links.url(path)])),
    desiredTimestamp: desiredTimestamp(job),
    expired: job.state === 'expired',
    ...timeIfKnown('expiresAt', job.expiresAtMs),
    failed: job.state === 'failed',
    ...timeIfKnown('finishedAt', job.finishedAtMs),
    id: job.id,
    links: [
      links.self(`${cluster}/backup/restoreJobs/${job.id}`),
      ...(snapshotId === null ? [] : [links.to('snapshot', `${cluster}/backup/snapshots/${snapshotId}`)]),
      links.to('cluster', cluster),
      links.to('group', project),
    ],
    ...pointInTime(job),
    ...(snapshotId === null ? {} : { snapshotId }),
    ...(job.deliveryType === 'download' ? {} : target(job)),
    ...timeIfKnown('timestamp', job.snapshotCreatedAtMs),
  };
}

/** A sharded snapshot is downloaded shard by shard. */
function components(job: RestoreJob, links: LinkBuilder): Pick<Body, 'components'> {
  const shards = job.downloads.filter(({ isShard }) => isShard);
  if (shards.length === 0) return {};
  return {
    components: shards.map(({ path, replicaSetName }) => ({
      ...(path === null ? {} : { downloadUrl: links.url(path) }),
      replicaSetName,
    })),
  };
}

function target(job: RestoreJob): Pick<Body, 'targetClusterName' | 'targetGroupId'> {
  return {
    ...(job.targetClusterName === null ? {} : { targetClusterName: job.targetClusterName }),
    ...(job.targetProjectId === null ? {} : { targetGroupId: job.targetProjectId }),
  };
}

function pointInTime(job: RestoreJob): Pick<Body, 'oplogInc' | 'oplogTs' | 'pointInTimeUTCSeconds'> {
  return {
    ...(job.oplogInc === null ? {} : { oplogInc: job.oplogInc }),
    ...(job.oplogTs === null ? {} : { oplogTs: job.oplogTs }),
    ...(job.pointInTimeUtcSeconds === null ? {} : { pointInTimeUTCSeconds: job.pointInTimeUtcSeconds }),
  };
}

function desiredTimestamp(job: RestoreJob): Body['desiredTimestamp'] {
  const seconds = job.oplogTs ?? job.pointInTimeUtcSeconds;
  if (seconds === null) return { date: null, increment: null, time: null };
  return { date: isoSeconds(seconds * 1000), increment: job.oplogInc, time: seconds };
}
