import type { Domain } from '../../src/domain/domain.ts';
import type { CallerNouns } from '../support/sample-callers.ts';
import { checkpointsNoun } from './checkpoints.ts';
import { clustersNoun } from './clusters.ts';
import { collectionRestoreJobsNoun } from './collection-restore-jobs.ts';
import { compliancePoliciesNoun } from './compliance-policy.ts';
import { documentHistoryNoun } from './document-history.ts';
import { exportBucketsNoun } from './export-buckets.ts';
import { exportJobsNoun } from './export-jobs.ts';
import { legacyNoun } from './legacy-backup.ts';
import { organizationsNoun } from './organizations.ts';
import { privateEndpointsNoun } from './private-endpoints.ts';
import { projectsNoun } from './projects.ts';
import { downloadsNoun, restoreJobsNoun } from './restore-jobs.ts';
import { sampleParts } from './sample-parts.ts';
import { schedulesNoun } from './schedules.ts';
import { snapshotContentsNoun } from './snapshot-contents.ts';
import { snapshotsNoun } from './snapshots.ts';
import { systemNoun } from './system-status.ts';
import { continuousBackupNoun, tasksNoun } from './tidemark.ts';

/** A domain of fixed rows, for tests of the API alone: it pages and refuses like the real one and does no work. */
export interface SampleDomain {
  domain: Domain;
  /** What the API asked to be done, in order: name of the function and its argument. */
  calls: { name: string; argument: unknown }[];
}

export function sampleDomain(change: Partial<Domain> & CallerNouns): SampleDomain {
  const calls: SampleDomain['calls'] = [];
  const parts = sampleParts((name, argument) => calls.push({ name, argument }));
  const domain: Domain = {
    organizations: organizationsNoun(parts),
    projects: projectsNoun(parts),
    clusters: clustersNoun(parts),
    snapshots: snapshotsNoun(parts),
    schedules: schedulesNoun(parts),
    compliancePolicies: compliancePoliciesNoun(parts),
    restoreJobs: restoreJobsNoun(parts),
    downloads: downloadsNoun(),
    exportBuckets: exportBucketsNoun(parts),
    exportJobs: exportJobsNoun(parts),
    continuousBackup: continuousBackupNoun(parts),
    documentHistory: documentHistoryNoun(parts),
    checkpoints: checkpointsNoun(parts),
    snapshotContents: snapshotContentsNoun(parts),
    legacy: legacyNoun(parts),
    privateEndpoints: privateEndpointsNoun(parts),
    collectionRestoreJobs: collectionRestoreJobsNoun(parts),
    tasks: tasksNoun(parts),
    system: systemNoun(),
    ...change,
  };
  return { domain, calls };
}
