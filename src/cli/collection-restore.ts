import { Command, InvalidArgumentError, Option } from 'commander';
import { formatTimestamp } from '../bson/timestamp.ts';
import type { CollectionRestoreRequest, RestoredNamespace } from '../domain/restores/collection-restore-jobs.ts';
import type { CollectionRecord } from '../engine/collections/collection-record.ts';
import type { WriteStrategy } from '../engine/collections/name-targets.ts';
import type { RestoreCollectionsOptions } from '../engine/collections/restore-collections.ts';
import type { IndexStrategy } from '../engine/collections/target-form.ts';
import { LEFT_OUT_NAMED_MAX, summarizeLeftOut } from '../engine/left-out.ts';
import type { ReplayEnd } from '../engine/replay/replay-interval.ts';
import { must } from '../lib/assert.ts';
import { createIdSource } from '../lib/ids.ts';
import { createLogger } from '../lib/logger.ts';
import type { Progress } from '../lib/progress.ts';
import { systemRandom } from '../lib/random.ts';
import { jobPatience } from '../lib/weather/patience.ts';
import { throughWeather } from '../lib/weather/through-weather.ts';
import type { Manifest, ManifestHeader } from '../repository/format/manifest.ts';
import type { Repository } from '../repository/repository.ts';
import { addUriOptions, readUri } from './cluster-uri.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { confirm } from './confirmation.ts';
import { atOption, justBeforeOption, type PointOptions, pointAsked, pointRequest } from './document-options.ts';
import { everyItem } from './every-item.ts';
import { followTask } from './follow-task.ts';
import { findCluster } from './lookup.ts';
import { describeSource, findManifestAsked } from './manifest-lookup.ts';
import { openRepositoryOf, type RepositoryOptions } from './open-repository.ts';
import { withService } from './open-service.ts';
import {
  dataDirOption,
  fromOption,
  jsonOption,
  passphraseFileOption,
  projectOption,
  repositoryOption,
  snapshotOption,
  yesOption,
} from './options.ts';
import { ProgressBar } from './progress-bar.ts';
import { formatNumberOf } from './sizes.ts';
import { UsageError } from './usage-error.ts';

interface RestoreOptions extends RepositoryOptions, PointOptions {
  snapshot?: string;
  from?: string;
  to?: string;
  uri?: string;
  uriFile?: string;
  databaseSuffix: string;
  collectionSuffix: string;
  indexes: IndexStrategy;
  overwrite?: boolean;
  project?: string;
  yes?: boolean;
  json?: boolean;
}

/** A database, or `database.collection`. */
type Named = RestoredNamespace;

/** What became of one collection, as it is shown. */
type Outcome = Pick<CollectionRecord, 'source' | 'effectiveTarget' | 'state' | 'restoredDocuments'>;

const writeStrategies = { createNew: 'CREATE_NEW', overwriteExisting: 'OVERWRITE_EXISTING' } as const;
const indexStrategies = { all: 'ALL', none: 'NONE', allExceptTtl: 'ALL_EXCEPT_TTL' } as const;

export function collectionRestoreCommand(tools: CommandTools): Command {
  const command = new Command('restore')
    .description('bring single databases and collections back, beside what is there')
    .argument('<names...>', 'a database or database.collection, each with =name behind it for a new name', collect)
    .addOption(snapshotOption())
    .addOption(fromOption())
    .addOption(atOption())
    .addOption(justBeforeOption())
    .addOption(new Option('--to <cluster>', 'a registered cluster'));
  return addUriOptions(command, 'target')
    .addOption(new Option('--database-suffix <text>', 'put behind the name of every database').default('', 'none'))
    .addOption(new Option('--collection-suffix <text>', 'put behind the name of every collection').default('', 'none'))
    .addOption(
      new Option('--indexes <which>', 'which to build; `allExceptTtl` keeps old documents from expiring at once')
        .choices(Object.keys(indexStrategies))
        .default('all'),
    )
    .option('--overwrite', 'replace what has the name; otherwise what is restored gets another')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(repositoryOption())
    .addOption(passphraseFileOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((names: Named[], options: RestoreOptions) =>
      runCommand(tools, options, (run) => restore(run, names, { ...options, at: pointAsked(options) })),
    );
}

function collect(text: string, before: Named[] | undefined): Named[] {
  const [source = '', target, more] = text.split('=');
  if (source === '' || target === '' || more !== undefined)
    throw new InvalidArgumentError('A name is database or database.collection, or =another behind it.');
  if (target !== undefined && source.includes('.') !== target.includes('.'))
    throw new InvalidArgumentError('A database gets the name of a database, a collection that of a collection.');
  return [...(before ?? []), target === undefined ? { source } : { source, target }];
}

async function restore(run: CommandRun, names: readonly Named[], options: RestoreOptions): Promise<void> {
  const { to } = options;
  const uri = to === undefined ? await readUri(run, options, 'target') : undefined;
  if (uri === undefined && to === undefined)
    throw new UsageError('Say where to restore: --to <cluster> or --uri-file <file>, or set TIDEMARK_TARGET_URI.');
  if (uri === undefined && options.repository !== undefined)
    throw new UsageError(
      'A repository by itself knows no clusters: give the target with --uri-file <file>, or set TIDEMARK_TARGET_URI.',
    );
  const repository = await openRepositoryOf(run, options);
  const manifest = await findManifestAsked(repository, options, options.at, run.signal);
  if (uri === undefined) await restoreToCluster(run, manifest.header, names, { ...options, to: must(to, 'a target') });
  else await restoreToUri(run, { repository, manifest }, names, { ...options, uri });
}

/** As the API does it: a job in the catalog, run by a worker. */
async function restoreToCluster(
  run: CommandRun,
  header: ManifestHeader,
  names: readonly Named[],
  options: RestoreOptions & { to: string },
): Promise<void> {
  await withService(run, { ...options, worker: true }, async ({ domain }) => {
    const target = await findCluster(domain, options.to, options.project);
    await confirmOverwrite(run, names, options, {
      header,
      shown: `${target.name} (${target.displayUri})`,
      expected: target.name,
    });
    const cluster = { projectId: header.projectId, clusterName: header.clusterName };
    const jobs = domain.collectionRestoreJobs;
    const job = await jobs.create({
      ...cluster,
      ...sourceOf(header, options.at),
      ...requested(names, options),
      targetProjectId: target.projectId,
      targetClusterName: target.name,
    });
    await followTask(domain, must(job.taskId, 'a created job has a task'), run, target.displayUri);
    const outcomes = await everyItem((page) => jobs.listCollections({ ...cluster, jobId: job.id, page }));
    const { errorMessage } = await jobs.get({ ...cluster, jobId: job.id });
    const facts = { jobId: job.id, snapshotId: job.snapshotId, target: target.name, missing: errorMessage };
    answer(run, { names, options }, facts, outcomes);
  });
}

/**
 * Straight from the repository into the target: needs neither catalog nor service. What was not finished when the
 * process ends is begun anew by hand.
 */
async function restoreToUri(
  run: CommandRun,
  { repository, manifest }: { repository: Repository; manifest: Manifest },
  names: readonly Named[],
  options: RestoreOptions & { uri: string },
): Promise<void> {
  const { header } = manifest;
  const { checkNames, selectionOf } = await import('../domain/restores/collection-restore-plan.ts');
  checkNames(requested(names, options));
  const { restoreCollections } = await import('../engine/collections/restore-collections.ts');
  const { redactUri } = await import('../mongo/connection/connect.ts');
  const target = redactUri(options.uri);
  await confirmOverwrite(run, names, options, { header, shown: target, expected: 'replace' });
  const bar = new ProgressBar(run.terminal, run.clock);
  const records: CollectionRecord[] = [];
  bar.report({ phase: `connecting to ${target}`, documentsDone: 0, bytesDone: 0 });
  try {
    const report = (progress: Progress) => bar.report(progress);
    const asked: Omit<RestoreCollectionsOptions, 'attempt' | 'goesOn'> = {
      repository,
      clusterId: header.clusterId,
      snapshotId: header.snapshotId,
      uri: options.uri,
      selection: selectionOf(requested(names, options)),
      writeStrategy: writeStrategyOf(options),
      indexStrategy: options.indexes,
      ...(options.at === undefined ? {} : { pointInTime: { end: options.at, slices: repository } }),
      journal: journalIn(records),
      restoreId: createIdSource(run.clock, systemRandom).next(),
      clock: run.clock,
      log: createLogger('warn'),
      signal: run.signal,
      report,
    };
    const { clock, signal } = run;
    // Nothing is written down before the target was reached: it may well be the wrong one.
    const weather = { patience: jobPatience, worth: () => records.length > 0, random: systemRandom };
    const { leftOut } = await throughWeather({ ...weather, clock, signal, report }, async (attempt, goesOn) => {
      return await restoreCollections({ ...asked, attempt, goesOn: async (error) => goesOn(error) }, manifest);
    });
    bar.clear();
    const missing = leftOut.count === 0 ? null : `left out: ${summarizeLeftOut(leftOut, LEFT_OUT_NAMED_MAX)}`;
    answer(run, { names, options }, { snapshotId: header.snapshotId, target, missing }, records);
  } finally {
    bar.clear();
  }
}

/** For this process alone. */
function journalIn(records: CollectionRecord[]): RestoreCollectionsOptions['journal'] {
  const change = (source: string, changes: Partial<CollectionRecord>) => {
    const record = records.find((one) => one.source === source);
    Object.assign(must(record, `${source} was written down`), changes);
  };
  let placing = false;
  return {
    read: async () => (records.length === 0 ? null : { placing, records: records.map((record) => ({ ...record })) }),
    begin: async (first) => void records.splice(0, records.length, ...first.map((record) => ({ ...record }))),
    placing: async () => {
      placing = true;
    },
    update: async (source, changes) => change(source, changes),
    progress: async (restored) => {
      for (const [source, restoredDocuments] of restored) change(source, { restoredDocuments });
    },
  };
}

function writeStrategyOf({ overwrite }: RestoreOptions): WriteStrategy {
  return overwrite === true ? 'overwriteExisting' : 'createNew';
}

function requested(names: readonly Named[], options: RestoreOptions) {
  const { databaseSuffix, collectionSuffix } = options;
  const isCollection = ({ source }: Named) => source.includes('.');
  return {
    databases: names.filter((name) => !isCollection(name)),
    collections: names.filter(isCollection),
    ...(databaseSuffix === '' ? {} : { databaseSuffix }),
    ...(collectionSuffix === '' ? {} : { collectionSuffix }),
    writeStrategy: writeStrategies[writeStrategyOf(options)],
    indexStrategy: indexStrategies[options.indexes],
  };
}

function sourceOf(
  { snapshotId }: ManifestHeader,
  at: ReplayEnd | undefined,
): Pick<CollectionRestoreRequest, 'snapshotId' | 'pointInTimeUtcSeconds' | 'oplogTs' | 'oplogInc'> {
  return at === undefined ? { snapshotId } : pointRequest(at);
}

/** Nothing that is there is touched without --overwrite, so that there is nothing to ask. */
async function confirmOverwrite(
  run: CommandRun,
  names: readonly Named[],
  options: RestoreOptions,
  { header, shown, expected }: { header: ManifestHeader; shown: string; expected: string },
): Promise<void> {
  if (options.overwrite !== true) return;
  const after = options.at === undefined ? '' : ` and the captured oplog up to ${formatTimestamp(options.at.ts)}`;
  const when = `${describeSource(header)}${after}`;
  const what = names.map(({ source, target }) => target ?? source).join(', ');
  const warning = `What ${shown} has of ${what} is replaced by what it is in ${when}; writes made meanwhile are lost.`;
  await confirm(run, { yes: options.yes, warning, expected });
}

interface Asked {
  names: readonly Named[];
  options: Pick<RestoreOptions, 'databaseSuffix' | 'collectionSuffix'>;
}

/** Why it has another name than was asked for; nothing where it has that. */
function whyOther(source: string, target: string | null, { names, options }: Asked): string {
  const [db = ''] = source.split('.', 1);
  const collection = source.slice(db.length + 1);
  const named = names.find((one) => one.source === source);
  const ofDatabase = names.find((one) => one.source === db);
  const wanted = named?.target ?? `${ofDatabase?.target ?? db}.${collection}`;
  const [wantedDb = ''] = wanted.split('.', 1);
  const suffixed = `${wantedDb}${options.databaseSuffix}${wanted.slice(wantedDb.length)}${options.collectionSuffix}`;
  return target === suffixed ? '' : ` (what is called ${suffixed} was there before, and stays as it is)`;
}

function answer(
  run: CommandRun,
  asked: Asked,
  facts: { jobId?: string; snapshotId: string; target: string; missing: string | null },
  outcomes: readonly Outcome[],
): void {
  const collections = outcomes.map(({ source, effectiveTarget, state, restoredDocuments }) => ({
    ...{ source, target: effectiveTarget, state, documents: restoredDocuments },
  }));
  const restored = collections.filter(({ state }) => state === 'SUCCESSFUL');
  const documents = restored.reduce((sum, one) => sum + one.documents, 0);
  const { green, yellow } = run.terminal.colors;
  if (facts.missing !== null) run.incomplete();
  const amount = `${formatNumberOf(restored.length, 'collection')}, ${formatNumberOf(documents, 'document')}`;
  run.answer({ ...facts, collections }, [
    ...collections.map(({ source, target, state }) =>
      state === 'SUCCESSFUL' ? `  ${source} -> ${target}${whyOther(source, target, asked)}` : `  ${source}: ${state}`,
    ),
    `${green('Restored')} ${amount} into ${facts.target}.`,
    ...(facts.missing === null ? [] : [`${yellow('Missing')}, because the target refuses it: ${facts.missing}.`]),
  ]);
}
