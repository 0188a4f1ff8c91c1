import { describeError, Fault } from '../../lib/errors.ts';
import { overriddenOptions, whyRefused, withParts } from '../../mongo/connection/connection-string.ts';
import type { ClusterProbe } from '../cluster-facts/cluster-probe.ts';
import type { DomainContext } from '../context.ts';
import { refuse } from '../refusals/refusals.ts';
import type { GivenConnection } from './clusters.ts';
import { displayUri } from './display-uri.ts';

/** A connection string that was looked at and not yet tried. */
export interface CheckedConnection {
  /** With what came beside it: what is kept and connected with. */
  uri: string;
  /** For people. */
  shown: string;
  overridden: string[];
}

/** Refuses what whoever gave it may not say. Nothing was looked up or connected to yet. */
export function checkConnection(
  { uri, giver = 'client', parts = {} }: GivenConnection,
  cluster: { projectId: string; name: string },
  probe: Pick<ClusterProbe, 'identityRefusal'>,
): CheckedConnection {
  const shown = displayUri(uri);
  if (shown === null)
    throw refuse('INVALID_CLUSTER_URI', [cluster.name, 'it is not a mongodb:// or mongodb+srv:// connection string']);
  const identity = parts.identity === undefined ? null : probe.identityRefusal(parts.identity, cluster.projectId);
  const why = whyRefused(uri, giver, parts) ?? identity;
  if (why !== null) throw refuse('INVALID_CLUSTER_URI', [cluster.name, why]);
  return { uri: withParts(uri, parts), shown, overridden: overriddenOptions(uri) };
}

/** Said once, when the string is given: from then on it is as if they were not there. */
export function logOverridden(
  { log }: Pick<DomainContext, 'log'>,
  cluster: { projectId: string; name: string },
  { overridden }: CheckedConnection,
): void {
  if (overridden.length === 0) return;
  const { projectId, name: clusterName } = cluster;
  log.info({ projectId, clusterName, options: overridden }, 'options of a connection string that Tidemark sets itself');
}

/** Told and logged, not refused: what is missing may be given later, and a mere target needs none of it. */
export async function triedPrivileges(
  { log }: Pick<DomainContext, 'log'>,
  probe: Pick<ClusterProbe, 'missingPrivileges'>,
  cluster: { projectId: string; name: string; connection: CheckedConnection; signal?: AbortSignal | undefined },
): Promise<string[]> {
  const { projectId, name, connection, signal } = cluster;
  const missing = await asked(name, async () => await probe.missingPrivileges(connection.uri, { signal }));
  if (missing.length > 0)
    log.warn({ projectId, clusterName: name, missing }, 'the user of a cluster may not do all that snapshots need');
  return missing;
}

/** What the cluster answers; a Fault on the way becomes the caller's to mend. */
export async function asked<T>(name: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // Told apart by the step that failed: a deployment that answered but cannot be backed up is not a matter of
    // reaching it.
    throw refuse(error.op === 'connect' ? 'CLUSTER_UNREACHABLE' : 'CLUSTER_UNSUITABLE', [name, describeError(error)]);
  }
}
