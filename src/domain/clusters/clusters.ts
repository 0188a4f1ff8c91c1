import type { CatalogWriter } from '../../catalog/catalog.ts';
import {
  decodeMembers,
  findClusterByName,
  insertCluster,
  listClusters,
  updateCluster,
  uriContext,
} from '../../catalog/clusters.ts';
import { mapPage } from '../../catalog/page.ts';
import { clustersBeingRestored } from '../../catalog/restore-jobs.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { snapshotsOfCluster } from '../../catalog/snapshots.ts';
import { hasUnfinishedTaskWithKey } from '../../catalog/tasks.ts';
import { describeError, Fault } from '../../lib/errors.ts';
import { clusterKey } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import type { Cluster, Clusters } from '../domain.ts';
import { requireConnectedCluster, requireProject } from '../find-resource.ts';
import { refuse } from '../refusals.ts';
import { queueCatalogCopy } from '../repositories/catalog-copy-task.ts';
import { discardSnapshot } from '../snapshots/discard-snapshot.ts';
import type { ClusterProbe, ProbedCluster } from './cluster-probe.ts';
import { displayUri } from './display-uri.ts';

/** Atlas's rule for cluster names. */
const CLUSTER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9-]{0,63}$/;

export function createClusters(context: DomainContext, probe: ClusterProbe): Clusters {
  const { catalog } = context;
  return {
    list: async (query) => {
      await requireProject(catalog.reader, query.projectId);
      const page = await listClusters(catalog.reader, query);
      const ids = page.items.map((row) => row.id);
      const restoring = await clustersBeingRestored(catalog.reader, ids);
      return mapPage(page, (row) => clusterOf(row, restoring.has(row.id)));
    },

    get: async (name) => {
      const row = await requireConnectedCluster(catalog.reader, name);
      const restoring = await clustersBeingRestored(catalog.reader, [row.id]);
      return clusterOf(row, restoring.has(row.id));
    },

    register: async ({ projectId, name, uri, signal }) => {
      const shown = checkRegistration(name, uri);
      // Refused before the cluster is asked anything; the transaction below looks again.
      await refuseTakenName(catalog.reader, projectId, name);
      const facts = await look(probe, name, uri, signal);
      const row = await catalog.transact(async (writer) => {
        const known = await refuseTakenName(writer, projectId, name);
        return await writeRegistration(writer, context, { projectId, name, uri, shown, facts, known });
      });
      context.wakeWorker();
      return clusterOf(row, false);
    },

    remove: async ({ deleteSnapshots, ...name }) => {
      await catalog.transact(async (writer) => {
        const cluster = await requireConnectedCluster(writer, name);
        if (await hasUnfinishedTaskWithKey(writer, clusterKey(cluster.id)))
          throw refuse('CLUSTER_BUSY', [cluster.name]);
        await updateCluster(writer, cluster.id, { sealedUri: null, deletedAtMs: context.clock.nowMs() });
        if (deleteSnapshots === true) {
          for (const snapshot of await snapshotsOfCluster(writer, cluster.id))
            await discardSnapshot(writer, context, snapshot);
        }
        await queueCatalogCopy(writer, context);
      });
      context.wakeWorker();
    },
  };
}

function checkRegistration(name: string, uri: string): string {
  if (!CLUSTER_NAME.test(name)) {
    const description = 'must be 1 to 64 letters, digits and hyphens, the first not a hyphen';
    throw refuse('VALIDATION_ERROR', [`name ${description}`], [{ field: 'name', description }]);
  }
  const shown = displayUri(uri);
  if (shown === null)
    throw refuse('INVALID_CLUSTER_URI', [name, 'it is not a mongodb:// or mongodb+srv:// connection string']);
  return shown;
}

/** Throws where the name is in use; else gives the removed cluster that had it last, whose history goes on. */
async function refuseTakenName(
  reader: Parameters<typeof findClusterByName>[0],
  projectId: string,
  name: string,
): Promise<ClusterRow | undefined> {
  await requireProject(reader, projectId);
  const known = await findClusterByName(reader, projectId, name);
  if (known !== undefined && known.deletedAtMs === null) throw refuse('DUPLICATE_CLUSTER_NAME', [name, projectId]);
  return known;
}

async function look(
  probe: ClusterProbe,
  name: string,
  uri: string,
  signal: AbortSignal | undefined,
): Promise<ProbedCluster> {
  try {
    return await probe.describe(uri, { signal });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // Told apart by the step that failed: a deployment that answered but cannot be backed up is not a matter of reaching it.
    throw refuse(error.op === 'connect' ? 'CLUSTER_UNREACHABLE' : 'CLUSTER_UNSUITABLE', [name, describeError(error)]);
  }
}

/**
 * A name that was removed is taken up again with its old id, so that its snapshots are found under it. Its next snapshot is nevertheless a first one (`registeredAtMs`): whether the
 * connection string leads to the same data as before nobody can say.
 */
async function writeRegistration(
  writer: CatalogWriter,
  context: DomainContext,
  registration: {
    projectId: string;
    name: string;
    uri: string;
    shown: string;
    facts: ProbedCluster;
    known: ClusterRow | undefined;
  },
): Promise<ClusterRow> {
  const { projectId, name, known } = registration;
  const nowMs = context.clock.nowMs();
  const id = known?.id ?? context.ids.next();
  const row: ClusterRow = {
    ...standing(known),
    id,
    projectId,
    name,
    type: 'replicaSet',
    sealedUri: context.secretBox.seal(registration.uri, uriContext(id)),
    displayUri: registration.shown,
    ...factsOf(registration.facts, nowMs),
    createdAtMs: known?.createdAtMs ?? nowMs,
    registeredAtMs: nowMs,
    deletedAtMs: null,
  };
  const { id: _id, ...changes } = row;
  if (known === undefined) await insertCluster(writer, row);
  else await updateCluster(writer, id, changes);
  await queueCatalogCopy(writer, context);
  return row;
}

/** What its owner decided about it; a cluster that comes back is treated as before. */
function standing(known: ClusterRow | undefined) {
  return {
    backupEnabled: known?.backupEnabled ?? 1,
    paused: known?.paused ?? 0,
    retainBackups: known?.retainBackups ?? 0,
    terminationProtected: known?.terminationProtected ?? 0,
  } as const;
}

/** The columns that say what the cluster said of itself. */
export function factsOf(facts: ProbedCluster, probedAtMs: number) {
  return {
    replicaSetName: facts.replicaSetName,
    mongodVersion: facts.mongodVersion,
    featureCompatibilityVersion: facts.featureCompatibilityVersion,
    members: JSON.stringify(facts.members),
    dataBytes: facts.dataBytes,
    probedAtMs,
    probeFailedAtMs: null,
    probeFailure: null,
  };
}

function clusterOf(row: ClusterRow, restoreInProgress: boolean): Cluster {
  const { sealedUri: _sealed, registeredAtMs: _registered, deletedAtMs: _deleted, members, ...shown } = row;
  return { ...shown, members: decodeMembers(members), restoreInProgress };
}
