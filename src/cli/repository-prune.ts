import { Command, Option } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, type PassphraseOptions, passphraseFileOption, wholeNumber } from './options.ts';
import { formatBytes, formatNumberOf } from './sizes.ts';

interface RepositoryPruneOptions extends PassphraseOptions {
  dataDir?: string;
  dryRun?: boolean;
  graceHours?: number;
  sweepFailed?: boolean;
  json?: boolean;
}

const HOUR_MS = 3_600_000;

export function repositoryPruneCommand(tools: CommandTools): Command {
  return new Command('prune')
    .description('remove what no snapshot uses any more')
    .option('--dry-run', 'only say what would be removed')
    .addOption(new Option('--grace-hours <hours>', 'keep what is younger (24 if left out)').argParser(wholeNumber(0)))
    .option(
      '--sweep-failed',
      'do not wait with what failed snapshots left, where their leases or the catalog prove that nobody writes it any more',
    )
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: RepositoryPruneOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ catalog, repository }) => {
          const [{ planServicePrune }, { executePrune }] = await Promise.all([
            import('../domain/repositories/prune.ts'),
            import('../repository/upkeep/prune.ts'),
          ]);
          const { signal } = run;
          const plan = await planServicePrune(catalog.reader, repository, {
            signal,
            sweepFailed: options.sweepFailed === true,
            ...(options.graceHours === undefined ? {} : { graceMs: options.graceHours * HOUR_MS }),
          });
          const sweepBytes = plan.sweep.reduce((sum, object) => sum + object.sizeBytes, 0);
          const planned = { sweepObjects: plan.sweep.length, sweepBytes };
          const amount = `${formatNumberOf(plan.sweep.length, 'object')}, ${formatBytes(sweepBytes)}`;
          if (options.dryRun === true) {
            const objectKeys = plan.sweep.map((object) => object.objectKey);
            run.answer({ ...planned, dryRun: true, objectKeys }, [
              ...objectKeys,
              `Would remove ${amount}. Nothing was removed.`,
            ]);
            return;
          }
          const done = await executePrune(repository, plan, { signal });
          run.answer({ ...planned, dryRun: false, ...done }, [
            plan.sweep.length === 0
              ? 'There is nothing to remove.'
              : `${run.terminal.colors.green('Removed')} ${amount}.`,
          ]);
        }),
      ),
    );
}
