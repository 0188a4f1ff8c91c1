import type { Timestamp64 } from '../../bson/timestamp.ts';
import type { CheckpointToken } from '../../engine/checkpoint/checkpoint-token.ts';
import type { BalancerRecord } from '../snapshots/snapshot-engine.ts';

/** Marks a moment in every oplog of a sharded cluster, and finds the marks again in what was captured. */
export interface CheckpointEngine {
  /** When it resolves every replica set has its token, told by `onTokens`, and the balancer is given back. */
  take(request: {
    uri: string;
    checkpointId: string;
    balancerRecord: BalancerRecord;
    signal: AbortSignal;
    /** Who is to get a token, the config servers last. */
    onReplicaSets: (replicaSets: readonly Omit<CheckpointToken, 'ts'>[]) => Promise<void>;
    onHeld: () => Promise<void>;
    /**
     * All of them and the time at or after them; without a time those that were written although others could not be.
     */
    onTokens: (tokens: readonly CheckpointToken[], at: Timestamp64 | null) => Promise<void>;
    onBalancerReleased: (heldMs: number) => void;
  }): Promise<void>;
  /** Resolves with why not, for each token that was not seen within the time. */
  find(request: {
    clusterId: string;
    checkpointId: string;
    tokens: readonly CheckpointToken[];
    at: Timestamp64;
    waitMs: number;
    mayBeThere: (token: CheckpointToken) => Promise<boolean>;
    onFound: (token: CheckpointToken) => Promise<void>;
    signal: AbortSignal;
  }): Promise<string[]>;
}
