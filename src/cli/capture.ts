import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { findCluster } from './lookup.ts';
import type { OnOff } from './on-off.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';

interface CaptureOptions {
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

const DESCRIPTIONS: Record<OnOff, string> = {
  on: 'capture the oplog of a cluster while the service runs, so that it can be restored to any second',
  off: 'capture the oplog of a cluster no longer; what was captured stays for as long as the restore window says',
};

/** `capture on` and `capture off`. */
export function captureCommand(tools: CommandTools, state: OnOff): Command {
  return new Command(state)
    .description(DESCRIPTIONS[state])
    .argument('<cluster>', 'name of the cluster')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: CaptureOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const { projectId } = await findCluster(domain, name, options.project);
          const at = { projectId, clusterName: name };
          const { id, pitEnabled } = await domain.clusters.update({ ...at, change: { pitEnabled: state === 'on' } });
          const { restoreWindowDays } = await domain.schedules.get(at);
          const { bold } = run.terminal.colors;
          run.answer(
            { id, name, capture: pitEnabled, restoreWindowDays },
            state === 'on'
              ? [
                  `The oplog of ${bold(name)} is captured while \`tidemark serve\` runs, and kept for ${restoreWindowDays} days.`,
                  `Next: tidemark snapshot take ${name}, once it runs: points in time are restored from a snapshot on.`,
                ]
              : [`The oplog of ${bold(name)} is captured no longer.`],
          );
        }),
      ),
    );
}
