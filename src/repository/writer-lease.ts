import { assert } from '../lib/assert.ts';
import { describeError, Fault, messageOf } from '../lib/errors.ts';
import { encodeLeaseJson, type LeaseCover } from './format/lease-json.ts';
import { leaseKey, type SnapshotPlace } from './object-keys.ts';
import type { Repository } from './repository.ts';

const REFRESH_MS = 2 * 60_000;
const REFRESH_AGAIN_MS = 20_000;
/** Half of the time for which others count the lease, and some room for what was on its way. */
const LOST_AFTER_MS = 7 * 60_000;

interface LeaseOptions extends SnapshotPlace {
  covers: LeaseCover;
  parentSnapshotId: string | null;
  /** Told once, where the lease could not be kept: the holder writes nothing more. */
  onLost: (fault: Fault) => void;
}

/**
 * Says in the repository itself that somebody writes blobs, so that the prune of a service that shares nothing else
 * with this one leaves them alone (`docs/repository-format.md`, Leases). Put before the first blob and refreshed until
 * `end`.
 */
export class WriterLease {
  readonly #repository: Repository;
  readonly #options: LeaseOptions;
  readonly #objectKey: string;
  readonly #stop = new AbortController();
  #held: Promise<void> | undefined;
  #keeping: Promise<void> = Promise.resolve();
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  #lost: Fault | undefined;

  constructor(repository: Repository, options: LeaseOptions) {
    this.#repository = repository;
    this.#options = options;
    this.#objectKey = leaseKey(options, repository.random.bytes(12).toString('hex'));
  }

  /** Resolves once the lease is in the repository. */
  async hold(signal: AbortSignal): Promise<void> {
    this.#held ??= this.#begin(signal);
    await this.#held;
    if (this.#lost !== undefined) throw this.#lost;
  }

  async #begin(signal: AbortSignal): Promise<void> {
    assert(!this.#stop.signal.aborted, 'a lease that was given back is not held again');
    await this.#put(false, signal);
    if (!this.#stop.signal.aborted) this.#keeping = this.#keep();
  }

  /**
   * Gives the lease back, and resolves when nothing of it goes on. A lease that cannot be taken away lapses by itself.
   */
  async end(outcome: 'committed' | 'failed'): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    if (this.#held === undefined) return;
    await this.#held.catch(() => undefined);
    await this.#keeping;
    const { store } = this.#repository;
    // On a full disk nothing can be written, but what is there can be deleted.
    const mark = outcome === 'failed' ? this.#put(true) : store.delete(this.#objectKey);
    await mark.catch(async () => await store.delete(this.#objectKey)).catch(() => undefined);
  }

  async #keep(): Promise<void> {
    const { clock } = this.#repository;
    const { signal } = this.#stop;
    let waitMs = REFRESH_MS;
    while (!signal.aborted) {
      try {
        await clock.sleep(waitMs, signal);
        await this.#put(false, signal);
        waitMs = REFRESH_MS;
      } catch (error) {
        if (signal.aborted) return;
        waitMs = REFRESH_AGAIN_MS;
        if (clock.monotonicMs() - this.#refreshedAtMs < LOST_AFTER_MS) continue;
        return this.#lose(error);
      }
    }
  }

  #lose(cause: unknown): void {
    this.#lost = new Fault({
      op: 'refresh the lease',
      subject: this.#objectKey,
      message: `the lease ${this.#objectKey} could not be refreshed for ${LOST_AFTER_MS / 60_000} minutes, so what is written may be pruned: ${messageOf(cause)}`,
      retryable: true,
      hint: describeError(cause),
    });
    this.#options.onLost(this.#lost);
  }

  async #put(ended: boolean, signal?: AbortSignal): Promise<void> {
    const { store, clock } = this.#repository;
    const { covers, parentSnapshotId } = this.#options;
    assert(!ended || this.#stop.signal.aborted, 'what is said to be over is not kept');
    const startedMs = clock.monotonicMs();
    await store.put(this.#objectKey, encodeLeaseJson({ covers, parentSnapshotId, ended }), { signal });
    this.#refreshedAtMs = startedMs;
  }
}
