import type { Generated } from 'kysely';

/**
 * Tables of organizations, projects and clusters, and of what belongs to a cluster or a project as such.
 * Rules for all of them: `../schema.ts`.
 */

/** 0 is no, 1 is yes. */
export type Flag = 0 | 1;

export interface OrganizationTable {
  id: string;
  name: string;
  createdAtMs: number;
  /** JSON: what was changed of `OrganizationSettings` in `catalog/organizations.ts`. */
  settings: Generated<string>;
}

export interface ProjectTable {
  id: string;
  organizationId: string;
  /**
   * Unique in the whole service: `groups/byName/{groupName}` names no organization. A deleted one gives its name back.
   */
  name: string;
  createdAtMs: number;
  /** JSON: what was changed of `ProjectSettings` in `catalog/projects.ts`. */
  settings: Generated<string>;
  deletedAtMs: Generated<number | null>;
}

export type ClusterType = 'replicaSet' | 'sharded';

export interface ClusterTable {
  id: string;
  projectId: string;
  /** Unique among the project's clusters that are not deleted. */
  name: string;
  type: ClusterType;
  /** The connection string, sealed; null once the cluster is removed, or where a rebuild found no secret. */
  sealedUri: string | null;
  /** The connection string without user name, password and options that may hold one: for people. */
  displayUri: string;
  replicaSetName: string | null;
  mongodVersion: string | null;
  featureCompatibilityVersion: string | null;
  /** JSON: `ClusterMember[]` of `catalog/clusters.ts`, as last seen. */
  members: string;
  dataBytes: number | null;
  /** When the four above were read from the cluster. */
  probedAtMs: number | null;
  createdAtMs: number;
  /**
   * Last registration. A snapshot requested earlier is never a parent: its oplog position may be another deployment's.
   */
  registeredAtMs: number;
  deletedAtMs: number | null;
  /** Snapshots may be taken of it. */
  backupEnabled: Generated<Flag>;
  /** Left alone by its owner's wish: nothing is read from it and nothing is restored into it. */
  paused: Generated<Flag>;
  /** Whether its snapshots outlive it where the request to delete it does not say. */
  retainBackups: Generated<Flag>;
  terminationProtected: Generated<Flag>;
  /** Both set when the last look at it failed, and what is known of it is that of `probedAtMs`. */
  probeFailedAtMs: Generated<number | null>;
  probeFailure: Generated<string | null>;
  /** Its oplog is captured continuously, for restores to any second. */
  pitEnabled: Generated<Flag>;
}

/** The last word of a cluster's tailer. Coverage itself is a query on the repository. */
export interface CaptureTable {
  clusterId: string;
  replicaSetName: string | null;
  /** The member that was read last. */
  host: string | null;
  /** Time of the last entry in the repository; null while nothing is. */
  capturedT: number | null;
  capturedI: number | null;
  lagSeconds: number | null;
  updatedAtMs: number;
  /** Why the last tailer ended; null while one is at work. */
  failure: string | null;
  /**
   * JSON: how far each replica set of a sharded cluster is captured, as
   * `domain/continuous-backup/captured-replica-sets.ts` writes and reads it; null of a replica set.
   */
  members: string | null;
  /** Up to here somebody waits for it; null where nobody ever did. */
  wantedT: Generated<number | null>;
  wantedI: Generated<number | null>;
}

export type CloudProvider = 'AWS' | 'AZURE' | 'GCP';

/** An identity at a cloud provider under which buckets there are used. */
export interface CloudProviderAccessRoleTable {
  id: string;
  projectId: string;
  cloudProvider: CloudProvider;
  /** AWS: a UUID that the trust policy of the role demands. */
  externalId: string | null;
  /** AWS; null until authorized. */
  assumedRoleArn: string | null;
  /** Azure, all three. */
  azureAppId: string | null;
  azureTenantId: string | null;
  azureServicePrincipalId: string | null;
  createdAtMs: number;
  updatedAtMs: number;
  authorizedAtMs: number | null;
  deletedAtMs: number | null;
}

/** An object-storage private endpoint as it was asked for; no network is built. At most one a region of a project. */
export interface PrivateEndpointTable {
  id: string;
  projectId: string;
  cloudProvider: CloudProvider;
  /** As Atlas spells regions: `US_EAST_1`. */
  regionName: string;
  vpcRegionName: string;
  createdAtMs: number;
  deletedAtMs: number | null;
}

/**
 * Its balancer was stopped by us and has to be started again. Written before it is stopped, erased after it was
 * started.
 */
export interface BalancerHoldTable {
  clusterId: string;
  heldAtMs: number;
  /** Whose work it is stopped for: that task gives it back, and once it has ended anybody may. */
  taskId: string | null;
}
