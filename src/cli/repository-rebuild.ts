import { resolve } from 'node:path';
import { Command } from 'commander';
import { environmentNames } from '../config.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { exitCodes } from './exit-codes.ts';
import {
  dataDirOption,
  jsonOption,
  objectStoresOption,
  type PassphraseOptions,
  passphraseFileOption,
  readPassphrase,
  requireDataDir,
} from './options.ts';
import { formatNumberOf } from './sizes.ts';

interface RepositoryRebuildOptions extends PassphraseOptions {
  dataDir?: string;
  from?: string;
  objectStores?: string;
  json?: boolean;
}

export function repositoryRebuildCommand(tools: CommandTools): Command {
  return new Command('rebuild')
    .description('make the catalog anew from the repository, after the catalog was lost')
    .addOption(dataDirOption())
    .option(
      '--from <place>',
      'where the repository is, if not inside the data directory: a directory or URL, as for init',
    )
    .addOption(objectStoresOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: RepositoryRebuildOptions) =>
      runCommand(
        tools,
        options,
        async (run) => {
          const dataDir = resolve(requireDataDir(options));
          const passphrase = await readPassphrase(options, run.env);
          const repository = options.from ?? run.env[environmentNames.repository];
          const { objectStores } = options;
          const { rebuildDataDirectory } = await import('../compose/make-data-directory.ts');
          const rebuilt = await rebuildDataDirectory({
            dataDir,
            passphrase,
            repository,
            objectStores,
            signal: run.signal,
          });
          const { bold, green, red, yellow } = run.terminal.colors;
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
                `${yellow('Register again:')} tidemark cluster add ${name} --project ${projectId} --uri-file FILE`,
            ),
            ...(rebuilt.apiKey === null
              ? []
              : [`New API key: ${rebuilt.apiKey.publicKey}  ${bold(rebuilt.apiKey.privateKey)} (shown this once)`]),
            ...rebuilt.damaged.map(
              ({ snapshotId, problem }) => `${red('Damaged:')} snapshot ${snapshotId}: ${problem}`,
            ),
          ]);
          if (rebuilt.damaged.length > 0) process.exitCode = exitCodes.damaged;
        },
        { repository: '--from' },
      ),
    );
}
