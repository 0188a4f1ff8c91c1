export type { Page, PageRequest } from '../catalog/page.ts';
export type { Visibility } from '../catalog/visibility.ts';

/** As clients name a cluster. */
export interface ClusterName {
  projectId: string;
  clusterName: string;
}

/** As the catalog and the repository name a snapshot. */
export interface SnapshotName {
  clusterId: string;
  snapshotId: string;
}
