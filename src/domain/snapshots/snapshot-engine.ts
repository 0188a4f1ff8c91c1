import type { ReportProgress } from '../../lib/progress.ts';
import type { ManifestHeader, ManifestRetention } from '../../repository/format/manifest.ts';
import type { ProbedCluster } from '../cluster-facts/cluster-probe.ts';
import type { SnapshotName } from '../names.ts';

export interface SnapshotNamespace {
  db: string;
  collection: string;
}

/** What a manifest says of its snapshot. */
export interface ManifestFacts {
  header: ManifestHeader;
  /** All objects the snapshot is made of, its manifest included. */
  storageSizeBytes: number;
}

export interface TakeRequest extends SnapshotName {
  uri: string;
  clusterName: string;
  projectId: string;
  /** The newest completed snapshot of the cluster, pinned for as long as this one is being taken. */
  parent: SnapshotName | null;
  /** What to write down of its retention, which counts from its end. */
  retentionAt: (finishedAtMs: number) => ManifestRetention;
  /** Where it is written down that the balancer of a sharded cluster is stopped by us. */
  balancerRecord: BalancerRecord;
  /** Told what the cluster says of itself, before anything of it is read; what this throws ends the taking. */
  whenFound: (facts: ProbedCluster) => Promise<void>;
  signal: AbortSignal;
  report: ReportProgress;
}

/** Written before the balancer is stopped; erased after it was started again. */
export interface BalancerRecord {
  write(): Promise<void>;
  erase(): Promise<void>;
}

/**
 * Moves data from a cluster into the repository. When it resolves the manifest is there; when it rejects there is none.
 */
export interface SnapshotEngine {
  take(request: TakeRequest): Promise<ManifestFacts>;
  /** Of the sharded cluster that the connection string leads to. */
  startBalancer(uri: string): Promise<void>;
}

/** The repository's manifests, as the rules need them. */
export interface Manifests {
  /** Null where there is none; a Damage where it cannot be read. */
  read(name: SnapshotName, signal?: AbortSignal): Promise<ManifestFacts | null>;
  /** Every collection and view that it names. Null where there is no manifest; a Damage where it cannot be read. */
  namespaces(name: SnapshotName): Promise<SnapshotNamespace[] | null>;
  list(): AsyncIterable<SnapshotName>;
  /** Succeeds where there is none. */
  delete(name: SnapshotName): Promise<void>;
}
