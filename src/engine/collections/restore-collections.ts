import { formatNamespace, parseNamespace } from '../../bson/namespace.ts';
import { isAbort, lingering } from '../../lib/abort.ts';
import { must } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { describeError, Fault } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Progress, ReportProgress } from '../../lib/progress.ts';
import { connectCluster, redactUri } from '../../mongo/connection/connect.ts';
import { asFault } from '../../mongo/errors.ts';
import { RestoreTarget } from '../../mongo/target.ts';
import type { Manifest } from '../../repository/format/manifest.ts';
import type { Repository } from '../../repository/repository.ts';
import { LeftOutList, type LeftOutSummary } from '../left-out.ts';
import type { ReplayedOplog } from '../replay/replay-oplog.ts';
import { RestoreLosses } from '../restore/losses.ts';
import { appNameOf, endEarlierWork } from '../restore/preflight/end-earlier-work.ts';
import { causeBehind, whileMajorityFollows } from '../restore/preflight/follow-majority.ts';
import { defaultRestoreLimits, type RestoreLimits } from '../restore/preflight/restore-limits.ts';
import { orderViews } from '../restore-plan.ts';
import { type Backup, type LaterPoint, readBackup, verifyChosen } from './backup/read-backup.ts';
import {
  type ChosenCollection,
  type CollectionSelection,
  leftOutOf,
  type Selected,
  selectCollections,
} from './backup/select-collections.ts';
import { requireRoom, requireTarget, targetNames } from './check-target.ts';
import type { CollectionRecord, RestoreJournal } from './collection-record.ts';
import { firstRecords, refusedRecords } from './first-records.ts';
import { leaveFormer } from './leave-former.ts';
import { nameTargets, type WriteStrategy } from './name-targets.ts';
import { type Placing, placeCollection, replaceWithSeries } from './place-collections.ts';
import { STAGED_PREFIX } from './remove-staged.ts';
import { databasesOf, removeTraces, rollBack, sweepStaged } from './roll-back.ts';
import { type Item, infoOf, type Staged, type Staging, stageCollections } from './stage-collections.ts';
import type { IndexStrategy } from './target-form.ts';
import { tryItems } from './try-items.ts';

export interface RestoreCollectionsOptions {
  repository: Repository;
  clusterId: string;
  snapshotId: string;
  /** Connection string of the target. */
  uri: string;
  selection: CollectionSelection;
  writeStrategy: WriteStrategy;
  indexStrategy: IndexStrategy;
  /** To go on from the snapshot to a later point. Left out: the snapshot's own time. */
  pointInTime?: LaterPoint;
  limits?: Partial<RestoreLimits>;
  journal: RestoreJournal;
  /** Names what is not in its place yet: `tidemark_restore_<restoreId>_<attempt>_<number>`. */
  restoreId: string;
  attempt: number;
  /** Whether another attempt will follow on this failure, so that what waits for its place is left to it. */
  goesOn(error: unknown): Promise<boolean>;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  report: ReportProgress;
}

export interface RestoredCollections {
  collections: number;
  documents: number;
  indexes: number;
  replayed: ReplayedOplog | null;
  /** What the target could not be given, because it refuses it. */
  leftOut: LeftOutSummary;
}

/** While things are put in their places: not among them. */
const GIVEN: ReadonlySet<string> = new Set(['INDEX_BUILD_FAILED', 'FAILED']);
const REPORT_EVERY_MS = 250;
/** For commands that are under way when the restore is told to stop. */
const LINGER_MS = 10_000;
const ROLLBACK_MS_MAX = 60_000;

/**
 * Restores chosen collections beside what the target has. Everything is loaded under other names first and put in its
 * place at the end, all of it or nothing: until then a failure takes away what was loaded and leaves the target as it
 * was. An index, option or view that the target refuses is left out by name and fails nothing else.
 * docs/collection-restores.md says what is so and why.
 */
export async function restoreCollections(
  options: RestoreCollectionsOptions,
  manifest: Manifest,
): Promise<RestoredCollections> {
  const { signal } = options;
  const restore = new CollectionRestore(options, manifest);
  await restore.prepare();
  const { restoreId: id, attempt } = options;
  const client = await connectCluster(options.uri, { signal, appName: appNameOf({ id, attempt }) });
  try {
    return await restore.run(new RestoreTarget(client, lingering(signal, LINGER_MS)));
  } catch (error) {
    throw asFault(error, 'restore collections', redactUri(options.uri));
  } finally {
    await client.close();
  }
}

class CollectionRestore {
  readonly #options: RestoreCollectionsOptions;
  readonly #manifest: Manifest;
  readonly #progress: Progress = { phase: 'verifying the repository', documentsDone: 0, bytesDone: 0 };
  #reportedMs = Number.NEGATIVE_INFINITY;
  #replays: Backup['replays'] = [];
  #selected: Selected = { chosen: [], missing: [], unsupported: [] };
  #earlier: Awaited<ReturnType<RestoreJournal['read']>> = null;
  #items: Item[] = [];
  /** Not put in their places because of what the target refuses of them. */
  #given: Item[] = [];
  /** Of the point, whatever the target takes. */
  readonly #lost: RestoreLosses;
  /** Time series that replace something: they are made in its place at the end. */
  #replacing = new Set<Item>();
  #placing = false;
  #indexes = 0;
  #replayed: ReplayedOplog | null = null;

  constructor(options: RestoreCollectionsOptions, manifest: Manifest) {
    this.#options = options;
    this.#manifest = manifest;
    this.#lost = new RestoreLosses(options.log);
  }

  /**
   * Everything that can be known without the target: that the oplog leads to the point, that what is named is there,
   * that every blob of it can be read.
   */
  async prepare(): Promise<void> {
    const { pointInTime, journal, selection } = this.#options;
    this.#enter('verifying the oplog');
    this.#earlier = await journal.read();
    const { offered, replays } = await readBackup(this.#options, this.#manifest, pointInTime);
    this.#replays = replays;
    this.#selected = selectCollections(offered, selection);
    for (const one of leftOutOf(this.#selected.chosen, replays)) this.#lost.add(one);
    await this.#refuseUnknown();
    this.#enter('verifying every blob');
    await verifyChosen(this.#options, this.#manifest, this.#selected.chosen);
  }

  async #refuseUnknown(): Promise<void> {
    const { missing, unsupported, chosen } = this.#selected;
    const refused = missing.map(({ source, beside }) => `${source} is not in the backup, which has ${someOf(beside)}`);
    for (const { source, named } of unsupported) {
      // What comes with its database is left out, unless nothing else does.
      if (named || chosen.length === 0) refused.push(`${formatNamespace(source)} cannot be restored by itself`);
    }
    if (refused[0] === undefined) return;
    await this.#options.journal.begin(refusedRecords(this.#selected));
    const more = refused.length === 1 ? '' : ` (and ${refused.length - 1} more)`;
    const message = `${refused[0]}${more}; the target was not touched`;
    throw new Fault({ op: 'restore collections', subject: this.#options.snapshotId, message });
  }

  async run(connected: RestoreTarget): Promise<RestoredCollections> {
    this.#enter('checking the target');
    const { uri, clock, signal, restoreId: id, attempt } = this.#options;
    const limits = { ...defaultRestoreLimits, ...this.#options.limits };
    const admitted = await requireTarget(connected, this.#manifest.header, uri, limits);
    const name = redactUri(uri);
    await endEarlierWork(admitted, { run: { id, attempt }, name, clock });
    const about = { name, phase: () => this.#progress.phase, limits, clock, signal };
    return await whileMajorityFollows(admitted, about, async (target) => await this.#run(target));
  }

  async #run(target: RestoreTarget): Promise<RestoredCollections> {
    if (this.#earlier?.placing === true) {
      this.#takeUp(this.#earlier.records);
      this.#give((await this.#try(target)).filter(({ placed }) => !placed));
    } else await this.#begin(target);
    const staging = this.#staging(target);
    try {
      if (!this.#placing) await this.#stage(staging);
      await this.#place(staging);
    } catch (error) {
      throw await this.#afterFailure(target, error);
    }
    const documents = this.#items.reduce((sum, item) => sum + item.documents, 0);
    return {
      collections: this.#items.length,
      documents,
      indexes: this.#indexes,
      replayed: this.#replayed,
      leftOut: this.#leftOut(),
    };
  }

  #leftOut(): LeftOutSummary {
    const all = new LeftOutList();
    const items = [...this.#items, ...this.#given];
    for (const { list } of [this.#lost, ...items.map(({ losses }) => losses)]) all.add(list.named, list.count);
    return all;
  }

  /** Finds names for all, and writes down what will be done. */
  async #begin(target: RestoreTarget): Promise<void> {
    const { journal, writeStrategy, indexStrategy } = this.#options;
    const { chosen } = this.#selected;
    await removeTraces(target, this.#options.restoreId, this.#earlier?.records ?? []);
    await requireRoom(target, chosen, { atPoint: this.#replays.length > 0 });
    const there = await targetNames(target, chosen);
    const names = new Map([...there].map(([db, entries]) => [db, new Set(entries.keys())]));
    const given = nameTargets(chosen, names, writeStrategy);
    this.#items = chosen.map((one, number) => this.#itemOf(one, must(given[number], 'each has a name'), number));
    for (const item of this.#items) {
      const replaces = there.get(item.target.db)?.has(item.target.name) === true;
      if (item.chosen.kind === 'timeseries' && replaces) this.#replacing.add(item);
    }
    const views = await this.#try(target);
    await journal.begin(firstRecords(this.#items, this.#selected, indexStrategy));
    for (const { source } of views) await journal.update(source, { state: 'FAILED' });
    this.#give(views);
  }

  async #try(target: RestoreTarget): Promise<Item[]> {
    const { uri, signal } = this.#options;
    return await tryItems(this.#staging(target), this.#items, { name: redactUri(uri), signal });
  }

  #give(items: readonly Item[]): void {
    this.#given.push(...items);
    this.#items = this.#items.filter((item) => !items.includes(item));
  }

  #itemOf(chosen: ChosenCollection, target: Item['target'], number: number): Item {
    const { restoreId, attempt } = this.#options;
    const partsName = `${STAGED_PREFIX}${restoreId}_${attempt}_${number}`;
    const staged = { db: target.db, name: partsName };
    return {
      ...{ chosen, target },
      source: formatNamespace(chosen.source),
      // No server renames a time series.
      staged: chosen.kind === 'collection' ? staged : target,
      partsName,
      uuid: null,
      documents: 0,
      created: false,
      placed: false,
      ...{ reducedInfo: null, losses: new RestoreLosses(this.#options.log), lacksIndexes: false },
      failure: null,
    };
  }

  /** Goes on where an earlier attempt stopped putting collections in their places. */
  #takeUp(records: readonly CollectionRecord[]): void {
    this.#placing = true;
    const bySource = new Map(records.map((record) => [record.source, record]));
    this.#items = this.#selected.chosen.map((chosen, number) => {
      const record = must(bySource.get(formatNamespace(chosen.source)), 'a restore that goes on is of the same backup');
      const target = parseNamespace(must(record.effectiveTarget, 'what is being placed has a name'));
      const item = this.#itemOf(chosen, target, number);
      item.staged = { db: target.db, name: record.stagedName ?? item.staged.name };
      item.uuid = record.stagedUuid;
      item.documents = record.restoredDocuments;
      item.created = record.stagedUuid !== null;
      item.placed = record.state === 'SUCCESSFUL';
      const { source: namespace, indexError } = record;
      if (indexError !== null)
        item.losses.add({ namespace, kind: 'index', name: 'of an earlier attempt', problem: indexError });
      const isWhole = record.state === 'IN_PROGRESS' || item.placed;
      if (chosen.kind === 'timeseries' && !isWhole && this.#options.writeStrategy === 'overwriteExisting')
        this.#replacing.add(item);
      return item;
    });
    // What an earlier attempt had given up is not taken up again.
    const over = new Set(records.filter(({ state }) => GIVEN.has(state)).map(({ source }) => source));
    this.#give(this.#items.filter(({ source }) => over.has(source)));
  }

  async #stage(staging: Staging): Promise<void> {
    const items = this.#items.filter((item) => item.chosen.kind !== 'view' && !this.#replacing.has(item));
    const staged: Staged = await stageCollections(staging, items);
    this.#indexes += staged.indexes;
    this.#replayed = staged.replayed;
    if (this.#options.writeStrategy === 'overwriteExisting') this.#give(await leaveFormer(staging, this.#items));
    this.#enter('waiting for a majority');
    await staging.target.settle();
    await this.#options.journal.placing();
    this.#placing = true;
  }

  /** First what cannot be undone, then what is done at once, then the views on it. */
  async #place(staging: Staging): Promise<void> {
    const { writeStrategy } = this.#options;
    const records = this.#earlier?.placing === true ? this.#earlier.records : [];
    const begun = new Set(records.filter(({ state }) => state === 'FINALIZING').map(({ source }) => source));
    const placing: Placing = { staging, writeStrategy, begun };
    for (const item of this.#replacing) {
      const { indexes, replayed } = await replaceWithSeries(placing, item);
      this.#indexes += indexes;
      this.#replayed ??= replayed;
    }
    const open = this.#items.filter((item) => !item.placed);
    const views = orderViews(open.filter(isView).map((item) => item.chosen.entry));
    this.#enter('putting the collections in their places', { collectionsDone: 0, collectionsTotal: open.length });
    for (const item of open.filter((one) => !isView(one))) await placeCollection(placing, item);
    for (const view of views) {
      const item = must(
        open.find(({ chosen }) => chosen.entry === view),
        'each view is an item',
      );
      await placeCollection(placing, item);
    }
    await sweepStaged(staging.target, this.#options.restoreId, databasesOf(this.#items));
    // Also of what an earlier attempt had put in its place: it may have ended before this.
    for (const item of this.#items.filter((one) => !isView(one)))
      await staging.target.letExpire(item.target.db, item.target.name, infoOf(staging, item));
    await staging.target.settle();
  }

  /** What to throw, after what can be undone is undone. */
  async #afterFailure(target: RestoreTarget, thrown: unknown): Promise<unknown> {
    const { signal, log, uri, goesOn, restoreId } = this.#options;
    // Whether another attempt follows is a question of what was behind it.
    const cause = signal.aborted ? thrown : await causeBehind(target, thrown);
    const error = asFault(cause, 'restore collections', redactUri(uri));
    const placed = this.#items.filter((item) => item.placed).length;
    let after = this.#placing
      ? `${placed} of ${this.#items.length} were in their places`
      : 'the target is as it was before';
    if (!this.#placing || !(await goesOn(error))) {
      try {
        // With time of its own: the signal may have fired long ago.
        const own = target.under(AbortSignal.timeout(ROLLBACK_MS_MAX));
        await rollBack(own, restoreId, this.#items, this.#options.journal);
      } catch (failure) {
        log.warn({ err: failure, restoreId }, 'what a restore of collections had loaded could not be removed');
        after += `; what was loaded may still be there, under names that begin with ${STAGED_PREFIX}${restoreId}`;
      }
    } else after += '; the next attempt goes on from there';
    if (isAbort(error) || signal.aborted || !(error instanceof Fault)) return error;
    return new Fault({
      op: 'restore collections',
      subject: redactUri(uri),
      message: `${this.#failed()}failed while ${this.#progress.phase}; ${after}: ${describeError(error)}`,
      retryable: error.retryable,
      cause: error,
    });
  }

  #failed(): string {
    const item = this.#items.find(({ failure }) => failure !== null);
    return item === undefined ? 'the restore ' : `the restore of ${item.source} as ${formatNamespace(item.target)} `;
  }

  #staging(target: RestoreTarget): Staging {
    const { repository, clusterId, journal, indexStrategy, clock, signal } = this.#options;
    return {
      ...{ repository, clusterId, target, journal, indexStrategy, clock, signal },
      state: 'IN_PROGRESS',
      items: new Map(this.#items.map((item) => [item.source, item])),
      replays: this.#replays,
      enter: (phase, collectionsTotal) => this.#enter(phase, { collectionsDone: 0, collectionsTotal }),
      say: (subject) => this.#update({ subject }),
      leaveOut: (one) => this.#lost.add(one),
      loaded: ({ count, bytes }) => {
        this.#progress.documentsDone += count;
        this.#progress.bytesDone += bytes;
        this.#update({});
      },
      done: () => this.#update({ collectionsDone: (this.#progress.collectionsDone ?? 0) + 1 }),
    };
  }

  #enter(phase: string, state: Partial<Progress> = {}): void {
    delete this.#progress.subject;
    Object.assign(this.#progress, { phase, ...state });
    this.#reportedMs = Number.NEGATIVE_INFINITY;
    this.#update({});
  }

  #update(state: Partial<Progress>): void {
    Object.assign(this.#progress, state);
    const now = this.#options.clock.monotonicMs();
    if (now - this.#reportedMs < REPORT_EVERY_MS) return;
    this.#reportedMs = now;
    this.#options.report({ ...this.#progress });
  }
}

function isView({ chosen }: Item): boolean {
  return chosen.kind === 'view';
}

const SHOWN_MAX = 10;

function someOf(names: readonly string[]): string {
  if (names.length === 0) return 'nothing that can be chosen';
  const more = names.length > SHOWN_MAX ? `, and ${names.length - SHOWN_MAX} more` : '';
  return `${names.slice(0, SHOWN_MAX).join(', ')}${more}`;
}
