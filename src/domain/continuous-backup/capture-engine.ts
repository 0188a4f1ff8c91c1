import type { Timestamp64 } from '../../bson/timestamp.ts';
import type { CapturedRun } from './point-in-time.ts';

/** What the tailer says of itself, after every slice and while it is idle. */
export interface CaptureProgress {
  /** Null of a sharded cluster, which has one for each of its members. */
  host: string | null;
  /** Of a sharded cluster: what every member is captured up to. */
  captured: { ts: Timestamp64 } | null;
  /** Of a sharded cluster: of the member that is behind most. */
  lagSeconds: number;
  /** The replica sets of a sharded cluster, the config servers last; null of a replica set. */
  members: readonly MemberCaptureProgress[] | null;
}

export interface MemberCaptureProgress {
  /** `config` for the config servers. */
  shardName: string;
  configServer: boolean;
  replicaSetName: string;
  host: string | null;
  captured: { ts: Timestamp64 } | null;
  lagSeconds: number | null;
  updatedAtMs: number;
  failure: string | null;
}

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
    onProgress: (progress: CaptureProgress) => void;
  }): Promise<never>;
  coverage(source: { clusterId: string; replicaSetName: string }): Promise<CaptureCoverage>;
  /** Deletes what ends at or before `upTo`, or all of it. Returns the bytes freed. */
  prune(source: { clusterId: string; replicaSetName: string }, upTo: Timestamp64 | null): Promise<number>;
}
