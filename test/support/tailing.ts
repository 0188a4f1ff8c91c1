import assert from 'node:assert/strict';
import type { Timestamp } from 'mongodb';
import { type Timestamp64, timestampOf } from '../../src/bson/timestamp.ts';
import { type TailLimits, type TailProgress, tailOplog } from '../../src/engine/tail/tail-oplog.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { Cancelled } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { type ReplicaSet, until } from './replica-set.ts';

const QUICK: Partial<TailLimits> = { sliceMs: 200, pollMs: 20 };

/** A tailer at work beside a test, as a worker would run it. */
export class Tailing {
  static readonly #atWork = new Set<Tailing>();
  readonly #source: ReplicaSet;
  readonly #controller = new AbortController();
  readonly #ended: Promise<unknown>;
  last: TailProgress | null = null;
  /** Set when the tailer ended by itself. */
  failure: unknown = null;

  constructor(
    source: ReplicaSet,
    options: { repository: Repository; clusterId: string; limits?: Partial<TailLimits>; uri?: string },
  ) {
    this.#source = source;
    this.#ended = tailOplog({
      uri: options.uri ?? source.uri,
      repository: options.repository,
      clusterId: options.clusterId,
      limits: { ...QUICK, ...options.limits },
      clock: systemClock,
      log: silentLogger,
      signal: this.#controller.signal,
      onProgress: (progress) => {
        this.last = progress;
      },
    });
    Tailing.#atWork.add(this);
    this.#ended.catch((error: unknown) => {
      Tailing.#atWork.delete(this);
      if (!(error instanceof Cancelled)) this.failure = error;
    });
  }

  /** For `after`: a tailer that a failed test left behind would keep the process. */
  static stopAll(): void {
    for (const tailing of Tailing.#atWork) tailing.#controller.abort(new Cancelled());
  }

  /** Resolves once the tailer follows the oplog: whatever is written from now on will be captured. */
  async begun(): Promise<void> {
    await until('the tailer has begun', async () => this.#told());
  }

  /** Writes a mark to the source's oplog and waits until it is captured; its time. */
  async mark(): Promise<Timestamp64> {
    await this.begun();
    const command = { appendOplogNote: 1, data: { mark: 1 }, writeConcern: { w: 'majority' } };
    const { operationTime } = await this.#source.client.db('admin').command(command);
    const wanted = timestampOf(operationTime as Timestamp);
    await until('the tailer has captured a mark', async () =>
      (this.#told()?.captured?.ts ?? 0n) >= wanted ? true : null,
    );
    return wanted;
  }

  /** Ends it as the loss of its lease would. */
  async stop(): Promise<void> {
    this.#controller.abort(new Cancelled());
    await assert.rejects(this.#ended, Cancelled);
  }

  #told(): TailProgress | null {
    if (this.failure !== null) throw new Error('the tailer has failed', { cause: this.failure });
    return this.last;
  }
}
