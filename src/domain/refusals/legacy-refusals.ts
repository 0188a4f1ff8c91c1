import type { RefusalRule } from './refusal-rule.ts';

/** Refusals of the legacy backup operations: a part of the closed list in `refusals.ts`. */
export const legacyRefusals = {
  CHECKPOINT_NOT_FOUND: {
    status: 404,
    detail: 'No checkpoint with ID {0} exists for cluster {1} in group {2}.',
    remedy: 'List them for those there are. A replica set never has any, and those behind the restore window are gone.',
  },
  FRACTIONAL_TIMESTAMP: {
    status: 400,
    detail: 'The time {0} is not a whole second.',
    remedy: 'Give a time that is one, in milliseconds a multiple of 1000: an oplog tells no finer.',
  },
  CANNOT_DELETE_PROTECTED_SNAPSHOT: {
    status: 400,
    detail: 'Snapshot {0} is marked not to be deleted.',
    remedy: "Tidemark's own code. Set `doNotDelete` to false through the legacy snapshot operation first.",
  },
  CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET: {
    status: 400,
    detail: 'Cluster {0} is a replica set, for which no checkpoint interval can be set.',
    remedy: 'Leave `clusterCheckpointIntervalMin` out: checkpoints are made for sharded clusters alone.',
  },
  INVALID_CLUSTER_CHECKPOINT_INTERVAL: {
    status: 400,
    detail: 'A checkpoint every {0} minutes cannot be had.',
    remedy: 'Give 15, 30 or 60; or 0, for no more checkpoints.',
  },
  CHECKPOINTS_ONLY_ON_CONTINOUS_BACKUP: {
    status: 400,
    detail: 'Cluster {0} has no continuous backup, without which there are no checkpoints.',
    remedy: 'Set `pitEnabled` of the cluster first. It is Atlas that misspells the code.',
  },
  CHECKPOINT_RESTORE_UNSUPPORTED_FOR_REPLICA_SETS: {
    status: 400,
    detail: 'Cluster {0} is a replica set, which has no checkpoints to restore.',
    remedy: 'Restore a snapshot.',
  },
  CANNOT_USE_CLUSTER_IN_SERVERLESS_INSTANCE_API: {
    status: 400,
    detail: 'Cluster {0} cannot be used in the Serverless Instance API.',
    remedy: 'Use the path below /clusters: there are no serverless instances here.',
  },
  SERVERLESS_INSTANCE_NOT_FOUND: {
    status: 404,
    detail: 'No serverless instance named {0} exists in group {1}.',
    remedy: 'There are no serverless instances here; clusters are below /clusters.',
  },
} as const satisfies Record<string, RefusalRule>;
