import { Command, Option } from 'commander';
import { formatTimestamp, timestampParts } from '../bson/timestamp.ts';
import type { Workspace } from '../compose/service.ts';
import { verifiedWithinOf } from '../config.ts';
import type { ClusterName } from '../domain/names.ts';
import type { RestoreRequest } from '../domain/restores/restore-jobs.ts';
import { describeLeftOut, type LeftOutSummary } from '../engine/left-out.ts';
import type { ReplayEnd } from '../engine/replay/replay-interval.ts';
import type { HoldRecord } from '../engine/sharding/balancer-hold.ts';
import { must } from '../lib/assert.ts';
import { createIdSource } from '../lib/ids.ts';
import { createLogger, type Logger } from '../lib/logger.ts';
import type { Progress } from '../lib/progress.ts';
import { systemRandom } from '../lib/random.ts';
import { jobPatience } from '../lib/weather/patience.ts';
import { throughWeather } from '../lib/weather/through-weather.ts';
import { addUriOptions, readUri } from './cluster-uri.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { confirm } from './confirmation.ts';
import { atOption, justBeforeOption, type PointOptions, pointAsked, pointRequest } from './document-options.ts';
import { followTask } from './follow-task.ts';
import { chooseClusterName, findCluster, findSnapshot } from './lookup.ts';
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
  verifiedWithinOption,
  yesOption,
} from './options.ts';
import { ProgressBar } from './progress-bar.ts';
import { formatBytes, formatDuration, formatNumberOf, formatTime } from './sizes.ts';
import { describeSnapshot } from './snapshot-view.ts';
import { UsageError } from './usage-error.ts';

const NOTHING: LeftOutSummary = { named: [], count: 0 };

interface RestoreOptions extends RepositoryOptions, PointOptions {
  snapshot?: string;
  from?: string;
  to?: string;
  uri?: string;
  uriFile?: string;
  project?: string;
  skipVerify?: boolean;
  verifiedWithin?: string;
  yes?: boolean;
  json?: boolean;
}

export function restoreCommand(tools: CommandTools): Command {
  const command = new Command('restore')
    .description(
      'replace the data of a cluster with that of a snapshot or of a later point in time; begins again by itself where an election, a broken network or a stalled store cuts it off',
    )
    .addOption(snapshotOption())
    .addOption(atOption())
    .addOption(justBeforeOption())
    .addOption(fromOption())
    .addOption(new Option('--to <cluster>', 'a registered cluster'));
  return addUriOptions(command, 'target')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(repositoryOption())
    .addOption(passphraseFileOption())
    .addOption(verifiedWithinOption())
    .option('--skip-verify', 'do not read and hash every blob before the target is touched (with --uri-file or --uri)')
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((options: RestoreOptions) =>
      runCommand(tools, options, (run) => restore(run, { ...options, at: pointAsked(options) })),
    );
}

async function restore(run: CommandRun, options: RestoreOptions): Promise<void> {
  const { to } = options;
  const uri = to === undefined ? await readUri(run, options, 'target') : undefined;
  if (uri !== undefined) await restoreToUri(run, { ...options, uri });
  else if (to === undefined)
    throw new UsageError('Say where to restore: --to <cluster> or --uri-file <file>, or set TIDEMARK_TARGET_URI.');
  else if (options.repository !== undefined) {
    throw new UsageError(
      'A repository by itself knows no clusters: give the target with --uri-file <file>, or set TIDEMARK_TARGET_URI.',
    );
  } else await restoreToCluster(run, { ...options, to });
}

/** As the API does it: a restore job in the catalog, run by a worker. */
async function restoreToCluster(run: CommandRun, options: RestoreOptions & { to: string }): Promise<void> {
  await withService(run, { ...options, worker: true }, async (workspace) => {
    const { domain } = workspace;
    if (options.skipVerify === true)
      throw new UsageError('--skip-verify goes with --uri-file and --uri: a restore job always verifies.');
    const target = await findCluster(domain, options.to, options.project);
    const { source, what, request } = await chooseSource(run, workspace, options);
    const warning = `All data of ${target.name} (${target.displayUri}) is replaced by ${what}.`;
    await confirm(run, { yes: options.yes, warning, expected: target.name });
    const into = { targetProjectId: target.projectId, targetClusterName: target.name };
    const job = await domain.restoreJobs.create({ ...source, ...request, ...into });
    await followTask(domain, must(job.taskId, 'a created restore job has a task'), run, target.displayUri);
    const done = await domain.restoreJobs.get({ ...source, restoreJobId: job.id });
    const ms = (done.finishedAtMs ?? 0) - (done.startedAtMs ?? 0);
    const restored = { documents: done.restoredDocuments ?? 0, bytes: done.restoredBytes ?? 0 };
    const leftOut = done.leftOut ?? NOTHING;
    const { snapshotId } = job;
    const point = pointFacts(options.at);
    const answer = { restoreJobId: job.id, snapshotId, ...point, target: target.name, ...restored, leftOut, ms };
    run.answer(answer, [describe(run, target.name, restored, ms), ...describeLosses(run, leftOut)]);
  });
}

/** Whose backup it is, what it is in words, and what the job is asked for. */
async function chooseSource(
  run: CommandRun,
  workspace: Workspace,
  options: RestoreOptions,
): Promise<{ source: ClusterName; what: string; request: Omit<RestoreRequest, keyof ClusterName> }> {
  const { at, from } = options;
  if (at !== undefined && (options.snapshot ?? 'latest') === 'latest') {
    const source = await chooseClusterName(workspace, from);
    const what = `what ${source.clusterName} was ${describePoint(at)}`;
    return { source, what, request: { deliveryType: 'pointInTime', ...pointRequest(at) } };
  }
  const repository = await openRepositoryOf(run, options);
  const { header } = await findManifestAsked(repository, options, at, run.signal);
  const { snapshotId, projectId, clusterName } = header;
  if (at === undefined) {
    const snapshot = await findSnapshot(workspace, snapshotId);
    const source = { projectId: snapshot.projectId, clusterName: snapshot.clusterName };
    return { source, what: describeSnapshot(snapshot), request: { deliveryType: 'automated', snapshotId } };
  }
  const what = `${describeSource(header)} and the captured oplog, ${describePoint(at)}`;
  const request = { deliveryType: 'pointInTime' as const, snapshotId, ...pointRequest(at) };
  return { source: { projectId, clusterName }, what, request };
}

/** `as of 2026-11-22T10:20:30Z.5, with that entry`. */
function describePoint({ ts, inclusive }: ReplayEnd): string {
  return inclusive ? `at ${formatTimestamp(ts)}` : `just before ${formatTime(timestampParts(ts).t * 1000)}`;
}

function pointFacts(at: ReplayEnd | undefined): { at?: string } {
  return at === undefined ? {} : { at: describePoint(at) };
}

/**
 * Straight from the repository into the target: needs neither catalog nor service, which is what is left after a
 * disaster.
 */
async function restoreToUri(run: CommandRun, options: RestoreOptions & { uri: string }): Promise<void> {
  const repository = await openRepositoryOf(run, options);
  const { at } = options;
  const manifest = await findManifestAsked(repository, options, at, run.signal);
  const { header } = manifest;
  const { redactUri } = await import('../mongo/connection/connect.ts');
  const target = redactUri(options.uri);
  const after = at === undefined ? '' : ` and the captured oplog, ${describePoint(at)}`;
  const warning = `All data of ${target} is replaced by ${describeSource(header)}${after}.`;
  await confirm(run, { yes: options.yes, warning, expected: 'replace' });
  const bar = new ProgressBar(run.terminal, run.clock);
  const startedMs = run.clock.monotonicMs();
  bar.report({ phase: `connecting to ${target}`, documentsDone: 0, bytesDone: 0 });
  try {
    const { restore } = await import('../engine/restore/restore.ts');
    const log = createLogger('warn');
    const { clusterId, snapshotId } = header;
    const tools = { clock: run.clock, log, signal: run.signal, holdRecord: holdRecordIn(log) };
    const report = (progress: Progress) => bar.report(progress);
    let cleared = false;
    const clearing = async () => {
      cleared = true;
    };
    const point = at === undefined ? {} : { point: { end: at, slices: repository } };
    const asked = { repository, clusterId, snapshotId, uri: options.uri, report, clearing, ...point, ...tools };
    const verifiedWithinMs = verifiedWithinOf(options.verifiedWithin);
    const id = createIdSource(run.clock, systemRandom).next();
    // A target that was not touched yet may well be the wrong one: whoever sits there is told at once.
    const weather = { patience: jobPatience, worth: () => cleared, random: systemRandom, report, ...tools };
    const restored = await throughWeather(weather, async (attempt) => {
      const verifyContent = options.skipVerify !== true && !cleared;
      return await restore({ ...asked, verifyContent, verifiedWithinMs, run: { id, attempt } }, manifest);
    });
    bar.clear();
    const ms = Math.round(run.clock.monotonicMs() - startedMs);
    const answer = { snapshotId: header.snapshotId, ...pointFacts(at), target, ...restored, ms };
    run.answer(answer, [describe(run, target, restored, ms), ...describeLosses(run, restored.leftOut)]);
  } finally {
    bar.clear();
  }
}

/** A line for each thing that the target refused, and the exit code that says that there are some. */
function describeLosses(run: CommandRun, { named, count }: LeftOutSummary): string[] {
  if (count === 0) return [];
  run.incomplete();
  const { yellow } = run.terminal.colors;
  const more = count > named.length ? [`... and ${count - named.length} more.`] : [];
  return [
    `${yellow('Missing')}, because the target refuses it:`,
    ...named.map((one) => `  ${describeLeftOut(one)}`),
    ...more,
  ];
}

/** There is no catalog to write it down in: who reads this starts it by hand where this process is killed. */
function holdRecordIn(log: Logger): HoldRecord {
  return {
    write: async () =>
      log.warn("the target's balancer is stopped until the restore ends; if it is cut off, run sh.startBalancer()"),
    erase: async () => undefined,
  };
}

function describe(run: CommandRun, target: string, restored: { documents: number; bytes: number }, ms: number): string {
  const amount = `${formatNumberOf(restored.documents, 'document')}, ${formatBytes(restored.bytes)}`;
  return `${run.terminal.colors.green('Restored')} ${amount} into ${target} in ${formatDuration(ms)}.`;
}
