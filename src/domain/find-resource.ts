import type { CatalogReader } from '../catalog/catalog.ts';
import { findClusterByName } from '../catalog/clusters.ts';
import { findOrganization } from '../catalog/organizations.ts';
import { type CountedProject, findProject } from '../catalog/projects.ts';
import type { ClusterRow, OrganizationRow } from '../catalog/schema.ts';
import type { ClusterName } from './names.ts';
import { refuse } from './refusals/refusals.ts';

export type ConnectedCluster = ClusterRow & { sealedUri: string };

export async function requireOrganization(reader: CatalogReader, organizationId: string): Promise<OrganizationRow> {
  const organization = await findOrganization(reader, organizationId);
  if (organization === undefined) throw refuse('RESOURCE_NOT_FOUND', [`/orgs/${organizationId}`]);
  return organization;
}

export async function requireProject(reader: CatalogReader, projectId: string): Promise<CountedProject> {
  const project = await findProject(reader, projectId);
  if (project === undefined) throw refuse('GROUP_NOT_FOUND', [projectId]);
  return project;
}

/** For what was backed up: the cluster of the name, registered or removed. */
export async function requireCluster(
  reader: CatalogReader,
  { projectId, clusterName }: ClusterName,
): Promise<ClusterRow> {
  await requireProject(reader, projectId);
  const cluster = await findClusterByName(reader, projectId, clusterName);
  if (cluster === undefined) throw refuse('CLUSTER_NOT_FOUND', [clusterName, projectId]);
  return cluster;
}

/** For what needs the cluster itself: only one that is registered. */
export async function requireConnectedCluster(reader: CatalogReader, name: ClusterName): Promise<ConnectedCluster> {
  const cluster = await requireCluster(reader, name);
  const { sealedUri } = cluster;
  if (sealedUri === null) throw refuse('CLUSTER_NOT_FOUND', [name.clusterName, name.projectId]);
  return { ...cluster, sealedUri };
}
