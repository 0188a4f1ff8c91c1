import { Command } from 'commander';
import type { Schedule } from '../domain/policies/schedule.ts';
import type { Colors } from './colors.ts';
import { type CommandTools, runCommand } from './command-run.ts';
import { findCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption } from './options.ts';
import { whenOf } from './schedule-words.ts';
import { formatTime } from './sizes.ts';
import { renderFields, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

interface ScheduleShowOptions {
  dataDir?: string;
  passphraseFile?: string;
  project?: string;
  json?: boolean;
}

export function scheduleShowCommand(tools: CommandTools): Command {
  return new Command('show')
    .description('show when snapshots of a cluster are taken and how long they are kept')
    .argument('<cluster>', 'name of the cluster')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: ScheduleShowOptions) =>
      runCommand(tools, options, (run) =>
        withService(run, options, async ({ domain }) => {
          const { projectId, name: clusterName } = await findCluster(domain, name, options.project);
          const schedule = await domain.schedules.get({ projectId, clusterName });
          run.answer(scheduleJson(schedule), schedulePage(schedule, run.terminal));
        }),
      ),
    );
}

export function scheduleJson({ nextSnapshotMs, ...schedule }: Schedule): object {
  return { ...schedule, nextSnapshot: nextSnapshotMs === null ? null : new Date(nextSnapshotMs).toISOString() };
}

export function schedulePage(schedule: Schedule, terminal: Terminal): string[] {
  const fields = fieldsOf(schedule, terminal.colors);
  if (schedule.items.length === 0) return [...fields, 'Nothing is scheduled: snapshots are taken on demand only.'];
  const rows = schedule.items.map((item) => [
    item.frequencyType,
    whenOf(item),
    `${item.retentionValue} ${item.retentionUnit}`,
  ]);
  return [...fields, '', ...renderTable([{ header: 'EVERY' }, { header: 'WHEN' }, { header: 'KEPT' }], rows, terminal)];
}

function fieldsOf(schedule: Schedule, colors: Colors): string[] {
  const two = (part: number) => `${part}`.padStart(2, '0');
  return renderFields(
    [
      ['cluster', schedule.clusterName],
      ['next snapshot', schedule.nextSnapshotMs === null ? null : formatTime(schedule.nextSnapshotMs)],
      ['reference time', `${two(schedule.referenceHour)}:${two(schedule.referenceMinute)} UTC`],
      ['restore window', `${schedule.restoreWindowDays} days`],
      ['copied to', schedule.copySettings.map((setting) => setting.regionName).join(', ')],
    ],
    colors,
  );
}
