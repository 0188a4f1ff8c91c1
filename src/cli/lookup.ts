import type { Workspace } from '../compose/service.ts';
import type { Cluster } from '../domain/clusters/clusters.ts';
import type { Domain } from '../domain/domain.ts';
import type { ClusterName } from '../domain/names.ts';
import type { Project } from '../domain/projects/projects.ts';
import { Refusal } from '../domain/refusals/refusals.ts';
import type { Snapshot } from '../domain/snapshots/snapshots.ts';
import { everyItem } from './every-item.ts';
import { NothingFound, UsageError } from './usage-error.ts';

/**
 * People at the command line name clusters and snapshots without their project; found here as long as that is not
 * ambiguous.
 */

export async function everyProject(domain: Domain): Promise<Project[]> {
  return await everyItem((page) => domain.projects.list({ visibleTo: 'everything', page }));
}

export async function chooseProject(domain: Domain, projectId: string | undefined): Promise<Project> {
  if (projectId !== undefined) return await domain.projects.get(projectId);
  const projects = await everyProject(domain);
  const [only, ...others] = projects;
  if (only === undefined) throw new UsageError('There is no project yet: run `tidemark init` first.');
  if (others.length > 0) {
    throw new UsageError(
      `There are several projects, so say which with --project: ${projects.map(nameWithId).join(', ')}.`,
    );
  }
  return only;
}

export async function everyCluster(domain: Domain, projectId: string | undefined): Promise<Cluster[]> {
  const projects = projectId === undefined ? await everyProject(domain) : [await domain.projects.get(projectId)];
  const lists = await Promise.all(
    projects.map((project) => everyItem((page) => domain.clusters.list({ projectId: project.id, page }))),
  );
  return lists.flat();
}

export async function findCluster(domain: Domain, name: string, projectId: string | undefined): Promise<Cluster> {
  const clusters = await everyCluster(domain, projectId);
  const [found, ...others] = clusters.filter((cluster) => cluster.name === name);
  if (found === undefined) {
    const known = clusters.map((cluster) => cluster.name).join(', ');
    throw new NothingFound(
      `No cluster is called ${name}. ${known === '' ? 'None is registered yet: `tidemark cluster add` does that' : `Registered are: ${known}`}.`,
    );
  }
  if (others.length > 0) {
    throw new UsageError(`Several projects have a cluster called ${name}, so say which project with --project.`);
  }
  return found;
}

/**
 * Every name under which something was backed up, also those of clusters that were removed or that a rebuild could not
 * connect: their snapshots are still there.
 */
export async function everyClusterName({ catalog }: Workspace, projectId: string | undefined): Promise<ClusterName[]> {
  const { allClusters } = await import('../catalog/clusters.ts');
  const names = new Map<string, ClusterName>();
  for (const cluster of await allClusters(catalog.reader)) {
    if (projectId !== undefined && cluster.projectId !== projectId) continue;
    names.set(`${cluster.projectId} ${cluster.name}`, { projectId: cluster.projectId, clusterName: cluster.name });
  }
  return [...names.values()];
}

/** The snapshot, wherever it is: ids are unique in the whole service. */
export async function findSnapshot(workspace: Workspace, snapshotId: string): Promise<Snapshot> {
  for (const name of await everyClusterName(workspace, undefined)) {
    try {
      return await workspace.domain.snapshots.get({ ...name, snapshotId });
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 404)) throw error;
    }
  }
  throw new NothingFound(`There is no snapshot ${snapshotId}. \`tidemark snapshot list\` shows those there are.`);
}

function nameWithId(project: Project): string {
  return `${project.id} (${project.name})`;
}
