import { resolve } from 'node:path';
import { Command } from 'commander';
import { environmentNames } from '../config.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { dataDirOption, jsonOption, objectStoresOption, requireDataDir } from './options.ts';
import { ProgressBar } from './progress-bar.ts';
import { formatBytes, formatNumberOf } from './sizes.ts';

interface RepositoryMoveOptions {
  dataDir?: string;
  objectStores?: string;
  json?: boolean;
}

export function repositoryMoveCommand(tools: CommandTools): Command {
  return new Command('move')
    .description(
      'copy the repository to another place and use it there from now on; where that was done by other means, say where it is',
    )
    .argument('<place>', 'a directory or URL, as for init')
    .addOption(dataDirOption())
    .addOption(objectStoresOption())
    .addOption(jsonOption())
    .action((place: string, options: RepositoryMoveOptions) =>
      runCommand(tools, options, async (run) => {
        const dataDir = resolve(requireDataDir(options));
        const { objectStores } = options;
        const repository = run.env[environmentNames.repository];
        const to = place.includes('://') ? place : resolve(place);
        const { moveRepository } = await import('../compose/move-repository.ts');
        const bar = new ProgressBar(run.terminal, run.clock);
        const moved = await moveRepository({
          ...{ dataDir, to, repository, objectStores, signal: run.signal },
          report: (progress) => bar.report(progress),
        }).finally(() => bar.clear());
        const { green, yellow } = run.terminal.colors;
        const { copied, from } = moved;
        run.answer(moved, [
          copied === null
            ? `The repository was moved to ${to} before, and is used there from now on.`
            : `${green('Moved')} the repository to ${to}: ${formatNumberOf(copied.objects, 'object')}, ${formatBytes(copied.bytes)} were copied.`,
          ...(repository === undefined || repository === ''
            ? []
            : [`${yellow('Note:')} ${environmentNames.repository} still says ${repository}: change or unset it.`]),
          'Next: tidemark repository check --read-data',
          ...(copied === null ? [] : [`What is in ${from} stays there: delete it once the check is clean.`]),
        ]);
      }),
    );
}
