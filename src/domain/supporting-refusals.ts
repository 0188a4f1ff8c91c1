import type { RefusalRule } from './refusal-rule.ts';

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
  PROVIDER_UNSUPPORTED: {
    status: 400,
    detail: 'The cloud provider {0} is not supported here.',
    remedy: 'Say as which service account Tidemark signs in there: `TIDEMARK_GCP_SERVICE_ACCOUNT`.',
  },
  CLOUD_PROVIDER_ACCESS_ROLE_IN_USE: {
    status: 400,
    detail: 'Cloud provider access role {0} is used by export bucket {1}.',
    remedy: 'Delete the export buckets that `featureUsages` names first.',
  },
  API_KEY_NOT_FOUND: {
    status: 404,
    detail: 'No API Key with ID {0} exists.',
    remedy: 'Check the id; a project knows only the keys that have a role in it.',
  },
  SERVICE_ACCOUNT_NOT_FOUND: {
    status: 404,
    detail: 'No service account with client ID {0} exists.',
    remedy: 'Check the client id; a project knows only the accounts that have a role in it.',
  },
  SERVICE_ACCOUNT_SECRET_NOT_FOUND: {
    status: 404,
    detail: 'No secret with ID {0} exists for this service account.',
    remedy: 'The account itself shows its secrets.',
  },
  SERVICE_ACCOUNT_SECRET_LIMIT_REACHED: {
    status: 400,
    detail: 'A service account has at most {0} secrets at a time.',
    remedy: 'Delete the older secret once nobody uses it, then make a new one.',
  },
  CHANGE_SHUTS_OUT_CALLER: {
    status: 400,
    detail: 'After this change whoever asks for it could not call any more from {0}.',
    remedy:
      "Tidemark's own. Add the address that you call from to your own access list first. Whoever runs the host gets in again with `tidemark access reset` and `tidemark key create`.",
  },
  API_KEY_REACHES_BEYOND_PROJECT: {
    status: 403,
    detail: 'API key {0} has roles beyond group {1} and is described from its organization only.',
    remedy: "Tidemark's own. A project changes the roles that the key has in it, and nothing else about it.",
  },
  SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT: {
    status: 403,
    detail: 'Service account {0} has roles beyond group {1} and is managed from its organization only.',
    remedy:
      "Tidemark's own: whoever makes a secret for an account can call with all of its rights. To share the account of a project, give it a role in the organization first; it is the organization's from then on.",
  },
  CANNOT_REMOVE_LAST_OWNER: {
    status: 409,
    detail: 'Organization {0} would be left without a caller that owns it.',
    remedy: "Tidemark's own. Make another API key or service account with ORG_OWNER first.",
  },
  ACCESS_LIST_ENTRY_NOT_FOUND: {
    status: 404,
    detail: 'The address {0} is not on this access list.',
    remedy: 'Networks are kept by their first address: 10.1.2.3/8 is 10.0.0.0/8.',
  },
  BACKUP_JOB_NOT_FOUND: {
    status: 400,
    detail: 'Backups are not enabled for cluster {0}.',
    remedy: 'Set `backupEnabled` of the cluster to true.',
  },
} as const satisfies Record<string, RefusalRule>;
