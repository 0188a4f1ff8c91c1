import type { OperationId } from '../../contract/operations.ts';
import { assert } from '../../src/lib/assert.ts';
import { apiKeysSamples } from './api-keys.ts';
import type { Verdict } from './bound-project.ts';
import { checkpointsSamples } from './checkpoints.ts';
import { cloudProviderAccessSamples } from './cloud-provider-access.ts';
import { clustersSamples } from './clusters.ts';
import { collectionRestoreJobsSamples } from './collection-restore-jobs.ts';
import { compliancePolicySamples } from './compliance-policy.ts';
import { documentHistorySamples } from './document-history.ts';
import { exportBucketsSamples } from './export-buckets.ts';
import { exportJobsSamples } from './export-jobs.ts';
import { flexClustersSamples } from './flex-clusters.ts';
import { legacyBackupSamples } from './legacy-backup.ts';
import { organizationsSamples } from './organizations.ts';
import { otherClusterKindsSamples } from './other-cluster-kinds.ts';
import { privateEndpointsSamples } from './private-endpoints.ts';
import { projectAccessListsSamples } from './project-access-lists.ts';
import { projectsSamples } from './projects.ts';
import type { OperationSample, ResourceSamples } from './resource-samples.ts';
import { restoreJobsSamples } from './restore-jobs.ts';
import { schedulesSamples } from './schedules.ts';
import { serviceAccountsSamples } from './service-accounts.ts';
import { snapshotContentsSamples } from './snapshot-contents.ts';
import { snapshotsSamples } from './snapshots.ts';
import { systemStatusSamples } from './system-status.ts';
import { tidemarkSamples } from './tidemark.ts';

const resources: readonly ResourceSamples[] = [
  apiKeysSamples,
  checkpointsSamples,
  cloudProviderAccessSamples,
  clustersSamples,
  collectionRestoreJobsSamples,
  compliancePolicySamples,
  documentHistorySamples,
  exportBucketsSamples,
  exportJobsSamples,
  flexClustersSamples,
  legacyBackupSamples,
  organizationsSamples,
  otherClusterKindsSamples,
  privateEndpointsSamples,
  projectAccessListsSamples,
  projectsSamples,
  restoreJobsSamples,
  schedulesSamples,
  serviceAccountsSamples,
  snapshotContentsSamples,
  snapshotsSamples,
  systemStatusSamples,
  tidemarkSamples,
];

/** Every resource's rows in one; nothing may be in two of them. */
function together<Row>(parts: readonly Readonly<Record<string, Row>>[]): Record<string, Row> {
  const all: Record<string, Row> = {};
  for (const [name, row] of parts.flatMap((part) => Object.entries(part))) {
    assert(!(name in all), `${name} has samples twice`);
    all[name] = row;
  }
  return all;
}

export const operationSamples = together<OperationSample>(resources.map(({ operations }) => operations));
export const verdicts = together<Verdict>(resources.map((resource) => resource.verdicts));

/** One thing of every operation that has it. */
export function samplesOf<Name extends keyof OperationSample>(
  name: Name,
): Partial<Record<OperationId, NonNullable<OperationSample[Name]>>> {
  return Object.fromEntries(
    Object.entries(operationSamples).flatMap(([id, sample]) =>
      sample[name] === undefined ? [] : [[id, sample[name]]],
    ),
  );
}
