import { formatNamespace, type Namespace } from '../../bson/namespace.ts';
import { forEachDocument } from '../../bson/raw-bson.ts';
import { formatTimestamp, type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import { type OplogEntry, readOplogEntry } from '../../oplog/entry.ts';
import { type VisibleEffect, VisibleOrder } from '../../oplog/transactions.ts';
import type { Manifest } from '../../repository/format/manifest.ts';
import { replicaSetsOf } from '../../repository/format/manifest-replica-sets.ts';
import type { SliceRun } from '../../repository/format/slice-name.ts';
import { readManifest } from '../../repository/manifests.ts';
import type { Repository } from '../../repository/repository.ts';
import {
  rawEntryAt,
  readCoverage,
  readSlice,
  readSlices,
  type SliceGap,
  type SliceSource,
} from '../../repository/slices.ts';
import { type Change, DocumentTrails, type Seek } from './document-trails.ts';
import { changesOf, transactionOf } from './entry-changes.ts';
import type { DocumentVersion, HistoryItem, HistoryTransaction } from './history-item.ts';
import { type IdMatcher, matcherOf } from './same-id.ts';
import { SnapshotLookup } from './snapshot-lookup.ts';
import { inWindow } from './window.ts';

export interface HistorySnapshot {
  id: string;
  /** T. */
  ts: Timestamp64;
}

/**
 * Of a sharded cluster a snapshot's T need not be an entry of every oplog: the manifest says where this one goes on.
 */
function startIn({ header }: Manifest): Timestamp64 {
  return timestampOf(header.position ?? header.clusterTime);
}

export interface ReadHistoryOptions {
  repository: Repository;
  source: SliceSource;
  namespace: Namespace;
  /** The id element: type byte, then value. */
  id: Buffer;
  /** Completed snapshots of the cluster. */
  snapshots: readonly HistorySnapshot[];
  /** Times that are asked about, ends included. What was in force at `from` is given too. */
  from: Timestamp64;
  to: Timestamp64;
  signal: AbortSignal;
  report: ReportProgress;
}

/**
 * Every version of one document, oldest first, from snapshots and the captured oplog between them; stretches about
 * which nothing is known are items of their own, never silence. Holds one slice and a few documents. Whoever takes no
 * more items ends the reading. Damage names a slice or blob that is not what was written.
 */
export function readHistory(options: ReadHistoryOptions): AsyncGenerator<HistoryItem, void, undefined> {
  return inWindow(historyItems(options), options);
}

/** The same without leaving out what was over when the window begins. */
export function historyItems(options: ReadHistoryOptions): AsyncGenerator<HistoryItem, void, undefined> {
  return new HistoryReader(options).items();
}

/**
 * A part of the timeline: captured oplog, read from a snapshot on where one precedes the window; or a snapshot outside
 * of any.
 */
interface Part {
  from: Timestamp64;
  to: Timestamp64;
  run: SliceRun | null;
  base: HistorySnapshot | null;
  /** Within the run, after the base. */
  later: HistorySnapshot[];
}

class HistoryReader {
  readonly #options: ReadHistoryOptions;
  readonly #name: string;
  readonly #matches: IdMatcher;
  readonly #lookup: SnapshotLookup;
  #bytes = 0;

  constructor(options: ReadHistoryOptions) {
    const { repository, source, signal } = options;
    this.#options = options;
    this.#name = formatNamespace(options.namespace);
    this.#matches = matcherOf(options.id);
    this.#lookup = new SnapshotLookup({
      repository,
      clusterId: source.clusterId,
      id: options.id,
      matches: this.#matches,
      signal,
      onRead: (bytes) => this.#tell('reading snapshots', bytes),
    });
  }

  async *items(): AsyncGenerator<HistoryItem, void, undefined> {
    const { repository, source, signal, from, to } = this.#options;
    const { runs, gaps } = await readCoverage(repository, source, { signal });
    const parts = stretchesOf(runs, this.#options.snapshots, { from, to });
    let known: Timestamp64 | null = null;
    for (const part of parts) {
      assert(known === null || known <= part.from, 'stretches follow each other');
      const begins = part.base?.ts ?? part.from;
      if (known === null || begins > known)
        yield { kind: 'unknown', from: known, to: begins, cause: causeOf(gaps, known) };
      yield* part.run === null ? this.#snapshotAlone(part) : this.#captured(part, part.run);
      known = part.to;
    }
    if (known === null || known < to) {
      const captured = runs.some((run) => run.last === known) && !gaps.some((gap) => gap.from === known);
      yield { kind: 'unknown', from: known, to: null, cause: captured ? 'not captured yet' : causeOf(gaps, known) };
    }
  }

  #tell(phase: string, bytes: number, at?: Timestamp64): void {
    this.#bytes += bytes;
    this.#options.report({
      phase,
      documentsDone: 0,
      bytesDone: this.#bytes,
      ...(at === undefined ? {} : { subject: formatTimestamp(at) }),
    });
  }

  async #manifest({ id: snapshotId }: HistorySnapshot): Promise<Manifest> {
    const { repository, source, signal } = this.#options;
    const { clusterId, replicaSetName } = source;
    const manifest = await readManifest(repository, { clusterId, snapshotId }, { signal });
    const own = replicaSetsOf(manifest).find((one) => one.manifest.header.replicaSetName === replicaSetName);
    return must(own, `snapshot ${snapshotId} is of ${replicaSetName}`).manifest;
  }

  #seekIn(manifest: Manifest): Seek {
    return async (uuid) => {
      const entry = manifest.collections.find((one) => one.uuid === uuid);
      return entry === undefined ? undefined : await this.#lookup.find(entry);
    };
  }

  async *#snapshotAlone({ base }: Part): AsyncGenerator<HistoryItem, void, undefined> {
    if (base !== null) yield* await this.#beginAt(new DocumentTrails(this.#name), base);
  }

  /** Makes a snapshot what unknown things are looked up in; follows the collection that bears the name in it. */
  async #beginAt(trails: DocumentTrails, snapshot: HistorySnapshot): Promise<DocumentVersion[]> {
    const manifest = await this.#manifest(snapshot);
    const { db, name } = this.#options.namespace;
    const named = manifest.collections.find((one) => one.db === db && one.name === name)?.uuid ?? null;
    return await trails.begin(this.#seekIn(manifest), named, snapshot.ts);
  }

  async *#captured(part: Part, run: SliceRun): AsyncGenerator<HistoryItem, void, undefined> {
    const { base, later } = part;
    assert(
      later.every(({ ts }, place) => place === 0 || (later[place - 1]?.ts ?? ts) <= ts),
      'snapshots are asked in their order',
    );
    const trails = new DocumentTrails(this.#name);
    const order = this.#orderIn(run, base);
    if (base !== null) yield* await this.#beginAt(trails, base);
    for await (const entries of this.#slices(run, part.to, base)) {
      const offsets: number[] = [];
      forEachDocument(entries, (offset) => {
        offsets.push(offset);
      });
      for (const offset of offsets) {
        const entry = readOplogEntry(entries, offset);
        for (let next = later[0]; next !== undefined && next.ts < entry.ts; next = later[0]) {
          later.shift();
          yield* await this.#ask(trails, next);
        }
        const taken = order.take(entries, offset, entry);
        const effects = taken instanceof Promise ? await taken : taken;
        if (effects.some(({ effect }) => effect.changes.length > 0)) yield* await carryOut(trails, effects, entry.ts);
      }
    }
    for (const next of later) if (next.ts <= part.to) yield* await this.#ask(trails, next);
  }

  /** Asks a snapshot in the middle of captured oplog about what is not known. */
  async #ask(trails: DocumentTrails, snapshot: HistorySnapshot): Promise<DocumentVersion[]> {
    if (!trails.begun) return await this.#beginAt(trails, snapshot);
    const { unknown } = trails;
    if (unknown.length === 0) return [];
    const seek = this.#seekIn(await this.#manifest(snapshot));
    const versions: DocumentVersion[] = [];
    for (const uuid of unknown) versions.push(...(await trails.resolve(uuid, seek, snapshot.ts)));
    return versions;
  }

  async *#slices(
    run: SliceRun,
    to: Timestamp64,
    base: HistorySnapshot | null,
  ): AsyncGenerator<Buffer, void, undefined> {
    const { repository, source, signal } = this.#options;
    const start = base === null ? run.first : startIn(await this.#manifest(base));
    const raw = await this.#entryAt(run, start);
    if (raw === null) {
      const message = `the captured oplog does not hold the entry at ${formatTimestamp(start)} from which the history goes on`;
      throw new Damage({ op: 'read history', subject: formatTimestamp(start), message });
    }
    // A run's first entry is news, too, unless a snapshot has what it did.
    if (base === null) yield raw;
    const from = { ts: start, term: readOplogEntry(raw, 0).term };
    for await (const entries of readSlices(repository, source, { from, to }, { signal })) {
      throwIfAborted(signal);
      this.#tell('reading slices', entries.length, readOplogEntry(entries, 0).ts);
      yield entries;
    }
  }

  async #entryAt(run: SliceRun, ts: Timestamp64): Promise<Buffer | null> {
    const { repository, source, signal } = this.#options;
    const span = run.slices.find((slice) => slice.first <= ts && ts <= slice.last);
    return span === undefined ? null : rawEntryAt(await readSlice(repository, source, span, { signal }), ts);
  }

  /**
   * Of a transaction that began at or before where the reading does, what was not captured is left out: the versions it
   * made are told by the next snapshot. What was visible in the snapshot that the reading begins with is in it.
   */
  #orderIn(run: SliceRun, base: HistorySnapshot | null): VisibleOrder<Effect> {
    const read = (buffer: Buffer, offset: number, entry: OplogEntry): Effect => ({
      changes: changesOf(buffer, entry, this.#matches),
      transaction: transactionOf(buffer, offset, entry),
    });
    return new VisibleOrder<Effect>({
      from: base?.ts ?? 0n,
      reaches: () => true,
      read,
      readWaiting: read,
      earlier: async (ts) => await this.#entryAt(run, ts),
      missing: () => undefined,
    });
  }
}

/** Copies, so that an effect may outlive the buffer of its entry. */
interface Effect {
  changes: Change[];
  transaction: HistoryTransaction | null;
}

/** The versions that come of effects which became visible at that time. */
async function carryOut(
  trails: DocumentTrails,
  effects: readonly VisibleEffect<Effect>[],
  at: Timestamp64,
): Promise<DocumentVersion[]> {
  const versions: DocumentVersion[] = [];
  for (const { effect } of effects) {
    const { changes, transaction } = effect;
    for (const change of changes) versions.push(...(await trails.take(change, { at, transaction })));
  }
  return versions;
}

/**
 * The parts that say something about the window, oldest first. Of a run nothing before the newest snapshot at or before
 * the window is read.
 */
function stretchesOf(
  runs: readonly SliceRun[],
  snapshots: readonly HistorySnapshot[],
  { from, to }: { from: Timestamp64; to: Timestamp64 },
): Part[] {
  const sorted = snapshots.toSorted((a, b) => (a.ts < b.ts ? -1 : 1));
  const parts: Part[] = [];
  for (const run of runs.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const inside = sorted.filter(({ ts }) => run.first <= ts && ts <= run.last);
    // Not at the window's beginning itself: the entry there says how things came to be so.
    const base = inside.findLastIndex(({ ts }) => ts < from);
    const end = run.last < to ? run.last : to;
    parts.push({ from: run.first, to: end, run, base: inside[base] ?? null, later: inside.slice(base + 1) });
  }
  for (const snapshot of sorted) {
    if (runs.some((run) => run.first <= snapshot.ts && snapshot.ts <= run.last)) continue;
    parts.push({ from: snapshot.ts, to: snapshot.ts, run: null, base: snapshot, later: [] });
  }
  parts.sort((a, b) => (a.from < b.from ? -1 : 1));
  // What ended before the window matters only as the last thing known before it.
  const before = parts.findLastIndex((part) => part.to <= from);
  return parts.slice(Math.max(0, before)).filter((part) => part.from <= to);
}

function causeOf(gaps: readonly SliceGap[], known: Timestamp64 | null): string {
  const gap = known === null ? undefined : gaps.find(({ from }) => from === known);
  return gap?.cause ?? (known === null ? 'nothing was captured before' : 'the oplog was not captured');
}
