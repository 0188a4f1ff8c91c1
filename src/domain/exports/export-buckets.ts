import type { ExportBucketRow } from '../../catalog/schema.ts';
import type { Page, PageRequest } from '../names.ts';

export type ExportBucket = Omit<ExportBucketRow, 'requirePrivateNetworking' | 'deletedAtMs'> & {
  requirePrivateNetworking: boolean;
};

export interface ExportBuckets {
  /** Newest first. `cloudProvider` limits to one (the 2023-01-01 list knows AWS only). */
  list(query: {
    projectId: string;
    cloudProvider?: ExportBucketRow['cloudProvider'];
    page: PageRequest;
  }): Promise<Page<ExportBucket>>;
  /** With `cloudProvider` one of another provider is not found. */
  get(query: ExportBucketName & { cloudProvider?: ExportBucketRow['cloudProvider'] }): Promise<ExportBucket>;
  create(request: ExportBucketRequest): Promise<ExportBucket>;
  /** AWS only. */
  updatePrivateNetworking(request: ExportBucketName & { requirePrivateNetworking: boolean }): Promise<ExportBucket>;
  /** Refused while a schedule exports into it or an export job has not ended. What was exported stays in the bucket. */
  delete(request: ExportBucketName): Promise<void>;
}

export interface ExportBucketName {
  projectId: string;
  exportBucketId: string;
}

/**
 * AWS: `bucketName` and `iamRoleId`; GCP: `bucketName` and `roleId`; Azure: `roleId` and `serviceUrl`, which may hold
 * the container's name.
 */
export interface ExportBucketRequest {
  projectId: string;
  cloudProvider: ExportBucketRow['cloudProvider'];
  bucketName?: string;
  iamRoleId?: string;
  roleId?: string;
  serviceUrl?: string;
  requirePrivateNetworking?: boolean;
}
