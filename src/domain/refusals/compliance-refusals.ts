import type { RefusalRule } from './refusal-rule.ts';

/** What a backup compliance policy is refused with, and what it refuses. A part of the list in `refusals.ts`. */
export const complianceRefusals = {
  BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID: {
    status: 400,
    detail: 'The backup compliance policy is not valid: {0}.',
    remedy: 'Check the items as those of a schedule; what this service does not do yet cannot be required.',
  },
  BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS: {
    status: 400,
    detail: 'The backup policies do not meet the requirements of the backup compliance policy: {0}.',
    remedy:
      'Keep every item that the policy requires, at least as frequent and as long kept; or send overwriteBackupPolicies=true to have schedules raised.',
  },
  CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY: {
    status: 400,
    detail: 'Snapshot {0} cannot be deleted while the project has a backup compliance policy.',
    remedy: 'It is deleted when its time is over; nobody can do it sooner.',
  },
  CANNOT_DELETE_COPY_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY_ENABLED: {
    status: 400,
    detail: 'Snapshot copies in {0} cannot be removed while the backup compliance policy protects copies.',
    remedy: 'Copies are deleted when their time is over; with copyProtectionEnabled nobody can do it sooner.',
  },
  CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY: {
    status: 400,
    detail: 'The retention of {0} cannot be decreased while the project has a backup compliance policy.',
    remedy: 'Retention can only be lengthened.',
  },
  SNAPSHOT_RETENTION_LESS_THAN_BACKUP_COMPLIANCE_POLICY: {
    status: 400,
    detail: 'A retention of {0} is less than the {1} that the backup compliance policy requires.',
    remedy: 'Keep on-demand snapshots at least as long as the policy says.',
  },
  CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY: {
    status: 400,
    detail: 'The restore window cannot be less than the {0} days that the backup compliance policy requires.',
    remedy: 'Give a longer restoreWindowDays.',
  },
  CANNOT_DISABLE_CLOUD_BACKUP_WITH_BACKUP_COMPLIANCE_POLICY: {
    status: 400,
    detail: 'Backup of {0} cannot be stopped while the project has a backup compliance policy.',
    remedy: 'Clusters of the project stay registered and are backed up; the policy itself cannot be taken back.',
  },
  CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY: {
    status: 400,
    detail: 'Continuous backup of {0} cannot be disabled while the backup compliance policy requires it.',
    remedy: 'Leave pitEnabled on.',
  },
  CANNOT_DISABLE_ENCRYPTION_AT_REST_WITH_BACKUP_COMPLIANCE_POLICY: {
    status: 400,
    detail: 'Encryption at rest cannot be taken out of the backup compliance policy.',
    remedy: 'Leave encryptionAtRestEnabled on.',
  },
  CANNOT_DISABLE_BACKUP_COMPLIANCE_POLICY: {
    status: 400,
    detail: 'The backup compliance policy of group {0} cannot be disabled: the project has clusters or snapshots.',
    remedy: "Tidemark's own code. The policy ends with the last cluster and the last snapshot: see `deletable`.",
  },
  BACKUP_COMPLIANCE_POLICY_NOT_FOUND: {
    status: 404,
    detail: 'Group {0} has no backup compliance policy.',
    remedy: "Tidemark's own code. Enable one with PUT.",
  },
  CANNOT_CLOSE_GROUP_ACTIVE_BACKUP_COMPLIANCE_POLICY: {
    status: 409,
    detail: 'Group {0} cannot be deleted while it has a backup compliance policy.',
    remedy: 'The policy can be disabled once the project has neither clusters nor snapshots.',
  },
} as const satisfies Record<string, RefusalRule>;
