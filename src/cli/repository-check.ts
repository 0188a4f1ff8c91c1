import { resolve } from 'node:path';
import { Command } from 'commander';
import type { ExpectedContent } from '../domain/repositories/expected-content.ts';
import type { Missing } from '../domain/repositories/find-missing.ts';
import { isAbort } from '../lib/abort.ts';
import { Damage, Fault } from '../lib/errors.ts';
import { describeOpen, findOpen } from '../lib/private-files.ts';
import type { Repository } from '../repository/repository.ts';
import type { CheckReport } from '../repository/upkeep/check.ts';
import { visibleWidth } from './colors.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { exitCodes } from './exit-codes.ts';
import { openRepositoryOf, type RepositoryOptions } from './open-repository.ts';
import { dataDirOption, jsonOption, passphraseFileOption, readPassphrase, repositoryOption } from './options.ts';
import { ProgressBar } from './progress-bar.ts';
import { formatBytes, formatDuration, formatNumberOf } from './sizes.ts';
import { renderTable } from './table.ts';

interface RepositoryCheckOptions extends RepositoryOptions {
  readData?: boolean;
  json?: boolean;
}

export function repositoryCheckCommand(tools: CommandTools): Command {
  return new Command('check')
    .description('check that everything that should be there is, and can be restored; exit code 4 when not')
    .option('--read-data', 'also read, decrypt, decompress and check every blob and every slice of captured oplog')
    .addOption(dataDirOption())
    .addOption(repositoryOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: RepositoryCheckOptions) => runCommand(tools, options, (run) => check(run, options)));
}

/** What a check found beside the snapshots that are there. */
interface Around {
  toldBy: string | null;
  missing: Missing[];
  notices: string[];
  clockSkewMs: number | null;
}

async function check(run: CommandRun, options: RepositoryCheckOptions): Promise<void> {
  const repository = await openRepositoryOf(run, options);
  const { checkRepository } = await import('../repository/upkeep/check.ts');
  const { tryToNoteAllVerified } = await import('../repository/verifications.ts');
  const bar = new ProgressBar(run.terminal, run.clock);
  const startedMs = run.clock.monotonicMs();
  // What should be there is asked first: a snapshot that is completed or deleted meanwhile is then no false alarm
  // twice.
  const around = await lookAround(run, repository, options);
  const { verified, ...report } = await checkRepository(repository, {
    readData: options.readData === true,
    signal: run.signal,
    report: (progress) => bar.report(progress),
  }).finally(() => bar.clear());
  const unnoted = await tryToNoteAllVerified(repository, verified, { signal: run.signal });
  if (unnoted !== null) around.notices.push(`that every blob was read could not be noted: ${unnoted}`);
  const took = formatDuration(run.clock.monotonicMs() - startedMs);
  const what = `${formatNumberOf(report.snapshots, 'snapshot')}, ${formatNumberOf(report.blobs, 'blob')}, ${formatBytes(report.bytes)}`;
  const count = report.problems.length + around.missing.length;
  const { green, red, yellow } = run.terminal.colors;
  const how =
    options.readData === true
      ? 'Every blob was read and is what was written, and everything is there'
      : 'Everything is there';
  const by = around.toldBy === null ? '' : ` that ${around.toldBy} lists`;
  const lines =
    count === 0
      ? [`${green(`${how}${by}`)}: ${what}, in ${took}.`]
      : [
          `${red(`${formatNumberOf(count, 'problem')}:`)} ${what}, in ${took}.`,
          ...around.missing.map(describeMissing),
          ...problemLines(run, report),
          ...(around.missing.length === 0
            ? []
            : ['What is missing may be in a copy of the repository or a copy store: put it back from there.']),
        ];
  run.answer({ ...report, ...around }, [...lines, ...around.notices.map((notice) => `${yellow('Note:')} ${notice}.`)]);
  if (count > 0) process.exitCode = exitCodes.damaged;
}

function describeMissing({ message, snapshotIds }: Missing): string {
  const shown = snapshotIds.slice(0, 20).join(', ');
  const more = snapshotIds.length > 20 ? `, and ${snapshotIds.length - 20} more` : '';
  return shown === '' ? `${message}.` : `${message}: ${shown}${more}.`;
}

function problemLines(run: CommandRun, { problems }: Pick<CheckReport, 'problems'>): string[] {
  if (problems.length === 0) return [];
  const layout = [{ header: 'SNAPSHOT' }, { header: 'NAMESPACE' }, { header: 'PROBLEM' }, { header: 'OBJECT' }];
  const rows = problems.map((found) => [
    found.snapshotId,
    found.namespace ?? '-',
    found.problem,
    found.objectKey ?? '-',
  ]);
  const table = renderTable(layout, rows, { ...run.terminal, columns: null });
  const { columns } = run.terminal;
  const fits = columns === null || table.every((line) => visibleWidth(line) <= columns);
  // Cut down nobody could act on it.
  const blocks = problems.flatMap(({ snapshotId, namespace, problem, objectKey }) => [
    `snapshot ${snapshotId}${namespace === null ? '' : `, ${namespace}`}: ${problem}`,
    ...(objectKey === null ? [] : [`  ${objectKey}`]),
  ]);
  return [
    ...(fits ? table : blocks),
    'Snapshots named here cannot be restored whole; the others can. Take a new snapshot, and find out what happened to the disk.',
  ];
}

async function lookAround(run: CommandRun, repository: Repository, options: RepositoryCheckOptions): Promise<Around> {
  const { findMissing } = await import('../domain/repositories/find-missing.ts');
  const { checkCatalogCopies } = await import('../repository/catalog-copies.ts');
  const { signal } = run;
  const expected = await expectedContent(repository, options);
  const { copies, damaged } = await checkCatalogCopies(repository, { signal });
  const notices: string[] = [];
  const missing: Missing[] = damaged.map(({ problem }) => ({ kind: 'catalogCopy', message: problem, snapshotIds: [] }));
  if (copies === 0)
    notices.push('the repository holds no copy of the catalog: the service writes one when something changes');
  if (expected === null)
    notices.push('nothing says which snapshots should be there: there is neither a catalog nor a copy of one');
  else {
    const copyRepositories = await copiesOf(run, repository, options, expected);
    const places = { repository, copyRepositories, readData: options.readData === true, signal };
    let found = await findMissing(places, expected);
    if (found.missing.length > 0) {
      // What was deleted while it was looked for is not missing.
      const again = await expectedContent(repository, options);
      if (again !== null) found = await findMissing(places, again);
    }
    missing.push(...found.missing);
    notices.push(...found.notLookedFor.map((what) => `not looked for: ${what}`));
  }
  if (repository.notice !== null) notices.push(repository.notice);
  for (const directory of await directoriesOf(run, options)) {
    const open = await findOpen(directory);
    if (open !== null) notices.push(describeOpen(open));
  }
  const clockSkewMs = await skewOf(repository, notices);
  return { toldBy: expected?.toldBy ?? null, missing, notices, clockSkewMs };
}

/** What is to be the owner's alone: the data directory, and a repository that is in a directory elsewhere. */
async function directoriesOf(run: CommandRun, options: RepositoryCheckOptions): Promise<string[]> {
  const { environmentNames, repositoryPlaceOf } = await import('../config.ts');
  const { dataDir, repository: named } = options;
  const known = dataDir === undefined ? '' : repositoryPlaceOf(dataDir, run.env[environmentNames.repository]);
  const place = named ?? known;
  const own = named === undefined && dataDir !== undefined ? [resolve(dataDir)] : [];
  if (place === '' || place.includes('://')) return own;
  const path = resolve(place);
  return own.some((directory) => path.startsWith(`${directory}/`)) ? own : [...own, path];
}

/** By the catalog; where there is none, or a repository was named by itself, by the newest catalog copy inside it. */
async function expectedContent(
  repository: Repository,
  { dataDir, repository: named }: RepositoryCheckOptions,
): Promise<ExpectedContent | null> {
  if (named === undefined && dataDir !== undefined) {
    const { readExpectedContent } = await import('../compose/open-for-check.ts');
    const expected = await readExpectedContent(resolve(dataDir));
    if (expected !== null) return expected;
  }
  const { readLatestCatalogCopy } = await import('../repository/catalog-copies.ts');
  const { expectedByCopy } = await import('../domain/repositories/expected-content.ts');
  const copy = await readLatestCatalogCopy(repository).catch((error: unknown) => {
    if (error instanceof Damage) return null; // named as damaged by the look at all of them
    throw error;
  });
  return copy === null ? null : expectedByCopy(copy);
}

async function copiesOf(
  run: CommandRun,
  repository: Repository,
  options: RepositoryCheckOptions,
  expected: ExpectedContent,
): Promise<ReadonlyMap<string, Repository>> {
  if (expected.copies.length === 0 || options.dataDir === undefined) return new Map();
  const { copyStoresOf, environmentNames } = await import('../config.ts');
  const copyStores = copyStoresOf((run.env[environmentNames.copyStores] ?? '').split(','));
  const { openCopiesForCheck } = await import('../compose/open-for-check.ts');
  const passphrase = await readPassphrase(options, run.env);
  const objectStores = run.env[environmentNames.objectStores];
  const dataDir = resolve(options.dataDir);
  return await openCopiesForCheck(repository, { dataDir, passphrase, copyStores, objectStores });
}

/** How far this machine's clock is ahead of the store's; null where nothing can be written there to ask it. */
async function skewOf(repository: Repository, notices: string[]): Promise<number | null> {
  const { describeSkew, isSkewed, readStoreTime, SKEW_HINT } = await import('../repository/store-time.ts');
  try {
    const { skewMs } = await readStoreTime(repository);
    if (isSkewed(skewMs))
      notices.push(`${describeSkew(skewMs, repository.store.description)}; nothing is pruned meanwhile. ${SKEW_HINT}`);
    return skewMs;
  } catch (error) {
    if (isAbort(error) || !(error instanceof Fault)) throw error;
    notices.push(`the time of ${repository.store.description} could not be read: ${error.message}`);
    return null;
  }
}
