import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { confirm } from './confirmation.ts';
import { findCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption, yesOption } from './options.ts';
import { formatNumberOf } from './sizes.ts';

interface ClusterRemoveOptions {
  deleteSnapshots?: boolean;
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  yes?: boolean;
  json?: boolean;
}

export function clusterRemoveCommand(tools: CommandTools): Command {
  return new Command('remove')
    .description('forget a cluster and its connection string; its snapshots stay and can be restored elsewhere')
    .argument('<name>', 'name of the cluster')
    .option('--delete-snapshots', 'delete its snapshots with it')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((name: string, options: ClusterRemoveOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const { id, projectId } = await findCluster(domain, name, options.project);
          const at = { projectId, clusterName: name };
          const page = { pageNum: 1, itemsPerPage: 1, includeCount: true };
          const { totalCount = 0 } = await domain.snapshots.list({ ...at, page });
          const count = formatNumberOf(totalCount, 'snapshot');
          const deleteSnapshots = options.deleteSnapshots === true;
          const fate = deleteSnapshots ? `with its ${count}` : `its ${count} stay`;
          const warning = `${name} is not backed up any more and its connection string is forgotten, ${fate}.`;
          await confirm(run, { yes: options.yes, warning, expected: name });
          await domain.clusters.remove({ ...at, deleteSnapshots });
          run.answer({ id, name, projectId, snapshots: totalCount, deletedSnapshots: deleteSnapshots }, [
            `Removed ${run.terminal.colors.bold(name)}${deleteSnapshots ? ` and its ${count}` : `; its ${count} can be restored elsewhere, until they expire`}.`,
          ]);
        }),
      ),
    );
}
