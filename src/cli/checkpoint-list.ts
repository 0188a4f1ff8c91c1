import { Command } from 'commander';
import type { Checkpoint } from '../domain/checkpoints/checkpoints.ts';
import type { Colors } from './colors.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { everyItem } from './every-item.ts';
import { findCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';
import { formatTime } from './sizes.ts';
import { renderTable } from './table.ts';

interface CheckpointListOptions {
  dataDir?: string;
  passphraseFile?: string;
  project?: string;
  json?: boolean;
}

export function checkpointListCommand(tools: CommandTools): Command {
  return new Command('list')
    .description('list the checkpoints of a sharded cluster, and why one is not restorable')
    .argument('<cluster>', 'name of the cluster')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: CheckpointListOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const { projectId, name: clusterName } = await findCluster(domain, name, options.project);
          const found = await everyItem((page) => domain.checkpoints.list({ projectId, clusterName, page }));
          const rows = found.map((checkpoint) => checkpointRow(checkpoint, run.terminal.colors));
          const none = [
            `No checkpoints of ${clusterName}: its legacy snapshot schedule asks for some (docs/checkpoints.md).`,
          ];
          run.answer(found, rows.length > 0 ? renderTable(columns, rows, run.terminal) : none);
        }),
      ),
    );
}

const columns = [
  { header: 'ID' },
  { header: 'RESTORES TO' },
  { header: 'TOKENS SEEN' },
  { header: 'RESTORABLE', elastic: true },
];

function checkpointRow(checkpoint: Checkpoint, colors: Colors): string[] {
  const { id, timestampMs, parts, restorable, completedAtMs, reason } = checkpoint;
  const seen = parts.filter(({ tokenDiscovered }) => tokenDiscovered).length;
  const state = restorable
    ? colors.green('yes')
    : completedAtMs === null
      ? colors.yellow('being made')
      : colors.red(reason === null ? 'no' : `no: ${reason}`);
  return [id, timestampMs === null ? '' : formatTime(timestampMs), `${seen} of ${parts.length}`, state];
}
