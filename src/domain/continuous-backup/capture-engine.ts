import type { Timestamp64 } from '../../bson/timestamp.ts';
import type { ClusterTailProgress } from '../../engine/tail/tail-cluster.ts';
import type { CapturedRun } from './point-in-time.ts';

export interface CaptureGap {
  from: Timestamp64;
  cause: string;
  at: string;
}

/** What is captured of one replica set. */
export interface CaptureCoverage {
  runs: CapturedRun[];
  gaps: CaptureGap[];
  storedBytes: number;
}

/** The captured oplog of a cluster: written by the tailer, asked by the rules. */
export interface CaptureEngine {
  /** Of all its replica sets where it is sharded. Ends only by throwing, and soon after the signal fires. */
  tail(request: {
    clusterId: string;
    uri: string;
    signal: AbortSignal;
    /** Asked again and again: as soon as what was read reaches this, it is stored. Null where nobody waits. */
    wantedUpTo: () => Timestamp64 | null;
    /** After every slice, and in between when how far it is behind has changed. */
    onProgress: (progress: ClusterTailProgress) => void;
  }): Promise<never>;
  coverage(source: { clusterId: string; replicaSetName: string }): Promise<CaptureCoverage>;
  /** Deletes what ends at or before `upTo`, or all of it. Returns the bytes freed. */
  prune(source: { clusterId: string; replicaSetName: string }, upTo: Timestamp64 | null): Promise<number>;
}
