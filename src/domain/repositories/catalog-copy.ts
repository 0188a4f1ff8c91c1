import { allAccessListEntries } from '../../catalog/access-lists.ts';
import { allApiKeys, ha1Context } from '../../catalog/api-keys.ts';
import { allCheckpointSchedules } from '../../catalog/checkpoint-schedules.ts';
import { allCloudProviderAccessRoles } from '../../catalog/cloud-provider-access-roles.ts';
import { allClusters, uriContext } from '../../catalog/clusters.ts';
import { allExportBuckets } from '../../catalog/export-buckets.ts';
import { allLegacySchedules } from '../../catalog/legacy-schedules.ts';
import { allOrganizations } from '../../catalog/organizations.ts';
import { allPrivateEndpoints } from '../../catalog/private-endpoints.ts';
import { allProjects } from '../../catalog/projects.ts';
import { allRoleAssignments } from '../../catalog/role-assignments.ts';
import type {
  AccessListEntryRow,
  ApiKeyRow,
  CheckpointScheduleRow,
  CloudProviderAccessRoleRow,
  ClusterRow,
  ExportBucketRow,
  LegacyScheduleRow,
  OrganizationRow,
  PrivateEndpointRow,
  ProjectRow,
  RoleAssignmentRow,
  ServiceAccountRow,
  ServiceAccountSecretRow,
  SnapshotRow,
} from '../../catalog/schema.ts';
import { allServiceAccountSecrets, allServiceAccounts } from '../../catalog/service-accounts.ts';
import { completedSnapshots, snapshotsChangedSinceManifest, snapshotsInCopiesOnly } from '../../catalog/snapshots.ts';
import { Fault } from '../../lib/errors.ts';
import type { DomainContext } from '../context.ts';
import { type BackupSettings, collectBackupSettings } from './backup-settings-copy.ts';
import { type BackupHistory, collectHistory } from './history-copy.ts';

/**
 * What a rebuild needs and manifests do not hold. Secrets are in it in plain, and only where the repository encrypts
 * it: sealed ones would be worth nothing without DATA/secret.key, which is lost together with the catalog. What is
 * left out, and why, says `catalog/tables.ts`.
 */
export interface CatalogCopy {
  kind: 'catalog';
  version: 1;
  copiedAt: string;
  organizations: OrganizationRow[];
  projects: ProjectRow[];
  clusters: (Omit<ClusterRow, 'sealedUri'> & { uri: string | null })[];
  apiKeys: (Omit<ApiKeyRow, 'sealedHa1'> & { ha1: string | null })[];
  serviceAccounts: ServiceAccountRow[];
  serviceAccountSecrets: ServiceAccountSecretRow[];
  roleAssignments: RoleAssignmentRow[];
  exportBuckets: ExportBucketRow[];
  /** Absent in copies of before there were schedules. */
  backupSettings?: BackupSettings;
  /** These are missing in copies of before there were any. */
  legacySchedules?: LegacyScheduleRow[];
  checkpointSchedules?: CheckpointScheduleRow[];
  privateEndpoints?: PrivateEndpointRow[];
  accessListEntries?: AccessListEntryRow[];
  cloudProviderAccessRoles?: CloudProviderAccessRoleRow[];
  /** Missing in copies of before it was kept. */
  history?: BackupHistory;
  /** Whole: their manifests are in copy stores alone. */
  snapshotsInCopiesOnly?: SnapshotRow[];
  /** Those whose manifest should be there: `repository check` looks for it. Missing in copies of before it did. */
  completedSnapshots?: { clusterId: string; snapshotId: string }[];
  /** Completed ones whose retention was changed, or that were deleted, since their manifest was written. */
  snapshots: Pick<
    SnapshotRow,
    | 'id'
    | 'clusterId'
    | 'expiresAtMs'
    | 'retentionMs'
    | 'retentionChanged'
    | 'retentionUpdatedAtMs'
    | 'copiesOnlySinceMs'
    | 'doNotDelete'
    | 'deletedAtMs'
  >[];
}

export async function collectCatalogCopy(
  context: Pick<DomainContext, 'catalog' | 'clock' | 'secretBox'>,
  { withSecrets }: { withSecrets: boolean },
): Promise<CatalogCopy> {
  const { catalog, clock, secretBox } = context;
  const opened = (sealed: string | null, sealContext: string): string | null =>
    sealed === null || !withSecrets ? null : secretBox.open(sealed, sealContext);
  // In one transaction, so that the parts fit together.
  return await catalog.transact(async (reader) => ({
    kind: 'catalog',
    version: 1,
    copiedAt: new Date(clock.nowMs()).toISOString(),
    organizations: await allOrganizations(reader),
    projects: await allProjects(reader),
    clusters: (await allClusters(reader)).map(({ sealedUri, ...row }) => ({
      ...row,
      uri: opened(sealedUri, uriContext(row.id)),
    })),
    apiKeys: (await allApiKeys(reader)).map(({ sealedHa1, ...row }) => ({
      ...row,
      ha1: opened(sealedHa1, ha1Context(row.id)),
    })),
    serviceAccounts: await allServiceAccounts(reader),
    serviceAccountSecrets: await allServiceAccountSecrets(reader),
    roleAssignments: await allRoleAssignments(reader),
    exportBuckets: await allExportBuckets(reader),
    backupSettings: await collectBackupSettings(reader),
    legacySchedules: await allLegacySchedules(reader),
    checkpointSchedules: await allCheckpointSchedules(reader),
    privateEndpoints: await allPrivateEndpoints(reader),
    accessListEntries: await allAccessListEntries(reader),
    cloudProviderAccessRoles: await allCloudProviderAccessRoles(reader),
    history: await collectHistory(reader),
    snapshotsInCopiesOnly: await snapshotsInCopiesOnly(reader),
    completedSnapshots: await completedSnapshots(reader),
    snapshots: await snapshotsChangedSinceManifest(reader),
  }));
}

/**
 * Checks what the repository gave back before a rebuild trusts it: a copy of another version would be half understood.
 */
export function parseCatalogCopy(value: unknown): CatalogCopy {
  const copy = value as Partial<CatalogCopy> | null;
  const lists = [
    'organizations',
    'projects',
    'clusters',
    'apiKeys',
    'serviceAccounts',
    'serviceAccountSecrets',
    'roleAssignments',
    'exportBuckets',
    'snapshots',
  ] as const;
  if (copy?.kind !== 'catalog' || copy.version !== 1 || lists.some((list) => !Array.isArray(copy[list]))) {
    throw new Fault({
      op: 'read the catalog copy',
      subject: 'catalog',
      message: `the newest catalog copy is of version ${String(copy?.version)}, this Tidemark reads version 1`,
      hint: 'It was written by another version of Tidemark: rebuild with that one.',
    });
  }
  return copy as CatalogCopy;
}
