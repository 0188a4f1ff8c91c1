import { assert } from '../lib/assert.ts';
import { isId } from '../lib/ids.ts';

/** A snapshot's place in a repository: ids of 24 hex digits. */
export interface SnapshotPlace {
  clusterId: string;
  snapshotId: string;
}

/** A blob's or a list's place. */
export interface ObjectPlace extends SnapshotPlace {
  blobId: string;
}

export const BLOBS_PREFIX = 'blobs/';
export const MANIFESTS_PREFIX = 'manifests/';
export const CATALOG_PREFIX = 'catalog/';
export const LEASES_PREFIX = 'leases/';
export const VERIFICATIONS_PREFIX = 'verified/';

export function blobKey(clusterId: string, snapshotId: string, blobId: string): string {
  assert(isId(clusterId) && isId(snapshotId) && blobId.length === 64, 'a blob is named by whole ids');
  return `${BLOBS_PREFIX}${clusterId}/${snapshotId}/${blobId}`;
}

export function blobsPrefix(clusterId: string, snapshotId?: string): string {
  assert(isId(clusterId), 'a cluster has an id');
  return `${BLOBS_PREFIX}${clusterId}/${snapshotId === undefined ? '' : `${snapshotId}/`}`;
}

export function manifestKey({ clusterId, snapshotId }: SnapshotPlace): string {
  assert(isId(clusterId) && isId(snapshotId), 'a manifest is named by whole ids');
  return `${MANIFESTS_PREFIX}${clusterId}/${snapshotId}`;
}

export function verificationKey({ clusterId, snapshotId }: SnapshotPlace): string {
  assert(isId(clusterId) && isId(snapshotId), 'a snapshot is named by whole ids');
  return `${VERIFICATIONS_PREFIX}${clusterId}/${snapshotId}`;
}

export function manifestsPrefix(clusterId?: string): string {
  return `${MANIFESTS_PREFIX}${clusterId === undefined ? '' : `${clusterId}/`}`;
}

/** What a key below `blobs/` names, or null where it is not of our form. */
export function parseBlobKey(objectKey: string): ObjectPlace | null {
  const match = /^blobs\/([0-9a-f]{24})\/([0-9a-f]{24})\/([0-9a-f]{64})$/.exec(objectKey);
  if (match === null) return null;
  const [, clusterId, snapshotId, blobId] = match as unknown as [string, string, string, string];
  return { clusterId, snapshotId, blobId };
}

export function leaseKey({ clusterId, snapshotId }: SnapshotPlace, leaseId: string): string {
  assert(isId(clusterId) && isId(snapshotId) && isId(leaseId), 'a lease is named by whole ids');
  return `${LEASES_PREFIX}${clusterId}/${snapshotId}/${leaseId}`;
}

/** Whose prefix a key below `leases/` is about, or null where it is not of our form. */
export function parseLeaseKey(objectKey: string): SnapshotPlace | null {
  const match = /^leases\/([0-9a-f]{24})\/([0-9a-f]{24})\/[0-9a-f]{24}$/.exec(objectKey);
  if (match === null) return null;
  const [, clusterId, snapshotId] = match as unknown as [string, string, string];
  return { clusterId, snapshotId };
}

/** What a key below `manifests/` names, or null where it is not of our form. */
export function parseManifestKey(objectKey: string): SnapshotPlace | null {
  const match = /^manifests\/([0-9a-f]{24})\/([0-9a-f]{24})$/.exec(objectKey);
  if (match === null) return null;
  const [, clusterId, snapshotId] = match as unknown as [string, string, string];
  return { clusterId, snapshotId };
}
