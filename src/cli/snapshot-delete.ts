import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { confirm } from './confirmation.ts';
import { findSnapshotMeant } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, fromOption, jsonOption, passphraseFileOption, snapshotArgument, yesOption } from './options.ts';
import { describeSnapshot } from './snapshot-view.ts';

interface SnapshotDeleteOptions {
  from?: string;
  dataDir?: string;
  passphraseFile?: string;
  yes?: boolean;
  json?: boolean;
}

export function snapshotDeleteCommand(tools: CommandTools): Command {
  return new Command('delete')
    .description(
      'delete a snapshot and its copies; what no other one uses is given back by `tidemark repository prune`',
    )
    .addArgument(snapshotArgument())
    .addOption(fromOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((meant: string, options: SnapshotDeleteOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async (workspace) => {
          const snapshot = await findSnapshotMeant(workspace, { snapshot: meant, from: options.from });
          const { id, projectId, clusterName, copyRegions } = snapshot;
          const copies = copyRegions.length === 0 ? '' : `, with its copies in ${copyRegions.join(', ')}`;
          const warning = `${describeSnapshot(snapshot)} is deleted${copies}.`;
          await confirm(run, { yes: options.yes, warning, expected: clusterName });
          await workspace.domain.snapshots.delete({ projectId, clusterName, snapshotId: id });
          run.answer({ id, projectId, clusterName, deleted: true }, [
            `Deleted ${describeSnapshot(snapshot)}${copies}.`,
            'Room comes back with: tidemark repository prune',
          ]);
        }),
      ),
    );
}
