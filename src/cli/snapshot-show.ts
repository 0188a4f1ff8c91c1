import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { findSnapshot } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, parseId, passphraseFileOption } from './options.ts';
import { snapshotJson, snapshotPage } from './snapshot-view.ts';

interface SnapshotShowOptions {
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function snapshotShowCommand(tools: CommandTools): Command {
  return new Command('show')
    .description('show all about one snapshot')
    .argument('<snapshot>', 'its id', parseId)
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((snapshotId: string, options: SnapshotShowOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async (workspace) => {
          const snapshot = await findSnapshot(workspace, snapshotId);
          run.answer(snapshotJson(snapshot), snapshotPage(snapshot, run.terminal.colours));
        }),
      ),
    );
}
