import { decodeMembers, findCluster, updateCluster, uriContext } from '../../catalog/clusters.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { newestCompletedSnapshot } from '../../catalog/snapshots.ts';
import { must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { ClusterProbe, ProbedCluster } from '../cluster-facts/cluster-probe.ts';
import { factsOf } from '../cluster-facts/live-facts.ts';
import type { DomainContext } from '../context.ts';
import { type ConnectedCluster, requireConnectedCluster } from '../find-resource.ts';
import type { ClusterName } from '../names.ts';
import { refuse } from '../refusals/refusals.ts';
import type { Manifests } from '../snapshots/snapshot-engine.ts';
import type { GivenConnection } from './clusters.ts';
import { DEPLOYMENT_NAMES } from './describe-deployment.ts';
import { asked, type CheckedConnection, checkConnection, logOverridden, triedPrivileges } from './given-connection.ts';

type Request = ClusterName & GivenConnection & { signal?: AbortSignal | undefined };

/**
 * Another connection string for a cluster. Everything that hangs on the cluster stays, so that it has to be proven the
 * same: snapshots and captured oplog of one deployment continued by those of another would restore to neither. Whoever
 * tails the cluster sees the change and begins anew.
 */
export async function reconnect(
  context: DomainContext,
  { probe, manifests }: { probe: ClusterProbe; manifests: Manifests },
  request: Request,
): Promise<{ row: ClusterRow; overridden: string[]; missing: string[] }> {
  const { catalog, clock, secretBox } = context;
  const { signal } = request;
  const cluster = await requireConnectedCluster(catalog.reader, request);
  const checked = checkConnection(request, cluster, probe);
  const found = await asked(cluster.name, async () => await probe.describe(checked.uri, { signal }));
  await requireSameCluster(context, { probe, manifests, signal }, cluster, found);
  const about = { projectId: cluster.projectId, name: cluster.name, connection: checked, signal };
  const missing = await triedPrivileges(context, probe, about);
  const row = await catalog.transact(async (writer) => {
    const current = await requireConnectedCluster(writer, request);
    // Removed and registered anew, or reconnected by somebody else, while the string was tried.
    if (current.id !== cluster.id || current.sealedUri !== cluster.sealedUri)
      throw refuse('CLUSTER_CHANGED_MEANWHILE', [cluster.name]);
    await updateCluster(writer, cluster.id, {
      sealedUri: secretBox.seal(checked.uri, uriContext(cluster.id)),
      displayUri: checked.shown,
      ...factsOf(found, clock.nowMs()),
    });
    return must(await findCluster(writer, cluster.id), 'a cluster is not deleted');
  });
  logReconnected(context, row, checked);
  return { row, overridden: checked.overridden, missing };
}

function logReconnected(context: DomainContext, row: ClusterRow, checked: CheckedConnection): void {
  const { projectId, name, displayUri } = row;
  context.log.info(
    { projectId, clusterName: name, connectionString: displayUri },
    'a cluster has a new connection string',
  );
  logOverridden(context, row, checked);
}

interface Proving {
  probe: ClusterProbe;
  manifests: Manifests;
  signal: AbortSignal | undefined;
}

/**
 * By the id that a replica set has from its initiation to its end. It is in every manifest, and in the configuration
 * that the old connection may still read.
 */
async function requireSameCluster(
  context: DomainContext,
  proving: Proving,
  cluster: ConnectedCluster,
  found: ProbedCluster,
): Promise<void> {
  const different = (why: string) => refuse('CLUSTER_NOT_THE_SAME', [cluster.name, why]);
  if (found.topology !== cluster.type)
    throw different(
      `it is a ${DEPLOYMENT_NAMES[found.topology]} where ${cluster.name} is a ${DEPLOYMENT_NAMES[cluster.type]}`,
    );
  const known = await knownIdOf(context, proving, cluster);
  if (known.id !== null) {
    if (found.replicaSetId === null)
      throw different('the user may not read its configuration (replSetGetConfig), which has the id that proves it');
    if (found.replicaSetId !== known.id)
      throw different(`its replica set ${found.replicaSetName} has the id ${found.replicaSetId}, not ${known.id}`);
    return;
  }
  // Nothing that has the id: what is left is the name, and where there are snapshots a member that stayed.
  if (cluster.replicaSetName !== null && found.replicaSetName !== cluster.replicaSetName)
    throw different(`its replica set is called ${found.replicaSetName}, not ${cluster.replicaSetName}`);
  const hosts = new Set(decodeMembers(cluster.members).map(({ host }) => host));
  if (known.hasSnapshots && !found.members.some(({ host }) => hosts.has(host)))
    throw different(
      'no snapshot names the id of its replica set, the old connection cannot be asked, and no member is the same',
    );
}

async function knownIdOf(
  { catalog, secretBox }: DomainContext,
  { probe, manifests, signal }: Proving,
  cluster: ConnectedCluster,
): Promise<{ id: string | null; hasSnapshots: boolean }> {
  const newest = await newestCompletedSnapshot(catalog.reader, {
    clusterId: cluster.id,
    requestedSinceMs: cluster.registeredAtMs,
  });
  const name = newest === undefined ? null : { clusterId: cluster.id, snapshotId: newest.id };
  const manifest = name === null ? null : await manifests.read(name, signal);
  const written = manifest?.header.replicaSetId ?? null;
  if (written !== null) return { id: written, hasSnapshots: true };
  try {
    const old = await probe.describe(secretBox.open(cluster.sealedUri, uriContext(cluster.id)), { signal });
    return { id: old.replicaSetId, hasSnapshots: newest !== undefined };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { id: null, hasSnapshots: newest !== undefined };
  }
}
