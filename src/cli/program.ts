import { enableCompileCache } from 'node:module';
import { Command, CommanderError } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { tidemarkVersion } from '../version.ts';
import { accessResetCommand } from './access-reset.ts';
import { accessShowCommand } from './access-show.ts';
import { bucketAddCommand } from './bucket-add.ts';
import { bucketListCommand } from './bucket-list.ts';
import { bucketRemoveCommand } from './bucket-remove.ts';
import { captureCommand } from './capture.ts';
import { checkpointListCommand } from './checkpoint-list.ts';
import { clusterAddCommand } from './cluster-add.ts';
import { clusterListCommand } from './cluster-list.ts';
import { clusterRemoveCommand } from './cluster-remove.ts';
import { clusterShowCommand } from './cluster-show.ts';
import { clusterUpdateCommand } from './cluster-update.ts';
import { collectionRestoreCommand } from './collection-restore.ts';
import type { CommandTools } from './command-run.ts';
import { completionCommand } from './completion.ts';
import { demoCommand } from './demo.ts';
import { documentHistoryCommand } from './document-history.ts';
import { documentRestoreCommand } from './document-restore.ts';
import { downloadCommand } from './download.ts';
import { addExamples } from './examples.ts';
import { exitCodes } from './exit-codes.ts';
import { exportCommand } from './export.ts';
import { initCommand } from './init.ts';
import { keyCreateCommand } from './key-create.ts';
import { keyDeleteCommand } from './key-delete.ts';
import { keyListCommand } from './key-list.ts';
import { repositoryCheckCommand } from './repository-check.ts';
import { repositoryMoveCommand } from './repository-move.ts';
import { repositoryPruneCommand } from './repository-prune.ts';
import { repositoryRebuildCommand } from './repository-rebuild.ts';
import { repositoryStatsCommand } from './repository-stats.ts';
import { restoreCommand } from './restore.ts';
import { scheduleSetCommand } from './schedule-set.ts';
import { scheduleShowCommand } from './schedule-show.ts';
import { serveCommand } from './serve.ts';
import { snapshotBrowseCommand } from './snapshot-browse.ts';
import { snapshotDeleteCommand } from './snapshot-delete.ts';
import { snapshotListCommand } from './snapshot-list.ts';
import { snapshotProtectCommand } from './snapshot-protect.ts';
import { snapshotShowCommand } from './snapshot-show.ts';
import { snapshotTakeCommand } from './snapshot-take.ts';
import { taskCancelCommand } from './task-cancel.ts';
import { taskListCommand } from './task-list.ts';
import { systemTerminal, type Terminal } from './terminal.ts';

const EPILOGUE = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 repository damaged,
5 done all but what is named, 130 cancelled.
The passphrase of an encrypted repository comes from --passphrase-file or
TIDEMARK_PASSPHRASE.
TIDEMARK_DATA_DIR stands in for --data-dir. NO_COLOR switches colors off.`;

/** The whole command tree. Nothing heavy is loaded before a command runs. */
export function createProgram(tools: CommandTools): Command {
  const { terminal } = tools;
  const program = new Command('tidemark')
    .description('Backups of self-run MongoDB that speak the Atlas Administration API.')
    .version(tidemarkVersion)
    .addHelpText('after', EPILOGUE);
  program.addCommand(initCommand(tools)).addCommand(serveCommand(tools)).addCommand(demoCommand());
  program.addCommand(
    group('cluster', 'the clusters that are backed up', [
      clusterAddCommand(tools),
      clusterListCommand(tools),
      clusterShowCommand(tools),
      clusterUpdateCommand(tools),
      clusterRemoveCommand(tools),
    ]),
  );
  program.addCommand(
    group('snapshot', 'take and look at snapshots', [
      snapshotTakeCommand(tools),
      snapshotListCommand(tools),
      snapshotShowCommand(tools),
      snapshotBrowseCommand(tools),
      snapshotProtectCommand(tools),
      snapshotDeleteCommand(tools),
    ]),
  );
  program.addCommand(
    group('schedule', 'when snapshots are taken', [scheduleShowCommand(tools), scheduleSetCommand(tools)]),
  );
  program.addCommand(
    group('capture', 'the oplog between snapshots', [captureCommand(tools, 'on'), captureCommand(tools, 'off')]),
  );
  program.addCommand(group('checkpoint', 'checkpoints of sharded clusters', [checkpointListCommand(tools)]));
  program.addCommand(restoreCommand(tools));
  program.addCommand(group('collection', 'single databases and collections', [collectionRestoreCommand(tools)]));
  program.addCommand(downloadCommand(tools));
  program.addCommand(exportCommand(tools));
  program.addCommand(
    group('bucket', 'where exports go', [
      bucketAddCommand(tools),
      bucketListCommand(tools),
      bucketRemoveCommand(tools),
    ]),
  );
  program.addCommand(
    group('document', 'what one document was, and bringing it back', [
      documentHistoryCommand(tools),
      documentRestoreCommand(tools),
    ]),
  );
  program.addCommand(
    group('repository', 'look after the repository', [
      repositoryCheckCommand(tools),
      repositoryPruneCommand(tools),
      repositoryRebuildCommand(tools),
      repositoryStatsCommand(tools),
      repositoryMoveCommand(tools),
    ]),
  );
  program.addCommand(group('task', 'work that is under way', [taskListCommand(tools), taskCancelCommand(tools)]));
  program.addCommand(
    group('key', 'keys of callers of the API', [
      keyCreateCommand(tools),
      keyListCommand(tools),
      keyDeleteCommand(tools),
    ]),
  );
  program.addCommand(
    group('access', 'who may call the API, and from where', [accessShowCommand(tools), accessResetCommand(tools)]),
  );
  program.addCommand(completionCommand(tools));
  for (const command of everyCommand(program)) {
    addExamples(command, pathOf(command));
    command.exitOverride().showHelpAfterError(`(${pathOf(command)} --help shows how)`);
    command.configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.printError(text),
    });
  }
  return program;
}

/** Runs a command line; the exit code is left in `process.exitCode`. */
export async function runProgram(argv: readonly string[], tools: CommandTools): Promise<void> {
  try {
    await createProgram(tools).parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
}

function group(name: string, description: string, commands: readonly Command[]): Command {
  const parent = new Command(name).description(description);
  for (const command of commands) parent.addCommand(command);
  return parent;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** The command line of this process. */
export async function startProgram(): Promise<void> {
  // Halves the start of whatever is loaded from here on; where the cache cannot be written nothing is lost.
  enableCompileCache();
  const terminal: Terminal = systemTerminal();
  await runProgram(process.argv.slice(2), { terminal, clock: systemClock, env: process.env });
}

if (import.meta.main) await startProgram();
