import type { ExportJobState } from '../../catalog/schema.ts';
import type { ClusterName, Page, PageRequest } from '../names.ts';

export interface ExportJob {
  id: string;
  projectId: string;
  clusterId: string;
  clusterName: string;
  snapshotId: string;
  exportBucketId: string;
  state: ExportJobState;
  prefix: string;
  customData: { key: string; value: string }[];
  exportedCollections: number;
  totalCollections: number;
  /** One per shard; empty for a replica set. */
  components: { exportId: string; replicaSetName: string }[];
  createdAtMs: number;
  finishedAtMs: number | null;
  /** Null once the task is forgotten, a month after its end. */
  taskId: string | null;
  /** Set when `state` is Failed, or Successful without all of the snapshot. */
  stateReason: { errorCode: string; message: string } | null;
}

export interface ExportJobs {
  /** Newest first. */
  list(query: ClusterName & { page: PageRequest }): Promise<Page<ExportJob>>;
  get(query: ClusterName & { exportJobId: string }): Promise<ExportJob>;
  create(request: ExportJobRequest): Promise<ExportJob>;
}

export type ExportJobRequest = ClusterName & {
  snapshotId: string;
  exportBucketId: string;
  customData: { key: string; value: string }[];
};
