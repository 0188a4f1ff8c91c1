import type { RefusalRule } from './refusal-rule.ts';

/** Refusals about clusters and their connection strings. A part of the list in `refusals.ts`. */
export const clusterRefusals = {
  INVALID_CLUSTER_URI: {
    status: 400,
    detail: 'The connection string of cluster {0} cannot be used: {1}.',
    remedy:
      "Tidemark's own. Give a mongodb:// or mongodb+srv:// connection string with options that may be given there; docs/connection-strings.md has the table.",
  },
  CLUSTER_UNREACHABLE: {
    status: 400,
    detail: 'Cluster {0} cannot be reached: {1}.',
    remedy: "Tidemark's own. Check host names, network, credentials and TLS options of the connection string.",
  },
  CLUSTER_UNSUITABLE: {
    status: 400,
    detail: 'Cluster {0} cannot be backed up: {1}.',
    remedy:
      "Tidemark's own. Snapshots need an oplog: turn a standalone into a one-member replica set. A sharded cluster is registered by its config servers or its mongos.",
  },
  CLUSTER_NOT_THE_SAME: {
    status: 409,
    detail: 'The connection string does not lead to cluster {0}: {1}.',
    remedy:
      "Tidemark's own. Snapshots of one deployment are not continued by those of another: register the other one under a name of its own.",
  },
  CLUSTER_CHANGED_MEANWHILE: {
    status: 409,
    detail: 'Cluster {0} was changed by somebody else while the connection string was tried.',
    remedy: "Tidemark's own. Look at the cluster, then send the request again where it is still wanted.",
  },
  DUPLICATE_CLUSTER_NAME: {
    status: 409,
    detail: 'A cluster named {0} already exists in group {1}.',
    remedy: 'Choose another name, or remove the cluster that has it.',
  },
  CLUSTER_NOT_FOUND: {
    status: 404,
    detail: 'No cluster named {0} exists in group {1}.',
    remedy: 'Check the name; register the cluster with `tidemark cluster add` where it is new.',
  },
  CLUSTER_BUSY: {
    status: 409,
    detail:
      'Cluster {0} cannot be removed, paused or left without backups while a snapshot or restore of it is in progress.',
    remedy: "Tidemark's own. Wait until the work has ended, or cancel its task.",
  },
  CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API: {
    status: 400,
    detail: 'Cannot use non-flex cluster {0} in the flex API.',
    remedy: 'Use the path below /clusters. Clients that probe for flex clusters do so by themselves.',
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
  BACKUP_JOB_NOT_FOUND: {
    status: 400,
    detail: 'Backups are not enabled for cluster {0}.',
    remedy: 'Set `backupEnabled` of the cluster to true.',
  },
} as const satisfies Record<string, RefusalRule>;
