import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { exitCodes } from './exit-codes.ts';
import { openRepositoryOf, type RepositoryOptions } from './open-repository.ts';
import { dataDirOption, jsonOption, passphraseFileOption, repositoryOption } from './options.ts';
import { ProgressBar } from './progress-bar.ts';
import { formatBytes, formatDuration, formatNumberOf } from './sizes.ts';
import { renderTable } from './table.ts';

interface RepositoryCheckOptions extends RepositoryOptions {
  readData?: boolean;
  json?: boolean;
}

export function repositoryCheckCommand(tools: CommandTools): Command {
  return new Command('check')
    .description('check that every snapshot can be restored; exit code 4 when one cannot')
    .option('--read-data', 'also read, decrypt, decompress and hash every blob')
    .addOption(dataDirOption())
    .addOption(repositoryOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: RepositoryCheckOptions) =>
      runCommand(tools, options, async (run) => {
        const repository = await openRepositoryOf(run, options);
        const { checkRepository } = await import('../repository/check.ts');
        const bar = new ProgressBar(run.terminal, run.clock);
        const startedMs = run.clock.monotonicMs();
        const report = await checkRepository(repository, {
          readData: options.readData === true,
          signal: run.signal,
          report: (progress) => bar.report(progress),
        }).finally(() => bar.clear());
        const took = formatDuration(run.clock.monotonicMs() - startedMs);
        const what = `${formatNumberOf(report.snapshots, 'snapshot')}, ${formatNumberOf(report.blobs, 'blob')}, ${formatBytes(report.bytes)}`;
        const { green, red } = run.terminal.colours;
        if (report.problems.length === 0) {
          const how = options.readData === true ? 'Every blob was read and is what was written' : 'Everything is there';
          run.answer(report, [`${green(how)}: ${what}, in ${took}.`]);
          return;
        }
        const layout = [{ header: 'SNAPSHOT' }, { header: 'NAMESPACE' }, { header: 'PROBLEM' }, { header: 'OBJECT' }];
        const rows = report.problems.map((found) => [
          found.snapshotId,
          found.namespace ?? '-',
          found.problem,
          found.objectKey ?? '-',
        ]);
        run.answer(report, [
          `${red(`${formatNumberOf(report.problems.length, 'problem')}:`)} ${what}, in ${took}.`,
          ...renderTable(layout, rows, run.terminal),
          'Snapshots named here cannot be restored whole; the others can. Take a new snapshot, and find out what happened to the disk.',
        ]);
        process.exitCode = exitCodes.damaged;
      }),
    );
}
