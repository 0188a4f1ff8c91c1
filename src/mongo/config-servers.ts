import type { Document, MongoClient } from 'mongodb';
import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { connectCluster, redactUri } from './connection/connect.ts';
import { asFault } from './errors.ts';

const STOP_MS_MAX = 60_000;
const POLL_MS = 50;

/**
 * The balancer of a sharded cluster, by way of its config servers' primary. These are the commands that a mongos sends
 * for `balancerStop` and `balancerStart`; they need the action `internal` under access control.
 */
export class ConfigServers {
  readonly #client: MongoClient;
  readonly #name: string;

  private constructor(client: MongoClient, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /** `uri`: of the config servers' replica set. */
  static async connect(uri: string, signal?: AbortSignal): Promise<ConfigServers> {
    return new ConfigServers(await connectCluster(uri, { signal }), redactUri(uri));
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Whether it may move anything: `full`, `autoSplitOnly` and `off` are what servers know. */
  async isBalancing(): Promise<boolean> {
    return (await this.#command({ _configsvrBalancerStatus: 1 })).mode === 'full';
  }

  /** From now on no migration begins by itself, and the round at work has ended when this resolves. */
  async stopBalancer(clock: Clock, signal: AbortSignal): Promise<void> {
    await this.#command({ _configsvrBalancerStop: 1, maxTimeMS: STOP_MS_MAX });
    const deadline = clock.monotonicMs() + STOP_MS_MAX;
    while ((await this.#command({ _configsvrBalancerStatus: 1 })).inBalancerRound === true) {
      if (clock.monotonicMs() > deadline) {
        throw new Fault({
          op: 'stop the balancer',
          subject: this.#name,
          message: `the balancer's round did not end within ${STOP_MS_MAX / 1000} s`,
          hint: 'Take the snapshot when no large migration is under way',
        });
      }
      await clock.sleep(POLL_MS, signal);
    }
  }

  async startBalancer(): Promise<void> {
    await this.#command({ _configsvrBalancerStart: 1, maxTimeMS: STOP_MS_MAX });
  }

  async #command(command: Document): Promise<Document> {
    try {
      return await this.#client.db('admin').command(command);
    } catch (error) {
      throw asFault(error, Object.keys(command)[0] ?? 'command', this.#name);
    }
  }
}
