import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { findReplicaSets } from '../../mongo/cluster-replica-sets.ts';
import { ConfigServers } from '../../mongo/config-servers.ts';
import type { SharedHold } from './agreement.ts';

/**
 * Where it is written down, so that it outlives this process, that a cluster's balancer is stopped by us and has to be
 * started again.
 */
export interface HoldRecord {
  /** Resolves once it is durable. Before the balancer is stopped. */
  write(): Promise<void>;
  /** After the balancer was started again. */
  erase(): Promise<void>;
}

export interface BalancerHoldOptions {
  /** Of the config servers. */
  uri: string;
  record: HoldRecord;
  /** Told how long it was held. */
  onReleased?: (heldMs: number) => void;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}

/**
 * Keeps the balancer from moving chunks. One that is off anyway is left as it is. Given back also when its taking
 * failed half way.
 */
export function balancerHold(options: BalancerHoldOptions): SharedHold {
  const { uri, record, clock, log, signal } = options;
  let takenAtMs: number | null = null;
  return {
    take: async () => {
      const config = await ConfigServers.connect(uri, signal);
      try {
        if (!(await config.isBalancing())) return;
        await record.write();
        takenAtMs = clock.monotonicMs();
        await config.stopBalancer(clock, signal);
      } finally {
        await config.close();
      }
    },
    giveBack: async () => {
      if (takenAtMs === null) return;
      await startBalancer(uri);
      const heldMs = clock.monotonicMs() - takenAtMs;
      takenAtMs = null;
      await record.erase();
      log.info({ heldMs: Math.round(heldMs) }, 'the balancer was given back');
      options.onReleased?.(heldMs);
    },
  };
}

/** Starts the balancer of the cluster that the connection string leads to; nothing where that has none. */
export async function startBalancerOf(uri: string): Promise<void> {
  const config = (await findReplicaSets(uri))?.find((one) => one.configServer);
  if (config !== undefined) await startBalancer(config.uri);
}

/** Also when the work was cancelled: what was stopped is started. */
export async function startBalancer(uri: string): Promise<void> {
  const config = await ConfigServers.connect(uri);
  try {
    await config.startBalancer();
  } finally {
    await config.close();
  }
}
