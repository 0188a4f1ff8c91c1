import { assert } from '../lib/assert.ts';
import type { TaskHandlers } from '../tasks/handler.ts';
import type { Duty } from '../tasks/timer.ts';
import { captureOf } from './checkpoints/checkpoint-capture.ts';
import { checkpointDuty } from './checkpoints/checkpoint-duty.ts';
import type { CheckpointEngine } from './checkpoints/checkpoint-engine.ts';
import { takeCheckpointHandler } from './checkpoints/checkpoint-task.ts';
import { createCheckpoints } from './checkpoints/create-checkpoints.ts';
import { reviewedAfter } from './checkpoints/review-checkpoints.ts';
import type { ClockDoubt } from './clock-doubt.ts';
import { type CloudIdentities, createCloudProviderAccess } from './cloud-provider-access/cloud-provider-access.ts';
import type { ClusterProbe } from './cluster-facts/cluster-probe.ts';
import { createClusters } from './clusters/create-clusters.ts';
import { createCompliancePolicies } from './compliance-policies/create-compliance-policies.ts';
import type { DomainContext } from './context.ts';
import type { CaptureEngine } from './continuous-backup/capture-engine.ts';
import { captureDuty, tailOplogHandler } from './continuous-backup/capture-task.ts';
import { createContinuousBackup } from './continuous-backup/continuous-backup.ts';
import { pruneSlicesDuty, pruneSlicesHandler } from './continuous-backup/prune-slices.ts';
import { restoreWindowDays } from './continuous-backup/restore-window.ts';
import { createAccessLists } from './credentials/access-lists.ts';
import { createApiKeys } from './credentials/api-keys.ts';
import type { CredentialMint } from './credentials/credentials.ts';
import { createServiceAccounts } from './credentials/service-accounts.ts';
import { createDocumentHistory, type DocumentHistoryEngine } from './document-history/document-history.ts';
import type { Domain } from './domain.ts';
import { queueAutoExport } from './exports/auto-export.ts';
import type { BucketStores } from './exports/bucket-stores.ts';
import { createExportBuckets } from './exports/create-export-buckets.ts';
import { createExportJobs } from './exports/create-export-jobs.ts';
import { type ExportEngine, exportSnapshotHandler } from './exports/export-task.ts';
import { createLegacy } from './legacy/create-legacy.ts';
import { createOrganizations } from './organizations/create-organizations.ts';
import { createPrivateEndpoints } from './private-endpoints/create-private-endpoints.ts';
import { createProjects } from './projects/create-projects.ts';
import { type CatalogCopies, copyCatalogHandler } from './repositories/catalog-copy-task.ts';
import { type CollectionRestoreEngine, restoreCollectionsHandler } from './restores/collection-restore-task.ts';
import { createCollectionRestoreJobs } from './restores/create-collection-restore-jobs.ts';
import { createDownloads } from './restores/create-downloads.ts';
import { createRestoreJobs } from './restores/create-restore-jobs.ts';
import { type DownloadEngine, serveDownloadHandler } from './restores/download-task.ts';
import { type RestoreEngine, restoreSnapshotHandler } from './restores/restore-task.ts';
import { createSchedules } from './schedules/create-schedules.ts';
import { scheduleDuty } from './schedules/serve-due.ts';
import { queueCopies } from './snapshot-copies/copies.ts';
import { copyExpiryDuty } from './snapshot-copies/copy-expiry.ts';
import { copyOplogsDuty, copyOplogsHandler } from './snapshot-copies/copy-oplogs-task.ts';
import type { CopyStores } from './snapshot-copies/copy-stores.ts';
import { copySnapshotHandler, deleteSnapshotCopyHandler } from './snapshot-copies/copy-tasks.ts';
import { balancerDuty, releaseBalancerHandler } from './snapshots/balancer-holds.ts';
import { createSnapshotContents } from './snapshots/create-snapshot-contents.ts';
import { createSnapshots } from './snapshots/create-snapshots.ts';
import { deleteSnapshotHandler } from './snapshots/discard-snapshot.ts';
import { expiryDuty, housekeepingDuty } from './snapshots/expiry.ts';
import type { Manifests, SnapshotEngine } from './snapshots/snapshot-engine.ts';
import { takeSnapshotHandler } from './snapshots/take-snapshot-task.ts';
import { createSystemInformation } from './system/create-system-information.ts';
import type { SystemStatus } from './system/system-information.ts';
import { createTasks } from './tasks/create-tasks.ts';

/**
 * What the rules ask of the world: made by `compose/` of the engine, the repository and MongoDB, and by tests of
 * memory.
 */
export interface DomainPorts {
  snapshotEngine: SnapshotEngine;
  checkpointEngine: CheckpointEngine;
  restoreEngine: RestoreEngine;
  collectionRestoreEngine: CollectionRestoreEngine;
  exportEngine: ExportEngine;
  downloadEngine: DownloadEngine;
  captureEngine: CaptureEngine;
  documentHistory: DocumentHistoryEngine;
  manifests: Manifests;
  catalogCopies: CatalogCopies;
  copyStores: CopyStores;
  bucketStores: BucketStores;
  probe: ClusterProbe;
  credentialMint: CredentialMint;
  cloudIdentities: CloudIdentities;
  repository: SystemStatus['repository'];
}

export function createDomain(context: DomainContext, ports: DomainPorts): Domain {
  assert(context.catalog.isFollowed, 'a context is made by createContext');
  const handlers = createTaskHandlers(context, ports);
  const restoreJobs = createRestoreJobs(context, ports.captureEngine, handlers);
  return {
    organizations: createOrganizations(context),
    projects: createProjects(context),
    clusters: createClusters(context, ports.probe, ports.manifests),
    snapshots: createSnapshots(context),
    snapshotContents: createSnapshotContents(context, ports.manifests),
    schedules: createSchedules(context, ports.copyStores.regions),
    compliancePolicies: createCompliancePolicies(context, ports.repository),
    restoreJobs,
    downloads: createDownloads(context, ports.downloadEngine),
    exportBuckets: createExportBuckets(context, ports.bucketStores),
    exportJobs: createExportJobs(context),
    checkpoints: createCheckpoints(context),
    continuousBackup: createContinuousBackup(context, ports.captureEngine),
    documentHistory: createDocumentHistory(context, ports.documentHistory),
    legacy: createLegacy(context, restoreJobs),
    privateEndpoints: createPrivateEndpoints(context),
    collectionRestoreJobs: createCollectionRestoreJobs(context, ports.captureEngine),
    tasks: createTasks(context, handlers),
    apiKeys: createApiKeys(context, ports.credentialMint),
    serviceAccounts: createServiceAccounts(context, ports.credentialMint),
    accessLists: createAccessLists(context),
    cloudProviderAccess: createCloudProviderAccess(context, {
      identities: ports.cloudIdentities,
      credentialMint: ports.credentialMint,
    }),
    system: createSystemInformation(context, ports.repository),
  };
}

/** What the worker runs. */
export function createTaskHandlers(context: DomainContext, ports: DomainPorts): TaskHandlers {
  const { snapshotEngine: engine, manifests } = ports;
  return {
    takeSnapshot: takeSnapshotHandler(context, {
      engine,
      manifests,
      whenCompleted: async (writer, row) => {
        await queueCopies(writer, context, row);
        await queueAutoExport(writer, context, row);
      },
    }),
    deleteSnapshot: deleteSnapshotHandler(manifests),
    exportSnapshot: exportSnapshotHandler(context, {
      engine: ports.exportEngine,
      bucketStores: ports.bucketStores,
      manifests,
    }),
    serveDownload: serveDownloadHandler(context, ports.downloadEngine),
    restoreSnapshot: restoreSnapshotHandler(context, ports.restoreEngine, engine),
    restoreCollections: restoreCollectionsHandler(context, ports.collectionRestoreEngine),
    copySnapshot: copySnapshotHandler(context, ports.copyStores),
    deleteSnapshotCopy: deleteSnapshotCopyHandler(ports.copyStores),
    copyOplogs: copyOplogsHandler(context, ports.copyStores),
    copyCatalog: copyCatalogHandler(context, ports.catalogCopies),
    tailOplog: tailOplogHandler(context, ports.captureEngine),
    releaseBalancer: releaseBalancerHandler(context, engine),
    takeCheckpoint: takeCheckpointHandler(context, {
      engine: ports.checkpointEngine,
      snapshotEngine: engine,
      capture: captureOf(context, ports.captureEngine),
    }),
    pruneSlices: reviewedAfter(pruneSlicesHandler(context, ports.captureEngine, restoreWindowDays), context, {
      windowDaysOf: restoreWindowDays,
      capture: captureOf(context, ports.captureEngine),
    }),
  };
}

/** What the timer sees to. `doubt` is asked before anything is deleted because its time is over. */
export function createDuties(context: DomainContext, doubt: ClockDoubt = async () => null): Duty[] {
  return [
    scheduleDuty(context),
    captureDuty(context),
    checkpointDuty(context),
    pruneSlicesDuty(context),
    copyOplogsDuty(context),
    balancerDuty(context),
    expiryDuty(context, doubt),
    copyExpiryDuty(context, doubt),
    housekeepingDuty(context),
  ];
}
