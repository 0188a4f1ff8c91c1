import { Command } from 'commander';
import { type CommandTools, runCommand } from './command-run.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, parseId, passphraseFileOption } from './options.ts';
import { taskJson, taskName } from './task-view.ts';

interface TaskCancelOptions {
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function taskCancelCommand(tools: CommandTools): Command {
  return new Command('cancel')
    .description('stop work that is under way or waits; a target that is being restored is left incomplete')
    .argument('<task>', 'its id, as `task list` shows it', parseId)
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((taskId: string, options: TaskCancelOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const task = await domain.tasks.cancel(taskId);
          const { state } = task;
          const said =
            state === 'cancelled' ? 'is cancelled' : state === 'running' ? 'is asked to stop' : `had ended: ${state}`;
          run.answer(taskJson(task), [`The ${taskName(task)} ${taskId} ${said}.`]);
        }),
      ),
    );
}
