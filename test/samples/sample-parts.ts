import type { ClusterName, PageRequest, Visibility } from '../../src/domain/names.ts';
import type { Project } from '../../src/domain/projects/projects.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import {
  clusterRow,
  organizationRow,
  pageOf,
  projectRow,
  sampleId,
  sampleIds,
  sampleRestoreJobs,
  sampleSnapshots,
} from './rows.ts';

/** What the nouns of the sample domain share: projects and clusters, found by name and refused like the real ones. */
export type SampleParts = ReturnType<typeof sampleParts>;

/** `note` keeps what the API asked to be done. */
export function sampleParts(note: (name: string, argument: unknown) => unknown) {
  const organizations = [
    organizationRow(sampleIds.organization, 'Acme'),
    organizationRow(sampleIds.foreignOrganization, 'Others'),
  ];
  const projects = [
    projectRow(sampleIds.project, sampleIds.organization, 'Shop', 1),
    projectRow(sampleIds.siblingProject, sampleIds.organization, 'Lab', 1),
    projectRow(sampleIds.foreignProject, sampleIds.foreignOrganization, 'Elsewhere', 0),
  ];
  const clusters = [
    clusterRow(),
    clusterRow({ id: sampleId('c', 2), projectId: sampleIds.siblingProject, name: 'lab' }),
  ];

  const seesProject = (visibleTo: Visibility | 'everything', project: Project) =>
    visibleTo === 'everything' ||
    visibleTo.projectIds.includes(project.id) ||
    visibleTo.organizationIds.includes(project.organizationId);
  const named = (filter: string | undefined) => (row: { name: string }) =>
    row.name.toLowerCase().includes((filter ?? '').toLowerCase());
  const clusterNamed = ({ projectId, clusterName }: ClusterName) => {
    const found = clusters.find((cluster) => cluster.projectId === projectId && cluster.name === clusterName);
    if (found === undefined) throw refuse('CLUSTER_NOT_FOUND', [clusterName, projectId]);
    return found;
  };
  const snapshotOf = (query: ClusterName & { snapshotId: string }) => {
    const { id } = clusterNamed(query);
    const found = sampleSnapshots.find((row) => row.id === query.snapshotId && row.clusterId === id);
    if (found === undefined) {
      throw refuse('SNAPSHOT_NOT_FOUND', [query.snapshotId, query.clusterName, query.projectId]);
    }
    return found;
  };
  const restoreJobOf = (query: ClusterName & { restoreJobId: string }) => {
    const { id } = clusterNamed(query);
    const found = sampleRestoreJobs.find((row) => row.id === query.restoreJobId && row.clusterId === id);
    if (found === undefined) {
      throw refuse('RESTORE_JOB_NOT_FOUND', [query.restoreJobId, query.clusterName, query.projectId]);
    }
    return found;
  };
  const ofCluster = <T extends { clusterId: string }>(
    rows: readonly T[],
    query: ClusterName & { page: PageRequest },
  ) => {
    const { id } = clusterNamed(query);
    return pageOf(
      rows.filter((row) => row.clusterId === id),
      query.page,
    );
  };
  const projectNamed = (projectId: string) => {
    const found = projects.find((project) => project.id === projectId);
    if (found === undefined) throw refuse('GROUP_NOT_FOUND', [projectId]);
    return found;
  };

  return {
    note,
    organizations,
    projects,
    clusters,
    seesProject,
    named,
    clusterNamed,
    snapshotOf,
    restoreJobOf,
    ofCluster,
    projectNamed,
  };
}
