import type { DeliveryType, RestoreJobRow } from '../../catalog/schema.ts';
import type { LeftOutSummary } from '../../engine/left-out.ts';
import type { ClusterName, Page, PageRequest } from '../names.ts';

/**
 * Atlas's `cancelled`, `failed` and `expired` follow from `state`; `finishedAtMs` is set in all three and when
 * completed. Completed with `leftOut` is a state of its own: all but what is named there. Of a download `completed`
 * means that its link was made, and `finishedAtMs` is set once it has been used or has expired.
 */
export type RestoreJob = Omit<RestoreJobRow, 'leftOut'> & {
  projectId: string;
  clusterName: string;
  taskId: string | null;
  /** What the target, or the file of a download, could not be given; null where it has everything. */
  leftOut: LeftOutSummary | null;
  /** Of a download that is ready: one for each replica set. */
  downloads: DownloadLink[];
};

export interface DownloadLink {
  /**
   * Below the service's own address; null once the link is used up. Whoever has it may download without credentials.
   */
  path: string | null;
  fileName: string;
  bytes: number;
  /** Hex digits. */
  sha1: string;
  sha256: string;
  replicaSetName: string;
  /** One of several, of a sharded snapshot. */
  isShard: boolean;
}

export interface RestoreJobs {
  /** Newest first. */
  list(query: ClusterName & { page: PageRequest }): Promise<Page<RestoreJob>>;
  get(query: ClusterName & { restoreJobId: string }): Promise<RestoreJob>;
  /** `projectId` and `clusterName` are the snapshot's. All data of the target is replaced; a download has none. */
  create(request: RestoreRequest): Promise<RestoreJob>;
  /**
   * As Atlas has it: downloads only, so an automated restore is refused. `tasks.cancel` stops one, leaving the target
   * half restored.
   */
  cancel(request: ClusterName & { restoreJobId: string }): Promise<void>;
}

export type RestoreRequest = ClusterName & {
  deliveryType: DeliveryType;
  snapshotId?: string;
  targetProjectId?: string;
  targetClusterName?: string;
  pointInTimeUtcSeconds?: number;
  oplogTs?: number;
  oplogInc?: number;
};
