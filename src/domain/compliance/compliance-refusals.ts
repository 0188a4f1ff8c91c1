import type { RefusalRule } from '../refusals.ts';

/** What a backup compliance policy is refused with, and what it refuses. A part of the list in `refusals.ts`. */
export const complianceRefusals = {
  BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID: {
    status: 400,
    detail: 'The backup compliance policy is not valid: {0}.',
    remedy: 'Check the items as those of a schedule; what this service does not do yet cannot be required.',
  },
  CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY: {
    status: 400,
    detail: 'The retention of {0} cannot be decreased while the project has a backup compliance policy.',
    remedy: 'Retention can only be lengthened.',
  },
  CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY: {
    status: 400,
    detail: 'The restore window cannot be less than the {0} days that the backup compliance policy requires.',
    remedy: 'Give a longer restoreWindowDays.',
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
} as const satisfies Record<string, RefusalRule>;
