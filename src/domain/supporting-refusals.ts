import type { RefusalRule } from './refusals.ts';

/** Refusals about clusters, projects, organizations and callers: a part of the closed list in `refusals.ts`. */
export const supportingRefusals = {
  FEATURE_UNSUPPORTED: {
    status: 400,
    detail: 'The feature is not supported here: {0}.',
    remedy: 'Tidemark backs up clusters that others run: what it cannot do or see to it refuses instead of pretending.',
  },
  CANNOT_UPDATE_PAUSED_CLUSTER: {
    status: 400,
    detail: 'Cluster {0} is paused and cannot be updated.',
    remedy: 'Set `paused` to false first, alone.',
  },
  CLUSTER_PAUSED_CANNOT_RESTORE: {
    status: 400,
    detail: 'Cluster {0} is paused: nothing can be restored into it.',
    remedy: 'Set `paused` to false first.',
  },
  CLUSTER_PAUSED_CANNOT_TAKE_SNAPSHOT: {
    status: 400,
    detail: 'Cluster {0} is paused: no snapshot of it can be taken.',
    remedy: "Tidemark's own. Set `paused` to false first.",
  },
  CLUSTER_RESTORE_IN_PROGRESS_CANNOT_UPDATE: {
    status: 400,
    detail: 'Cluster {0} cannot be updated while a restore into it is in progress.',
    remedy: 'Wait until the restore has ended.',
  },
  CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED: {
    status: 400,
    detail: 'Cluster {0} cannot be terminated while its termination protection is enabled.',
    remedy: 'Set `terminationProtectionEnabled` to false first, which takes the project owner.',
  },
  CANNOT_CLOSE_GROUP_ACTIVE_ATLAS_CLUSTERS: {
    status: 409,
    detail: 'Group {0} cannot be closed while it has clusters.',
    remedy: 'Remove its clusters first.',
  },
  CANNOT_CLOSE_GROUP_ACTIVE_BACKUPS: {
    status: 409,
    detail: 'Group {0} cannot be closed while it has backups.',
    remedy: 'Snapshots were kept when their cluster was removed: delete them first, or let them expire.',
  },
  BACKUP_JOB_NOT_FOUND: {
    status: 400,
    detail: 'Backups are not enabled for cluster {0}.',
    remedy: 'Set `backupEnabled` of the cluster to true.',
  },
} as const satisfies Record<string, RefusalRule>;
