import { Command, Option } from 'commander';
import type { Snapshot } from '../domain/snapshots/snapshots.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { findSnapshotMeant } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, fromOption, jsonOption, passphraseFileOption, snapshotArgument } from './options.ts';
import { parseRetention, type RetentionGiven } from './retention-option.ts';
import { formatTime } from './sizes.ts';
import { describeSnapshot, snapshotJson } from './snapshot-view.ts';

interface SnapshotProtectOptions {
  off?: boolean;
  keep?: RetentionGiven;
  from?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function snapshotProtectCommand(tools: CommandTools): Command {
  return new Command('protect')
    .description('keep a snapshot for good: it neither expires nor can be deleted; or say how long it is kept')
    .addArgument(snapshotArgument())
    .addOption(new Option('--off', 'no longer: it expires when it would have').conflicts('keep'))
    .addOption(
      new Option('--keep <time>', 'not for good but for so long, counted from its end: 30d, 8w, 12m or 2y').argParser(
        parseRetention,
      ),
    )
    .addOption(fromOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((meant: string, options: SnapshotProtectOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async (workspace) => {
          const found = await findSnapshotMeant(workspace, { snapshot: meant, from: options.from });
          const { projectId, clusterName } = found;
          const named = { projectId, clusterName, snapshotId: found.id };
          const { snapshots } = workspace.domain;
          const { keep } = options;
          if (keep !== undefined) answer(run, await snapshots.updateRetention({ ...named, ...keep.ofSnapshot }));
          else answer(run, await snapshots.updateExpiry({ ...named, doNotDelete: options.off !== true }));
        }),
      ),
    );
}

function answer(run: CommandRun, snapshot: Snapshot): void {
  const what = describeSnapshot(snapshot);
  run.answer({ ...snapshotJson(snapshot), protected: snapshot.doNotDelete }, [
    snapshot.doNotDelete
      ? `Kept for good: ${what}. \`tidemark snapshot protect ${snapshot.id} --off\` takes that back.`
      : `Kept until ${formatTime(snapshot.expiresAtMs)}: ${what}.`,
  ]);
}
