import { resolve } from 'node:path';
import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { exitCodes } from './exit-codes.ts';
import {
  dataDirOption,
  jsonOption,
  type PassphraseOptions,
  passphraseFileOption,
  readPassphrase,
  requireDataDir,
} from './options.ts';
import { formatNumberOf } from './sizes.ts';

interface RepositoryRebuildOptions extends PassphraseOptions {
  dataDir?: string;
  json?: boolean;
}

export function repositoryRebuildCommand(tools: CommandTools): Command {
  return new Command('rebuild')
    .description('make the catalog anew from the repository, after the catalog was lost')
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: RepositoryRebuildOptions) =>
      runCommand(tools, options, async (run) => {
        const dataDir = resolve(requireDataDir(options));
        const passphrase = await readPassphrase(options, run.env);
        const { rebuildDataDirectory } = await import('../compose.ts');
        const rebuilt = await rebuildDataDirectory({ dataDir, passphrase, signal: run.signal });
        const { bold, green, red, yellow } = run.terminal.colours;
        const counts = [
          formatNumberOf(rebuilt.snapshots, 'snapshot'),
          formatNumberOf(rebuilt.clusters, 'cluster'),
          formatNumberOf(rebuilt.projects, 'project'),
        ].join(', ');
        const copy = rebuilt.copiedAt === null ? 'no catalog copy was found' : `catalog copy of ${rebuilt.copiedAt}`;
        run.answer(rebuilt, [
          `${green('Rebuilt')} the catalog in ${dataDir}: ${counts} were missing and are back (${copy}).`,
          ...rebuilt.clustersToRegister.map(
            ({ name, projectId }) =>
              `${yellow('Register again:')} tidemark cluster add ${name} --project ${projectId} --uri …`,
          ),
          ...(rebuilt.apiKey === null
            ? []
            : [`New API key: ${rebuilt.apiKey.publicKey}  ${bold(rebuilt.apiKey.privateKey)} (shown this once)`]),
          ...rebuilt.damaged.map(({ snapshotId, problem }) => `${red('Damaged:')} snapshot ${snapshotId}: ${problem}`),
        ]);
        if (rebuilt.damaged.length > 0) process.exitCode = exitCodes.damaged;
      }),
    );
}
