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
import { replacePolicyItems } from '../../catalog/schedules.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import type { ClusterProbe, ProbedCluster } from '../cluster-facts/cluster-probe.ts';
import { factsOf, LiveFacts } from '../cluster-facts/live-facts.ts';
import type { DomainContext } from '../context.ts';
import { requireConnectedCluster, requireProject } from '../find-resource.ts';
import type { ClusterName } from '../names.ts';
import { requireScheduleKept } from '../policies/enforcement.ts';
import { scheduleOf } from '../policies/stored-schedule.ts';
import { refuse } from '../refusals/refusals.ts';
import { beginBackup } from '../schedules/raise-project.ts';
import type { Manifests } from '../snapshots/snapshot-engine.ts';
import { applyClusterChange, terminateCluster } from './cluster-changes.ts';
import type { Cluster, Clusters } from './clusters.ts';
import { asked, type CheckedConnection, checkConnection, logOverridden, triedPrivileges } from './given-connection.ts';
import { reconnect } from './reconnect.ts';

/** Atlas's rule for cluster names. */
const CLUSTER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9-]{0,63}$/;

export function createClusters(context: DomainContext, probe: ClusterProbe, manifests: Manifests): Clusters {
  const { catalog } = context;
  const live = new LiveFacts(context, probe);

  return {
    list: async (query) => {
      await requireProject(catalog.reader, query.projectId);
      const found = await listClusters(catalog.reader, query);
      const page = { ...found, items: await live.refreshed(found.items) };
      const ids = page.items.map((row) => row.id);
      const restoring = await clustersBeingRestored(catalog.reader, ids);
      return mapPage(page, (row) => clusterOf(row, restoring.has(row.id)));
    },

    get: async (name) => {
      const row = await requireConnectedCluster(catalog.reader, name);
      const [fresh = row] = await live.refreshed([row]);
      const restoring = await clustersBeingRestored(catalog.reader, [row.id]);
      return clusterOf(fresh, restoring.has(row.id));
    },

    update: async ({ change, ...name }) => {
      const row = await catalog.transact(async (writer) => {
        const cluster = await requireConnectedCluster(writer, name);
        return await applyClusterChange(writer, context, cluster, change);
      });
      const [fresh = row] = await live.refreshed([row]);
      return clusterOf(fresh, (await clustersBeingRestored(catalog.reader, [row.id])).has(row.id));
    },

    register: async ({ projectId, name, signal, scheduled = true, ...given }) => {
      checkName(name);
      const connection = checkConnection(given, { projectId, name }, probe);
      // Refused before the cluster is asked anything; the transaction below looks again.
      await refuseTakenName(catalog.reader, projectId, name);
      const facts = await asked(name, async () => await probe.describe(connection.uri, { signal }));
      const missing = scheduled ? await triedPrivileges(context, probe, { projectId, name, connection, signal }) : [];
      const row = await catalog.transact(async (writer) => {
        const known = await refuseTakenName(writer, projectId, name);
        const written = await writeRegistration(writer, context, { projectId, name, connection, facts, known });
        const begun = await beginBackup(writer, context, written);
        if (!scheduled) await leaveUnscheduled(writer, context, begun);
        return begun;
      });
      logOverridden(context, row, connection);
      return { ...clusterOf(row, false), overriddenOptions: connection.overridden, missingPrivileges: missing };
    },

    reconnect: async (request) => {
      const { row, overridden, missing } = await reconnect(context, { probe, manifests }, request);
      const restoring = await clustersBeingRestored(catalog.reader, [row.id]);
      return { ...clusterOf(row, restoring.has(row.id)), overriddenOptions: overridden, missingPrivileges: missing };
    },

    remove: async ({ deleteSnapshots = false, ...name }) => {
      await terminate(name, () => !deleteSnapshots);
    },

    terminate: async ({ retainBackups, ...name }) => {
      await terminate(name, (cluster) => retainBackups ?? cluster.retainBackups === 1);
    },

    processSettings: async ({ signal, ...name }) => {
      const { id, name: clusterName, sealedUri } = await requireConnectedCluster(catalog.reader, name);
      const uri = context.secretBox.open(sealedUri, uriContext(id));
      return await asked(clusterName, async () => await probe.processSettings(uri, { signal }));
    },
  };

  async function terminate(name: ClusterName, keepsBackups: (cluster: ClusterRow) => boolean): Promise<void> {
    await catalog.transact(async (writer) => {
      const cluster = await requireConnectedCluster(writer, name);
      await terminateCluster(writer, context, cluster, { keepBackups: keepsBackups(cluster) });
    });
  }
}

/** A schedule without items, where the project's policy does not ask for some. */
async function leaveUnscheduled(writer: CatalogWriter, context: DomainContext, cluster: ClusterRow): Promise<void> {
  const { items } = await scheduleOf(writer, context, cluster);
  if (items.length > 0) await requireScheduleKept(writer, cluster.projectId);
  await replacePolicyItems(writer, cluster.id, []);
}

function checkName(name: string): void {
  if (CLUSTER_NAME.test(name)) return;
  const description = 'must be 1 to 64 letters, digits and hyphens, the first not a hyphen';
  throw refuse('VALIDATION_ERROR', [`name ${description}`], [{ field: 'name', description }]);
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

/**
 * A name that was removed is taken up again with its old id, so that its snapshots are found under it. Its next
 * snapshot is nevertheless a first one (`registeredAtMs`): whether the connection string leads to the same data as
 * before nobody can say.
 */
async function writeRegistration(
  writer: CatalogWriter,
  context: DomainContext,
  registration: {
    projectId: string;
    name: string;
    connection: CheckedConnection;
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
    sealedUri: context.secretBox.seal(registration.connection.uri, uriContext(id)),
    displayUri: registration.connection.shown,
    ...factsOf(registration.facts, nowMs),
    createdAtMs: known?.createdAtMs ?? nowMs,
    registeredAtMs: nowMs,
    deletedAtMs: null,
  };
  const { id: _id, ...changes } = row;
  if (known === undefined) await insertCluster(writer, row);
  else await updateCluster(writer, id, changes);
  return row;
}

/** What its owner decided about it; a cluster that comes back is treated as before. */
function standing(known: ClusterRow | undefined) {
  return {
    backupEnabled: known?.backupEnabled ?? 1,
    paused: known?.paused ?? 0,
    retainBackups: known?.retainBackups ?? 0,
    terminationProtected: known?.terminationProtected ?? 0,
    pitEnabled: known?.pitEnabled ?? 0,
  } as const;
}

function clusterOf(row: ClusterRow, restoreInProgress: boolean): Cluster {
  const { sealedUri: _sealed, registeredAtMs: _registered, deletedAtMs: _deleted, ...rest } = row;
  const {
    members,
    backupEnabled,
    paused,
    retainBackups,
    terminationProtected,
    pitEnabled,
    probeFailedAtMs: _failed,
    ...shown
  } = rest;
  return {
    ...shown,
    members: decodeMembers(members),
    restoreInProgress,
    backupEnabled: backupEnabled === 1,
    pitEnabled: pitEnabled === 1,
    paused: paused === 1,
    retainBackups: retainBackups === 1,
    terminationProtectionEnabled: terminationProtected === 1,
  };
}
