import type { Optime, Timestamp64 } from '../../bson/timestamp.ts';
import { isAbort } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { describeError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { oplogHolds } from '../../mongo/oplog-reader.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import { type PositionedEntry, readOplogEntry } from '../../oplog/entry.ts';
import type { SliceRun } from '../../repository/format/slice-name.ts';
import type { Repository } from '../../repository/repository.ts';
import { rawEntryAt, readCoverage, readSlice, readSlices, type SliceSource } from '../../repository/slices.ts';

interface Work {
  log: Logger;
  signal: AbortSignal;
}

/**
 * What is stored of a source's oplog. A repository that cannot be listed or holds damaged notes costs reading the
 * source, never the snapshot.
 */
export async function openCapturedOplog(
  repository: Repository,
  source: SliceSource,
  work: Work,
): Promise<CapturedOplog> {
  const captured = new CapturedOplog(repository, source, work);
  await captured.refresh();
  return captured;
}

/**
 * The slices that continuous backup has written of the source's oplog, for a snapshot that wants an interval of it.
 * They hold the same majority-committed entries as the source and every reading proves that none is missing; the source
 * is asked about the entry at which it takes over. Nothing here fails a snapshot: what slices do not give, the source
 * is asked for.
 */
export class CapturedOplog {
  readonly #repository: Repository;
  readonly #source: SliceSource;
  readonly #work: Work;
  #runs: readonly SliceRun[] = [];

  constructor(repository: Repository, source: SliceSource, work: Work) {
    this.#repository = repository;
    this.#source = source;
    this.#work = work;
  }

  /** Looks again at what there is: the tailer goes on writing. */
  async refresh(): Promise<void> {
    const options = { signal: this.#work.signal };
    const coverage = await this.#unlessBroken(() => readCoverage(this.#repository, this.#source, options));
    this.#runs = coverage?.runs ?? [];
  }

  /** Where the run ends that leads on from `ts`; null where none does. */
  reach(ts: Timestamp64): Timestamp64 | null {
    return this.#runFrom(ts)?.last ?? null;
  }

  /**
   * Whether slices lead from exactly this entry to one that the member's oplog holds, so that the source can be left
   * alone for what lies between.
   */
  async leadsOn(member: SourceMember, position: Optime): Promise<boolean> {
    const run = this.#runFrom(position.ts);
    if (run === undefined) return false;
    const start = await this.entryAt(position.ts);
    if (start === null || start.entry.term !== position.term) return false;
    const newest = await member.majorityOptime(this.#work.signal);
    // A member that has not heard of the slices' end yet must know some entry in them: its newest.
    const end = await this.entryAt(run.last <= newest.ts ? run.last : newest.ts);
    if (end === null) return false;
    return await oplogHolds(member, { ts: end.entry.ts, term: end.entry.term }, this.#work.signal);
  }

  /** The raw entries after `from` up to `to`, which the run has to reach. Rejects as `readSlices` does. */
  read(from: Optime, to: Timestamp64): AsyncGenerator<Buffer, void, undefined> {
    assert(from.ts <= to, 'slices are read forward');
    return readSlices(this.#repository, this.#source, { from, to }, { signal: this.#work.signal });
  }

  /** The stored entry at `ts`; null where there is none, or none that can be read. */
  async entryAt(ts: Timestamp64): Promise<PositionedEntry | null> {
    const span = this.#runs.flatMap((run) => run.slices).find(({ first, last }) => first <= ts && ts <= last);
    if (span === undefined) return null;
    const options = { signal: this.#work.signal };
    const entries = await this.#unlessBroken(() => readSlice(this.#repository, this.#source, span, options));
    const buffer = entries === null ? null : rawEntryAt(entries, ts);
    return buffer === null ? null : { buffer, entry: readOplogEntry(buffer, 0) };
  }

  #runFrom(ts: Timestamp64): SliceRun | undefined {
    return this.#runs.find((run) => run.first <= ts && ts < run.last);
  }

  async #unlessBroken<T>(read: () => Promise<T>): Promise<T | null> {
    try {
      return await read();
    } catch (error) {
      this.giveUp(error);
      return null;
    }
  }

  /** Notes that slices did not give what they should; an abort passes on. */
  giveUp(error: unknown): void {
    if (isAbort(error) || this.#work.signal.aborted) throw error;
    this.#work.log.warn(
      { clusterId: this.#source.clusterId, reason: describeError(error) },
      "slices of the source's oplog cannot be read; reading the source's oplog instead",
    );
  }
}
