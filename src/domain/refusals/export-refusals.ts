import type { RefusalRule } from './refusal-rule.ts';

/** Refusals about export buckets and export jobs: a part of the closed list in `refusals.ts`. */
export const exportRefusals = {
  EXPORT_BUCKET_NOT_FOUND: {
    status: 404,
    detail: 'No export bucket with ID {0} exists in group {1}.',
    remedy: 'The list of export buckets has the ids. Version 2023-01-01 shows AWS buckets only.',
  },
  EXPORT_BUCKET_NAME_INVALID: {
    status: 400,
    detail: 'The export bucket name {0} is not valid: {1}.',
    remedy: "Give the bucket's or container's own name by its provider's rules, without address or path.",
  },
  EXPORT_BUCKET_DELETE_FAILED_BUCKET_IN_USE: {
    status: 400,
    detail: 'Export bucket {0} cannot be deleted: {1}.',
    remedy:
      'Set `autoExportEnabled` to false and leave `export` out on every schedule that names the bucket, and wait for export jobs that write into it.',
  },
  CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND: {
    status: 404,
    detail: 'No {0} cloud provider access role with ID {1} exists in group {2}.',
    remedy: 'Create the role with `POST /groups/{groupId}/cloudProviderAccess` first; it must be of the same provider.',
  },
  CANNOT_ASSUME_ROLE: {
    status: 400,
    detail: 'The cloud provider access role {0} cannot be assumed: {1}.',
    remedy:
      'Authorize it with `PATCH /groups/{groupId}/cloudProviderAccess/{roleId}`; the role has to trust the identity that Tidemark signs in as, with the external ID shown.',
  },
  EXPORT_BUCKET_VALIDATION_FAILED: {
    status: 400,
    detail: 'Export bucket {0} cannot be written with the access role {1}: {2}.',
    remedy:
      "Tidemark's own code. Atlas documents none for this. The role, or the credentials that the server's file of object stores has for the bucket, must be allowed to put objects and, on AWS, to read the bucket's location.",
  },
  EXPORT_BUCKET_CONNECTION_FAILED: {
    status: 409,
    detail: 'Export bucket {0} could not be reached: {1}.',
    remedy: "Tidemark's own code. Look whether the server reaches the bucket's endpoint, then try again.",
  },
  EXPORT_JOB_NOT_FOUND: {
    status: 404,
    detail: 'No export job with ID {0} exists for cluster {1} in group {2}.',
    remedy: "Tidemark's own code. Export jobs are listed under the cluster whose snapshot they export.",
  },
  CANNOT_EXPORT_INCOMPLETE_SNAPSHOT: {
    status: 409,
    detail: 'Snapshot {0} is not completed and cannot be exported.',
    remedy: "Tidemark's own code. Wait until the snapshot has completed, or choose another.",
  },
  CANNOT_EXPORT_FALLBACK_SNAPSHOT: {
    status: 400,
    detail: 'Snapshot {0} is a fallback snapshot and cannot be exported.',
    remedy: "Tidemark's own code. Choose another snapshot.",
  },
  SNAPSHOT_EXPORT_IN_PROGRESS: {
    status: 409,
    detail: 'Snapshot {0} is already being exported.',
    remedy: "Tidemark's own code. Wait until that export job has ended: a snapshot has one at a time.",
  },
} as const satisfies Record<string, RefusalRule>;
