import { findCluster, updateCluster, uriContext } from '../../catalog/clusters.ts';
import type { ClusterRow as Row } from '../../catalog/schema.ts';
import { orAbort } from '../../lib/abort.ts';
import { Semaphore } from '../../lib/bounded.ts';
import { Cancelled, describeError, Fault } from '../../lib/errors.ts';
import type { DomainContext } from '../context.ts';
import type { ClusterProbe, ProbedCluster } from './cluster-probe.ts';

/**
 * As long as this what a cluster said of itself is repeated without asking again, and one that did not answer is left
 * in peace.
 */
export const FACTS_FRESH_MS = 30_000;
/** How long somebody who asks about clusters waits for what they say; then the last that was known has to do. */
const LOOK_MS = 5_000;
const LOOKS_AT_ONCE = 8;

/**
 * What the catalog says of a cluster's version, members, size and reachability, kept as fresh as somebody needs it who
 * asks: a look at what is older than half a minute, bounded in time. One look a cluster at a time, whoever asks.
 */
export class LiveFacts {
  readonly #context: DomainContext;
  readonly #probe: ClusterProbe;
  readonly #slots = new Semaphore(LOOKS_AT_ONCE);
  readonly #looking = new Map<string, Promise<void>>();

  constructor(context: DomainContext, probe: ClusterProbe) {
    this.#context = context;
    this.#probe = probe;
  }

  /** The rows, in their order, as they are once those worth a look were looked at. */
  async refreshed(rows: readonly Row[]): Promise<Row[]> {
    const { catalog, clock } = this.#context;
    const stale = rows.filter((row) => this.#isStale(row));
    if (stale.length === 0) return [...rows];
    const bound = new AbortController();
    const over = new AbortController();
    const timed = clock.sleep(LOOK_MS, over.signal).then(
      () => bound.abort(new Cancelled('it did not answer in time')),
      () => undefined,
    );
    try {
      await Promise.all(stale.map(async (row) => await this.#lookOnce(row, bound.signal)));
    } finally {
      over.abort();
      await timed;
    }
    return await Promise.all(
      rows.map(async (row) => (stale.includes(row) ? ((await findCluster(catalog.reader, row.id)) ?? row) : row)),
    );
  }

  #isStale(row: Row): boolean {
    if (row.sealedUri === null || row.paused === 1) return false;
    const lookedAtMs = Math.max(row.probedAtMs ?? 0, row.probeFailedAtMs ?? 0);
    return this.#context.clock.nowMs() - lookedAtMs >= FACTS_FRESH_MS;
  }

  async #lookOnce(row: Row, signal: AbortSignal): Promise<void> {
    let look = this.#looking.get(row.id);
    if (look === undefined) {
      look = this.#look(row, signal).finally(() => this.#looking.delete(row.id));
      this.#looking.set(row.id, look);
    }
    await look;
  }

  async #look(row: Row, signal: AbortSignal): Promise<void> {
    const { catalog, clock, secretBox } = this.#context;
    let release: () => void;
    try {
      release = await this.#slots.acquire(1, signal);
    } catch (error) {
      // Too many others came first: nothing was learned of this one, not even that it is away.
      if (error instanceof Cancelled) return;
      throw error;
    }
    try {
      const found = await this.#describe(secretBox.open(row.sealedUri ?? '', uriContext(row.id)), signal);
      const changes =
        'failure' in found
          ? { probeFailedAtMs: clock.nowMs(), probeFailure: found.failure }
          : factsOf(found, clock.nowMs());
      await catalog.transact(async (writer) => {
        const current = await findCluster(writer, row.id);
        // Removed or registered anew meanwhile: then the answer was another deployment's.
        if (current?.sealedUri === row.sealedUri) await updateCluster(writer, row.id, changes);
      });
    } finally {
      release();
    }
  }

  async #describe(uri: string, signal: AbortSignal): Promise<ProbedCluster | { failure: string }> {
    try {
      return await orAbort(this.#probe.describe(uri, { signal }), signal);
    } catch (error) {
      if (!(error instanceof Fault) && !(error instanceof Cancelled)) throw error;
      return { failure: describeError(error) };
    }
  }
}

/** The columns that say what the cluster said of itself. */
export function factsOf(facts: ProbedCluster, probedAtMs: number) {
  return {
    type: facts.topology,
    replicaSetName: facts.replicaSetName,
    mongodVersion: facts.mongodVersion,
    featureCompatibilityVersion: facts.featureCompatibilityVersion,
    members: JSON.stringify(facts.members),
    dataBytes: facts.dataBytes,
    probedAtMs,
    probeFailedAtMs: null,
    probeFailure: null,
  };
}
