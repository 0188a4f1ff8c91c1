import { Command } from 'commander';
import type { Task } from '../domain/tasks/tasks.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { everyItem } from './every-item.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, wholeNumber } from './options.ts';
import { renderTable } from './table.ts';
import { taskJson, taskRow } from './task-view.ts';

interface TaskListOptions {
  all?: boolean;
  limit?: number;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

const LIMIT_DEFAULT = 50;

export function taskListCommand(tools: CommandTools): Command {
  return new Command('list')
    .description('list the work that is under way or waits, newest first')
    .option('--all', 'also what has ended, for the thirty days that it is remembered')
    .option('--limit <count>', 'how many of those at most', wholeNumber(1), LIMIT_DEFAULT)
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: TaskListOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const unfinished = options.all !== true;
          const limit = { pageNum: 1, itemsPerPage: options.limit ?? LIMIT_DEFAULT, includeCount: false };
          const tasks: Task[] = unfinished
            ? await everyItem((page) => domain.tasks.list({ unfinished, page }))
            : (await domain.tasks.list({ page: limit })).items;
          const rows = tasks.map((task) => taskRow(task, run.terminal.colors));
          const layout = [
            { header: 'ID' },
            { header: 'STATE' },
            { header: 'SINCE' },
            { header: 'WHAT' },
            { header: '', elastic: true },
          ];
          run.answer(
            tasks.map(taskJson),
            rows.length > 0
              ? renderTable(layout, rows, run.terminal)
              : [unfinished ? 'Nothing is under way. --all shows what has ended.' : 'There was no work yet.'],
          );
        }),
      ),
    );
}
