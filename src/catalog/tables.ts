import type { Tables } from './schema.ts';

/**
 * Every table once, and whether the repository keeps a copy of what is in it (`domain/repositories/catalog-copy.ts`).
 * A table that is missing here does not compile.
 */
export const tables = {
  organizations: { copied: 'rows' },
  projects: { copied: 'rows' },
  // What the cluster says of itself is asked again.
  clusters: {
    copied: 'rows',
    but: [
      'type',
      'replicaSetName',
      'mongodVersion',
      'featureCompatibilityVersion',
      'members',
      'dataBytes',
      'probedAtMs',
      'probeFailedAtMs',
      'probeFailure',
    ],
  },
  apiKeys: { copied: 'rows' },
  serviceAccounts: { copied: 'rows' },
  serviceAccountSecrets: { copied: 'rows', but: ['lastUsedAtMs'] },
  accessTokens: { copied: 'no', lost: 'access tokens' },
  roleAssignments: { copied: 'rows' },
  // The rest is in its manifest, which is there when a snapshot completes.
  snapshots: {
    copied: 'columns',
    these: [
      'status',
      'expiresAtMs',
      'retentionMs',
      'retentionChanged',
      'retentionUpdatedAtMs',
      'copiesOnlySinceMs',
      'doNotDelete',
      'deletedAtMs',
    ],
  },
  // What was served up to then: a rebuild serves from an earlier time on, which is no loss.
  schedules: { copied: 'rows', but: ['servedUntilMs'] },
  policyItems: { copied: 'rows' },
  copySettings: { copied: 'rows' },
  snapshotCopies: { copied: 'rows' },
  compliancePolicies: { copied: 'rows' },
  compliancePolicyItems: { copied: 'rows' },
  // Of jobs and checkpoints those that have ended: what was under way is nowhere any more.
  restoreJobs: { copied: 'rows' },
  collectionRestoreJobs: { copied: 'no', lost: 'the history of collection restores' },
  restoredCollections: { copied: 'no', lost: 'the history of collection restores' },
  downloads: { copied: 'no', lost: 'links of downloads' },
  exportBuckets: { copied: 'rows' },
  exportJobs: { copied: 'rows' },
  exportJobComponents: { copied: 'rows' },
  checkpoints: { copied: 'rows' },
  checkpointParts: { copied: 'rows' },
  legacySchedules: { copied: 'rows' },
  privateEndpoints: { copied: 'rows' },
  tasks: { copied: 'no', lost: 'tasks' },
  settings: { copied: 'no', derived: 'a new catalog has its own' },
  accessListEntries: { copied: 'rows', but: ['requests', 'lastUsedAtMs', 'lastUsedAddress'] },
  cloudProviderAccessRoles: { copied: 'rows' },
  captures: { copied: 'no', derived: 'the tailers say it again' },
  balancerHolds: { copied: 'no', lost: 'that a balancer was stopped' },
  checkpointSchedules: { copied: 'rows', but: ['servedUntilMs'] },
} as const satisfies { [T in keyof Tables]: Verdict<keyof Tables[T]> };

type Verdict<Column> =
  /** Made anew by itself, or lost: in these words of `docs/operations.md`. */
  | { copied: 'no'; derived: string }
  | { copied: 'no'; lost: string }
  /** Its rows. What changes in the columns of `but` alone is not worth a copy: the next one has it. */
  | { copied: 'rows'; but?: readonly Column[] }
  /** Only these columns, and only of rows in which something was changed. */
  | { copied: 'columns'; these: readonly Column[] };

/** A statement that wrote. `columns` are those that an update set; null where rows came or went. */
export interface Write {
  table: keyof Tables;
  columns: readonly string[] | null;
}

/** Whether the copy in the repository is behind after it. */
export function outdatesCopy({ table, columns }: Write): boolean {
  const verdict: Verdict<string> = tables[table];
  if (verdict.copied === 'no') return false;
  if (verdict.copied === 'columns') return columns?.some((column) => verdict.these.includes(column)) ?? false;
  return columns === null || columns.some((column) => verdict.but?.includes(column) !== true);
}

/** Whether there may be a task to claim after it: one came, or one is due at another time. */
export function bringsTask({ table, columns }: Write): boolean {
  return table === 'tasks' && (columns === null || columns.includes('runAfterMs'));
}
