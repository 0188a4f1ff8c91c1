import type { Timestamp64 } from '../../lib/timestamp.ts';
import type { CapturedRun } from './point-in-time.ts';

/** What the tailer says of itself, after every slice and while it is idle. */
export interface CaptureProgress {
  host: string;
  captured: { ts: Timestamp64 } | null;
  lagSeconds: number;
}

export interface CaptureGap {
  from: Timestamp64;
  cause: string;
  at: string;
}

/** The captured oplog of a cluster: written by the tailer, asked by the rules. */
export interface CaptureEngine {
  /** Ends only by throwing, and soon after the signal fires. */
  tail(request: {
    clusterId: string;
    uri: string;
    signal: AbortSignal;
    onProgress: (progress: CaptureProgress) => void;
  }): Promise<never>;
  coverage(source: {
    clusterId: string;
    replicaSetName: string;
  }): Promise<{ runs: CapturedRun[]; gaps: CaptureGap[]; storedBytes: number }>;
  /** Deletes what ends at or before `upTo`, or all of it. Returns the bytes freed. */
  prune(source: { clusterId: string; replicaSetName: string }, upTo: Timestamp64 | null): Promise<number>;
}
