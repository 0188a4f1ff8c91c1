import { resolve } from 'node:path';
import { Command } from 'commander';
import { describeOpen, findOpen } from '../lib/private-files.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import {
  dataDirOption,
  jsonOption,
  objectStoresOption,
  type PassphraseOptions,
  passphraseFileOption,
  placeOption,
  readPassphrase,
  requireDataDir,
} from './options.ts';
import { renderFields } from './table.ts';

interface InitOptions extends PassphraseOptions {
  dataDir?: string;
  repository?: string;
  objectStores?: string;
  json?: boolean;
}

/** The repository's directory, where it is kept in one elsewhere. */
function localPlace(repository: string | undefined): string[] {
  return repository === undefined || repository === '' || repository.includes('://') ? [] : [resolve(repository)];
}

export function initCommand(tools: CommandTools): Command {
  return new Command('init')
    .description('make a data directory: catalog, repository, a first project and credentials')
    .addOption(dataDirOption())
    .addOption(placeOption())
    .addOption(objectStoresOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: InitOptions) =>
      runCommand(tools, options, async (run) => {
        const dataDir = resolve(requireDataDir(options));
        const { repository, objectStores } = options;
        const passphrase = await readPassphrase(options, run.env);
        const { initDataDirectory } = await import('../compose/make-data-directory.ts');
        const open = (await Promise.all([dataDir, ...localPlace(repository)].map(findOpen))).filter(
          (one) => one !== null,
        );
        const made = await initDataDirectory({ dataDir, passphrase, repository, objectStores, signal: run.signal });
        const { colors } = run.terminal;
        const serviceAccount = { clientId: made.serviceAccount.clientId, clientSecret: made.serviceAccount.secret };
        run.answer({ orgId: made.organizationId, projectId: made.projectId, apiKey: made.apiKey, serviceAccount }, [
          `${colors.green('Made')} ${dataDir}.`,
          '',
          ...renderFields(
            [
              ['organization', made.organizationId],
              ['project', made.projectId],
              ['API key', `${made.apiKey.publicKey}  ${colors.bold(made.apiKey.privateKey)}`],
              ['service account', `${serviceAccount.clientId}  ${colors.bold(serviceAccount.clientSecret)}`],
              ...(repository === undefined ? [] : ([['kept in', repository]] as const)),
              ['repository', made.encrypted ? 'encrypted: without the passphrase it cannot be read' : 'not encrypted'],
            ],
            colors,
          ),
          '',
          ...open.map((one) => `${colors.yellow('Open:')} ${describeOpen(one)}`),
          colors.yellow('The secrets are shown this once and kept nowhere: write them down.'),
          `Next: tidemark cluster add NAME --uri-file FILE --data-dir ${dataDir}`,
          `Then: tidemark serve --data-dir ${dataDir}`,
        ]);
      }),
    );
}
