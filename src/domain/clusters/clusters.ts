import type { ClusterMember } from '../../catalog/clusters.ts';
import type { ClusterType } from '../../catalog/schema.ts';
import type { Giver } from '../../mongo/connection/connection-options.ts';
import type { ConnectionParts } from '../../mongo/connection/connection-string.ts';
import type { ProcessSettings } from '../cluster-facts/cluster-probe.ts';
import type { ClusterName, Page, PageRequest } from '../names.ts';

export type { ClusterMember } from '../../catalog/clusters.ts';

/** A registered cluster. The connection string with its secrets never leaves the domain. */
export interface Cluster {
  id: string;
  projectId: string;
  name: string;
  type: ClusterType;
  /** Without user name and password. */
  displayUri: string;
  replicaSetName: string | null;
  mongodVersion: string | null;
  featureCompatibilityVersion: string | null;
  members: ClusterMember[];
  /** Size of its data when last looked at. */
  dataBytes: number | null;
  probedAtMs: number | null;
  createdAtMs: number;
  /** Why the last look at it failed; null when it answered. What is said above is then of `probedAtMs`. */
  probeFailure: string | null;
  /** A restore is replacing its data right now. */
  restoreInProgress: boolean;
  backupEnabled: boolean;
  /** Its oplog is captured, so that it can be restored to any second of its window. */
  pitEnabled: boolean;
  /** Left alone by its owner's wish: nothing is read from it and nothing is restored into it. */
  paused: boolean;
  /** Whether its snapshots outlive it where `terminate` does not say. */
  retainBackups: boolean;
  terminationProtectionEnabled: boolean;
}

/** What its owner may decide about a cluster; what is left out stays. */
export interface ClusterChange {
  /** False: its snapshots are deleted, unless `retainBackups` is true. */
  backupEnabled?: boolean;
  pitEnabled?: boolean;
  retainBackups?: boolean;
  paused?: boolean;
  terminationProtectionEnabled?: boolean;
}

/**
 * How to get at a cluster, and who says so. What a client may say is narrower than what the operator of this machine
 * may: `docs/connection-strings.md`.
 */
export interface GivenConnection {
  uri: string;
  /** A client where left out. */
  giver?: Giver;
  /** What came beside the string. */
  parts?: ConnectionParts;
}

export interface ConnectedNow extends Cluster {
  /** Options of the string that Tidemark sets itself. */
  overriddenOptions: string[];
  /** What its user may not do and snapshots need, as tried: the privilege, and the role that has it. */
  missingPrivileges: string[];
}

export interface Clusters {
  list(query: { projectId: string; page: PageRequest }): Promise<Page<Cluster>>;
  get(cluster: ClusterName): Promise<Cluster>;
  /**
   * Connects first: what cannot be reached or is not a replica set is refused. `scheduled: false`: no snapshots are
   * taken by themselves, as of a cluster that is only a target.
   */
  register(
    request: { projectId: string; name: string; scheduled?: boolean } & GivenConnection & { signal?: AbortSignal },
  ): Promise<ConnectedNow>;
  /**
   * Another connection string for the same cluster: new credentials, other hosts. Tried before it is taken; schedule,
   * snapshots and policies stay as they are.
   */
  reconnect(request: ClusterName & GivenConnection & { signal?: AbortSignal }): Promise<ConnectedNow>;
  update(request: ClusterName & { change: ClusterChange }): Promise<Cluster>;
  /**
   * Forgets the connection string. Its snapshots stay and can be restored elsewhere, unless they are to be deleted with
   * it.
   */
  remove(request: ClusterName & { deleteSnapshots?: boolean }): Promise<void>;
  /** The same in Atlas's words: where the request does not say, the cluster's own `retainBackups` decides. */
  terminate(request: ClusterName & { retainBackups?: boolean }): Promise<void>;
  /** Asked of the live cluster. */
  processSettings(request: ClusterName & { signal?: AbortSignal }): Promise<ProcessSettings>;
}
