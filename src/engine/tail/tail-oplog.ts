import { documentLength } from '../../bson/raw-bson.ts';
import type { Optime, Timestamp64 } from '../../bson/timestamp.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { type Backoff, backoffOf } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { describeError, Fault } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { isMemberLost } from '../../mongo/errors.ts';
import { OplogGap, oplogHolds, readOplogRaw } from '../../mongo/oplog-reader.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { ClusterFacts } from '../../mongo/topology.ts';
import type { Repository } from '../../repository/repository.ts';
import { lastEntryOf, readCoverage, type SliceSource, writeGap, writeSlice } from '../../repository/slices.ts';
import { onSomeMember } from '../source.ts';

export interface TailLimits {
  /** A slice is sealed when it is this old or this large, whichever comes first. */
  sliceMs: number;
  sliceBytes: number;
  /** How often an idle oplog is looked at. */
  pollMs: number;
  /** Pause after the store did not take a slice; it doubles up to half a minute. */
  storeRetryMs: number;
  lossesMax: number;
}

export const defaultTailLimits: TailLimits = {
  sliceMs: 10_000,
  sliceBytes: 16 * 1024 * 1024,
  pollMs: 500,
  storeRetryMs: 1_000,
  // The source may be away for hours; only the worker's lease ends the patience.
  lossesMax: Number.POSITIVE_INFINITY,
};

/** What the tailer has done: told after every slice, and in between when the lag has changed. */
export interface TailProgress {
  host: string;
  /** Everything up to this entry is in the repository; null while this run has stored nothing. */
  captured: Optime | null;
  /** Seconds between the newest majority-committed entry of the source and the newest that is in the repository. */
  lagSeconds: number;
  slices: number;
  storedBytes: number;
  gaps: number;
}

export interface TailOplogOptions {
  uri: string;
  repository: Repository;
  clusterId: string;
  limits?: Partial<TailLimits>;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  onProgress: (progress: TailProgress) => void;
  /** Asked at every look: as soon as what was read reaches this, the slice is sealed. Null where nobody waits. */
  wantedUpTo?: () => Timestamp64 | null;
}

const STORE_RETRY_MS_MAX = 30_000;
const TELL_EVERY_MS = 2_000;

/**
 * Follows the oplog of a replica set and writes it as contiguous slices (docs/repository-format.md, Slices), until its
 * signal fires: it only ever ends by throwing. A lost member is replaced; a store that fails is tried again with the
 * one slice at hand, while the oplog itself waits; an oplog that was overtaken meanwhile becomes a named gap and a new
 * run.
 */
export async function tailOplog(options: TailOplogOptions): Promise<never> {
  const tail = new Tail(options);
  const { uri, clock, log, signal } = options;
  const on = { uri, clock, log, signal, lossesMax: tail.limits.lossesMax, op: 'tail the oplog', listsCatalog: false };
  await onSomeMember(on, async (member, facts, gotOn) => await tail.follow(member, facts, gotOn));
  throw new Fault({
    op: 'tail the oplog',
    subject: options.clusterId,
    message: 'the tailer ended without being told to',
  });
}

class Tail {
  readonly limits: TailLimits;
  readonly #options: TailOplogOptions;
  #position: Optime | null = null;
  /** Whether the position is the end of something stored. */
  #stored = false;
  #slices = 0;
  #storedBytes = 0;
  #gaps = 0;
  #told = { lagSeconds: -1, atMs: Number.NEGATIVE_INFINITY };

  constructor(options: TailOplogOptions) {
    this.#options = options;
    this.limits = { ...defaultTailLimits, ...options.limits };
    assert(
      this.limits.sliceMs > 0 && this.limits.sliceBytes > 0,
      'a slice is sealed at some time, and holds something',
    );
  }

  async follow(member: SourceMember, facts: ClusterFacts, gotOn: () => void): Promise<void> {
    const { signal, clusterId, log } = this.#options;
    const source = { clusterId, replicaSetName: facts.replicaSetName };
    for (;;) {
      throwIfAborted(signal);
      try {
        this.#position ??= await this.#resume(member, source);
        await this.#writeNext(member, source);
        gotOn();
      } catch (error) {
        if (!(error instanceof OplogGap)) throw error;
        await this.#breakOff(source, must(this.#position, 'a gap is found from a position'), error.message);
        log.warn({ clusterId, reason: error.message }, 'the captured oplog has a gap; a new window begins');
        this.#position = null;
        this.#stored = false;
      }
    }
  }

  /** Where the newest run ends, if the source's history goes on from there; else now, after a gap. */
  async #resume(member: SourceMember, source: SliceSource): Promise<Optime> {
    const { repository, signal } = this.#options;
    const { runs, gaps } = await readCoverage(repository, source, { signal });
    const newest = runs.reduce<(typeof runs)[number] | null>(
      (best, run) => (best === null || run.last > best.last ? run : best),
      null,
    );
    const now = await member.majorityOptime(signal);
    if (newest === null) return now;
    // The run was broken off on purpose: its end is known to lead nowhere.
    if (gaps.some((gap) => gap.from >= newest.last)) return now;
    const end = await lastEntryOf(repository, source, must(newest.slices.at(-1), 'a run has slices'), { signal });
    if (now.ts < end.ts) {
      throw new Fault({
        op: 'tail the oplog',
        subject: member.host,
        message: `${member.host} is behind what was captured already`,
        retryable: true,
      });
    }
    if (await oplogHolds(member, end, signal)) {
      this.#stored = true;
      return end;
    }
    await this.#breakOff(source, end, `the oplog of ${member.host} no longer holds the last captured entry`);
    return now;
  }

  async #breakOff(source: SliceSource, from: Optime, cause: string): Promise<void> {
    await writeGap(this.#options.repository, source, from.ts, cause);
    // Not before: what the store did not take is tried again.
    this.#gaps++;
  }

  /**
   * Reads until a slice is full or old enough, and writes it. Returns without a slice when there was nothing but what
   * is captured.
   */
  async #writeNext(member: SourceMember, source: SliceSource): Promise<void> {
    const { clock, signal } = this.#options;
    const from = must(this.#position, 'a tail has a position');
    const pieces: Buffer[] = [];
    let bytes = 0;
    let end = from;
    const dueMs = clock.monotonicMs() + this.limits.sliceMs;
    for (;;) {
      const newest = await member.majorityOptime(signal);
      if (newest.ts > end.ts) {
        // Every read begins with the entry the last one ended with; a slice holds it once.
        let known = pieces.length > 0;
        for await (const { documents, last } of readOplogRaw(member, end, newest.ts, signal)) {
          const fresh = known ? documents.subarray(documentLength(documents, 0)) : documents;
          known = false;
          pieces.push(fresh);
          bytes += fresh.length;
          assert(last.ts >= end.ts, 'an oplog is read forward');
          end = last;
          // The entry that the last slice ended with may fill a batch, and a slice, by itself.
          if (bytes >= this.limits.sliceBytes && end.ts > from.ts) break;
        }
      }
      const full = bytes >= this.limits.sliceBytes;
      if (full || (bytes > 0 && (clock.monotonicMs() >= dueMs || this.#isWanted(from, end)))) break;
      this.#tellLag(member, from, newest);
      await clock.sleep(Math.max(1, Math.min(this.limits.pollMs, dueMs - clock.monotonicMs())), signal);
      if (bytes === 0 && clock.monotonicMs() >= dueMs) {
        await this.#tell(member, from);
        return;
      }
    }
    assert(end.ts > from.ts, 'a slice brings something new');
    assert(bytes > 0, 'a slice holds the entries that it ends with');
    await this.#store(source, Buffer.concat(pieces));
    this.#position = end;
    this.#stored = true;
    await this.#tell(member, end);
  }

  /**
   * Tries until the store takes the slice. Meanwhile nothing more is read: the source's oplog is the spool, and its
   * bound is the source's own.
   */
  async #store(source: SliceSource, entries: Buffer): Promise<void> {
    const { repository, clock, signal, log } = this.#options;
    const pauses: Backoff = { first: this.limits.storeRetryMs, most: STORE_RETRY_MS_MAX };
    for (let tries = 1; ; tries++) {
      try {
        const { storedBytes } = await writeSlice(repository, source, entries, { signal });
        this.#slices++;
        this.#storedBytes += storedBytes;
        return;
      } catch (error) {
        throwIfAborted(signal);
        if (isMemberLost(error)) throw error;
        log.warn(
          { clusterId: source.clusterId, reason: describeError(error) },
          'the repository does not take a slice; trying again',
        );
        await clock.sleep(backoffOf(pauses, tries), signal);
      }
    }
  }

  /** Somebody waits for something that was read and is not stored. */
  #isWanted(stored: Optime, read: Optime): boolean {
    const wanted = this.#options.wantedUpTo?.() ?? null;
    return wanted !== null && stored.ts < wanted && wanted <= read.ts;
  }

  /** Between slices, no more than every other second, and not where nothing has changed. */
  #tellLag(member: SourceMember, stored: Optime, newest: Optime): void {
    const lagSeconds = secondsBetween(stored.ts, newest.ts);
    if (lagSeconds === this.#told.lagSeconds) return;
    if (this.#options.clock.monotonicMs() - this.#told.atMs < TELL_EVERY_MS) return;
    this.#tellNow(member, stored, newest);
  }

  async #tell(member: SourceMember, position: Optime): Promise<void> {
    this.#tellNow(member, position, await member.majorityOptime(this.#options.signal));
  }

  #tellNow(member: SourceMember, position: Optime, newest: Optime): void {
    this.#told = { lagSeconds: secondsBetween(position.ts, newest.ts), atMs: this.#options.clock.monotonicMs() };
    this.#options.onProgress({
      host: member.host,
      captured: this.#stored ? position : null,
      lagSeconds: this.#told.lagSeconds,
      slices: this.#slices,
      storedBytes: this.#storedBytes,
      gaps: this.#gaps,
    });
  }
}

function secondsBetween(from: Timestamp64, to: Timestamp64): number {
  return Math.max(0, Number((to >> 32n) - (from >> 32n)));
}
