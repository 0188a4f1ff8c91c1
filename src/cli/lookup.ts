import type { Workspace } from '../compose/service.ts';
import type { Cluster } from '../domain/clusters/clusters.ts';
import type { Domain } from '../domain/domain.ts';
import type { ClusterName } from '../domain/names.ts';
import type { Project } from '../domain/projects/projects.ts';
import { Refusal } from '../domain/refusals/refusals.ts';
import type { Snapshot } from '../domain/snapshots/snapshots.ts';
import { must } from '../lib/assert.ts';
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

/**
 * The cluster whose backups are meant: the one that is named, by its name or id, or the only one that has completed
 * snapshots. Nothing is guessed.
 */
export async function chooseClusterName(workspace: Workspace, from: string | undefined): Promise<ClusterName> {
  const newest = await newestOfEach(workspace, from);
  const shown = newest.map(({ clusterName }) => clusterName).join(', ');
  const [only, another] = newest;
  if (only === undefined) {
    const all = (await newestOfEach(workspace, undefined)).map(({ clusterName }) => clusterName).join(', ');
    throw new NothingFound(
      from === undefined || all === ''
        ? 'There is no completed snapshot yet: `tidemark snapshot take` takes one.'
        : `There is no completed snapshot of ${from}. There are snapshots of: ${all}.`,
    );
  }
  if (another === undefined) return { projectId: only.projectId, clusterName: only.clusterName };
  throw new UsageError(
    from === undefined
      ? `Several clusters have snapshots, so say which is meant with --from <cluster>: ${shown}.`
      : `Several clusters are called ${from}, so give the id of one with --from.`,
  );
}

/** The newest completed snapshot of each cluster that has one, by the cluster's own time. */
async function newestOfEach(workspace: Workspace, from: string | undefined): Promise<Snapshot[]> {
  const newest: Snapshot[] = [];
  for (const name of await everyClusterName(workspace, undefined)) {
    const all = await everyItem((page) => workspace.domain.snapshots.list({ ...name, completed: true, page }));
    const [last] = all.toSorted((a, b) => (b.createdAtMs ?? 0) - (a.createdAtMs ?? 0));
    if (last === undefined) continue;
    if (from === undefined || from === last.clusterName || from === last.clusterId) newest.push(last);
  }
  return newest;
}

/** The snapshot that is meant: by its id, or the latest of a cluster. */
export async function findSnapshotMeant(
  workspace: Workspace,
  meant: { snapshot: string; from?: string | undefined },
): Promise<Snapshot> {
  if (meant.snapshot === 'latest') {
    const { projectId, clusterName } = await chooseClusterName(workspace, meant.from);
    const found = (await newestOfEach(workspace, undefined)).find(
      (one) => one.projectId === projectId && one.clusterName === clusterName,
    );
    return must(found, 'the chosen cluster has one');
  }
  const snapshot = await findSnapshot(workspace, meant.snapshot);
  if (meant.from === undefined || [snapshot.clusterName, snapshot.clusterId].includes(meant.from)) return snapshot;
  throw new UsageError(`Snapshot ${snapshot.id} is of ${snapshot.clusterName}, not of ${meant.from}.`);
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
