import { Command, Option } from 'commander';
import { must } from '../lib/assert.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { followTask } from './follow-task.ts';
import { findCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption, wholeNumber } from './options.ts';
import { formatBytes, formatDuration, formatNumberOf } from './sizes.ts';
import { snapshotJson } from './snapshot-view.ts';

interface SnapshotTakeOptions {
  project?: string;
  description?: string;
  retentionDays?: number;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function snapshotTakeCommand(tools: CommandTools): Command {
  return new Command('take')
    .description('take a snapshot of a registered cluster and wait until it has ended')
    .argument('<cluster>', 'name of the cluster')
    .addOption(projectOption())
    .option('--description <text>', 'kept with the snapshot')
    .addOption(new Option('--retention-days <days>', 'days until it expires (7 if left out)').argParser(wholeNumber(1)))
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: SnapshotTakeOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, { ...options, worker: true }, async ({ domain }) => {
          const cluster = await findCluster(domain, name, options.project);
          const at = { projectId: cluster.projectId, clusterName: cluster.name };
          const requested = await domain.snapshots.take({
            ...at,
            ...(options.description === undefined ? {} : { description: options.description }),
            ...(options.retentionDays === undefined ? {} : { retentionInDays: options.retentionDays }),
          });
          await followTask(domain, must(requested.taskId, 'a requested snapshot has a task'), run, cluster.displayUri);
          const snapshot = await domain.snapshots.get({ ...at, snapshotId: requested.id });
          const tookMs = (snapshot.finishedAtMs ?? 0) - (snapshot.startedAtMs ?? 0);
          const { bold, green } = run.terminal.colors;
          run.answer(snapshotJson(snapshot), [
            `${green('Snapshot')} ${bold(snapshot.id)} of ${cluster.name} completed in ${formatDuration(tookMs)}.`,
            `${formatNumberOf(snapshot.documents ?? 0, 'document')}, ${formatBytes(snapshot.dataBytes ?? 0)}; ` +
              `${formatBytes(snapshot.writtenPlainBytes ?? 0)} were new, stored as ${formatBytes(snapshot.writtenStoredBytes ?? 0)}.`,
          ]);
        }),
      ),
    );
}
