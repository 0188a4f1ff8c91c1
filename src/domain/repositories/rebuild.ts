import { insertAccessListEntry } from '../../catalog/access-lists.ts';
import { ha1Context, insertApiKey } from '../../catalog/api-keys.ts';
import type { CatalogWriter } from '../../catalog/catalog.ts';
import { findCheckpointSchedule, writeCheckpointSchedule } from '../../catalog/checkpoint-schedules.ts';
import { insertCloudProviderAccessRole } from '../../catalog/cloud-provider-access-roles.ts';
import { findCluster, insertCluster, uriContext } from '../../catalog/clusters.ts';
import { insertExportBucket } from '../../catalog/export-buckets.ts';
import { isNewId } from '../../catalog/is-new-id.ts';
import { findLegacySchedule, writeLegacySchedule } from '../../catalog/legacy-schedules.ts';
import { allOrganizations, findOrganization, insertOrganization } from '../../catalog/organizations.ts';
import { findPrivateEndpoint, insertPrivateEndpoint } from '../../catalog/private-endpoints.ts';
import { findProject, insertProject } from '../../catalog/projects.ts';
import { insertRoleAssignments } from '../../catalog/role-assignments.ts';
import { insertServiceAccount, insertServiceAccountSecret } from '../../catalog/service-accounts.ts';
import { findSnapshot, insertSnapshot } from '../../catalog/snapshots.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { describeError, Fault } from '../../lib/errors.ts';
import type { ManifestHeader } from '../../repository/format/manifest.ts';
import type { DomainContext } from '../context.ts';
import { queueManifestDeletion } from '../snapshots/discard-snapshot.ts';
import type { ManifestFacts, Manifests } from '../snapshots/snapshot-engine.ts';
import { rebuiltSnapshot } from '../snapshots/snapshot-row.ts';
import { takeUpBackupSettings, takeUpCopiesOnly, takeUpSnapshotCopies } from './backup-settings-copy.ts';
import { type CatalogCopy, parseCatalogCopy } from './catalog-copy.ts';
import type { CatalogCopies } from './catalog-copy-task.ts';
import { takeUpHistory } from './history-copy.ts';

export interface RebuildReport {
  /** When the copy was made; null where the repository has none. */
  copiedAt: string | null;
  organizations: number;
  projects: number;
  clusters: number;
  snapshots: number;
  apiKeys: number;
  serviceAccounts: number;
  /** Clusters that came back without their connection string, and are to be registered again under their names. */
  clustersToRegister: { projectId: string; name: string }[];
  /** Manifests that cannot be read. Everything else was taken up all the same. */
  damaged: { snapshotId: string; problem: string }[];
}

type RebuildContext = Pick<DomainContext, 'catalog' | 'clock' | 'ids' | 'secretBox'>;

/**
 * Makes the catalog anew from the repository: the newest catalog copy, then every manifest. Adds what is missing and
 * changes nothing that is there, so that it can be run again, and on a catalog that is only old.
 */
export async function rebuildCatalog(
  context: RebuildContext,
  ports: { manifests: Manifests; catalogCopies: Pick<CatalogCopies, 'readLatest'> },
  signal?: AbortSignal,
): Promise<RebuildReport> {
  const report: RebuildReport = {
    copiedAt: null,
    organizations: 0,
    projects: 0,
    clusters: 0,
    snapshots: 0,
    apiKeys: 0,
    serviceAccounts: 0,
    clustersToRegister: [],
    damaged: [],
  };
  const latest = await ports.catalogCopies.readLatest();
  const copy = latest === null ? null : parseCatalogCopy(latest);
  if (copy !== null) {
    await context.catalog.transact(async (writer) => await takeUpCopy(writer, context, copy, report));
  }
  const changes = new Map(copy?.snapshots.map((change) => [change.id, change]));
  for await (const name of ports.manifests.list()) {
    throwIfAborted(signal);
    try {
      const facts = await ports.manifests.read(name, signal);
      if (facts === null) continue;
      const change = changes.get(name.snapshotId);
      await context.catalog.transact(async (writer) => await takeUpSnapshot(writer, context, facts, change, report));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      report.damaged.push({ snapshotId: name.snapshotId, problem: describeError(error) });
    }
  }
  const settings = copy?.backupSettings;
  if (settings !== undefined)
    await context.catalog.transact(async (writer) => {
      await takeUpCopiesOnly(writer, copy?.snapshotsInCopiesOnly ?? [], settings);
      await takeUpSnapshotCopies(writer, settings);
    });
  const history = copy?.history;
  if (history !== undefined) await context.catalog.transact(async (writer) => await takeUpHistory(writer, history));
  return report;
}

async function takeUpCopy(
  writer: CatalogWriter,
  context: RebuildContext,
  copy: CatalogCopy,
  report: RebuildReport,
): Promise<void> {
  report.copiedAt = copy.copiedAt;
  for (const organization of copy.organizations) {
    if ((await findOrganization(writer, organization.id)) !== undefined) continue;
    await insertOrganization(writer, organization);
    report.organizations++;
  }
  for (const project of copy.projects) {
    if ((await findProject(writer, project.id)) !== undefined) continue;
    await insertProject(writer, project);
    report.projects++;
  }
  for (const cluster of copy.clusters) await takeUpCluster(writer, context, cluster, report);
  await takeUpCallers(writer, context, copy, report);
  for (const bucket of copy.exportBuckets) {
    if (await isNewId(writer, 'exportBuckets', bucket.id)) await insertExportBucket(writer, bucket);
  }
  if (copy.backupSettings !== undefined) await takeUpBackupSettings(writer, copy.backupSettings);
  for (const schedule of copy.legacySchedules ?? []) {
    if ((await findLegacySchedule(writer, schedule.clusterId)) === undefined)
      await writeLegacySchedule(writer, schedule);
  }
  for (const schedule of copy.checkpointSchedules ?? []) {
    if ((await findCheckpointSchedule(writer, schedule.clusterId)) === undefined)
      await writeCheckpointSchedule(writer, schedule);
  }
  for (const endpoint of copy.privateEndpoints ?? []) {
    if ((await findPrivateEndpoint(writer, endpoint.id)) === undefined) await insertPrivateEndpoint(writer, endpoint);
  }
  for (const entry of copy.accessListEntries ?? []) {
    if (await isNewId(writer, 'accessListEntries', entry.id)) await insertAccessListEntry(writer, entry);
  }
  for (const role of copy.cloudProviderAccessRoles ?? []) {
    if (await isNewId(writer, 'cloudProviderAccessRoles', role.id)) await insertCloudProviderAccessRole(writer, role);
  }
}

async function takeUpCluster(
  writer: CatalogWriter,
  context: RebuildContext,
  { uri, ...cluster }: CatalogCopy['clusters'][number],
  report: RebuildReport,
): Promise<void> {
  if ((await findCluster(writer, cluster.id)) !== undefined) return;
  const removed = cluster.deletedAtMs !== null;
  // Without its connection string a cluster is as good as removed; registering it again under its name takes its
  // history up.
  const deletedAtMs = removed || uri !== null ? cluster.deletedAtMs : context.clock.nowMs();
  const sealedUri = removed || uri === null ? null : context.secretBox.seal(uri, uriContext(cluster.id));
  await insertCluster(writer, { ...cluster, sealedUri, deletedAtMs });
  report.clusters++;
  if (!removed && uri === null) report.clustersToRegister.push({ projectId: cluster.projectId, name: cluster.name });
}

/** Roles come with whom they are given to. An API key without its HA1 could never be used and is left out. */
async function takeUpCallers(
  writer: CatalogWriter,
  { secretBox }: RebuildContext,
  copy: CatalogCopy,
  report: RebuildReport,
): Promise<void> {
  const rolesOf = (principalId: string) => copy.roleAssignments.filter((role) => role.principalId === principalId);
  for (const { ha1, ...apiKey } of copy.apiKeys) {
    if (ha1 === null || !(await isNewId(writer, 'apiKeys', apiKey.id))) continue;
    await insertApiKey(writer, { ...apiKey, sealedHa1: secretBox.seal(ha1, ha1Context(apiKey.id)) });
    await insertRoleAssignments(writer, rolesOf(apiKey.id));
    report.apiKeys++;
  }
  for (const account of copy.serviceAccounts) {
    if (!(await isNewId(writer, 'serviceAccounts', account.id))) continue;
    await insertServiceAccount(writer, account);
    for (const secret of copy.serviceAccountSecrets) {
      if (secret.serviceAccountId === account.id) await insertServiceAccountSecret(writer, secret);
    }
    await insertRoleAssignments(writer, rolesOf(account.id));
    report.serviceAccounts++;
  }
}

async function takeUpSnapshot(
  writer: CatalogWriter,
  context: RebuildContext,
  facts: ManifestFacts,
  change: CatalogCopy['snapshots'][number] | undefined,
  report: RebuildReport,
): Promise<void> {
  const { header } = facts;
  if ((await findSnapshot(writer, header.snapshotId)) !== undefined) return;
  await requirePlaceFor(writer, context, header, report);
  const row = rebuiltSnapshot(facts);
  await insertSnapshot(writer, change === undefined ? row : { ...row, ...change, clusterId: row.clusterId });
  // Deleted, but its manifest had not gone yet: it is not brought back, and the deletion is carried on.
  if (change !== undefined && change.deletedAtMs !== null)
    return await queueManifestDeletion(writer, context, header.snapshotId);
  report.snapshots++;
}

/**
 * A manifest names its cluster and project. Where no copy tells of them they are made up from that, to be renamed by
 * their owner.
 */
async function requirePlaceFor(
  writer: CatalogWriter,
  { clock, ids }: RebuildContext,
  header: ManifestHeader,
  report: RebuildReport,
): Promise<void> {
  const { clusterId, projectId, clusterName } = header;
  if ((await findCluster(writer, clusterId)) !== undefined) return;
  const createdAtMs = clock.nowMs();
  if ((await findProject(writer, projectId)) === undefined) {
    const [known] = await allOrganizations(writer);
    const organizationId = known?.id ?? ids.next();
    if (known === undefined) {
      await insertOrganization(writer, { id: organizationId, name: 'recovered', createdAtMs });
      report.organizations++;
    }
    await insertProject(writer, { id: projectId, organizationId, name: `recovered-${projectId}`, createdAtMs });
    report.projects++;
  }
  await insertCluster(writer, {
    id: clusterId,
    projectId,
    name: clusterName,
    type: header.type,
    sealedUri: null,
    displayUri: '',
    replicaSetName: header.replicaSetName,
    mongodVersion: header.mongodVersion,
    featureCompatibilityVersion: header.featureCompatibilityVersion,
    members: '[]',
    dataBytes: null,
    probedAtMs: null,
    createdAtMs,
    registeredAtMs: createdAtMs,
    deletedAtMs: createdAtMs,
  });
  report.clusters++;
  report.clustersToRegister.push({ projectId, name: clusterName });
}
