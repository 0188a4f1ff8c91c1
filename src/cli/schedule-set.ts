import { Command, Option } from 'commander';
import type { Domain } from '../domain/domain.ts';
import type { Schedule, SchedulePatch } from '../domain/policies/schedule.ts';
import { frequencies, type PolicyItemRequest } from '../domain/policies/schedule-rules.ts';
import { findBucket } from './bucket-lookup.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { findCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, passphraseFileOption, projectOption, wholeNumber } from './options.ts';
import { scheduleJson, schedulePage } from './schedule-show.ts';
import {
  collectItems,
  type GivenItem,
  NONE,
  parseDaily,
  parseHourly,
  parseMonthly,
  parseTimeOfDay,
  parseWeekly,
  parseYearly,
} from './schedule-words.ts';
import { UsageError } from './usage-error.ts';

interface ScheduleSetOptions {
  hourly?: GivenItem;
  daily?: GivenItem;
  weekly?: GivenItem[];
  monthly?: GivenItem[];
  yearly?: GivenItem[];
  time?: { hour: number; minute: number };
  restoreWindow?: number;
  copyTo?: string[];
  exportTo?: string;
  exportEvery?: string;
  updateSnapshots?: boolean;
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function scheduleSetCommand(tools: CommandTools): Command {
  const several = (flags: string, what: string, parse: (text: string) => GivenItem): Option =>
    new Option(flags, what).argParser(collectItems(parse));
  return new Command('set')
    .description('change when snapshots of a cluster are taken and how long they are kept; what is not named stays')
    .argument('<cluster>', 'name of the cluster')
    .addOption(
      new Option('--hourly <hours=time>', 'every 1, 2, 4, 6, 8 or 12 hours: 6=7d keeps 7 days; or `none`').argParser(
        parseHourly,
      ),
    )
    .addOption(new Option('--daily <time>', 'every day: 7d keeps 7 days; or `none`').argParser(parseDaily))
    .addOption(several('--weekly <day=time>', 'saturday=4w; may be given several times; or `none`', parseWeekly))
    .addOption(several('--monthly <day=time>', '1 to 28 or last: last=12m; several times; or `none`', parseMonthly))
    .addOption(several('--yearly <month=time>', 'on its first day: december=1y; several times; or `none`', parseYearly))
    .addOption(new Option('--time <hh:mm>', 'the time of day, in UTC').argParser(parseTimeOfDay))
    .addOption(
      new Option(
        '--restore-window <days>',
        'how far back any second can be restored, where the oplog is captured',
      ).argParser(wholeNumber(1)),
    )
    .option('--copy-to <region...>', 'copy every snapshot to these copy stores of `serve`; or `none`')
    .option('--export-to <bucket>', 'export into this bucket, by its id or name; or `none`')
    .addOption(new Option('--export-every <frequency>', 'which snapshots are exported').choices(frequencies))
    .option('--update-snapshots', 'keep snapshots that were taken before as long as the changed items say, too')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: ScheduleSetOptions) =>
      runCommand(tools, options, (run) => setSchedule(run, name, options)),
    );
}

async function setSchedule(run: CommandRun, name: string, options: ScheduleSetOptions): Promise<void> {
  await withService(run, options, async ({ domain }) => {
    const { projectId } = await findCluster(domain, name, options.project);
    const cluster = { projectId, clusterName: name };
    const before = await domain.schedules.get(cluster);
    const items = itemsAfter(before, options);
    const patch = await patchOf(domain, before, options);
    if (items === null && Object.keys(patch).length === 0)
      throw new UsageError(
        'Say what to change, as in --hourly 6=7d or --daily none; `tidemark schedule show` shows what is set.',
      );
    const order = options.updateSnapshots === true ? { updateSnapshots: true } : {};
    const policies = items === null || items.length === 0 ? {} : { policies: [{ policyItems: items }] };
    // None at all is a schedule that was deleted, as the API has it.
    let schedule = items?.length === 0 ? await domain.schedules.delete(cluster) : before;
    if (Object.keys({ ...policies, ...patch }).length > 0)
      schedule = await domain.schedules.update({ ...cluster, patch: { ...policies, ...patch, ...order } });
    run.answer(scheduleJson(schedule), schedulePage(schedule, run.terminal));
  });
}

/** All items as they are to be; null where none is named. Those of a frequency that is named keep their ids in turn. */
function itemsAfter(before: Schedule, options: ScheduleSetOptions): PolicyItemRequest[] | null {
  const named = frequencies.filter((frequency) => options[frequency] !== undefined);
  if (named.length === 0) return null;
  return frequencies.flatMap((frequency): PolicyItemRequest[] => {
    const current = before.items.filter(({ frequencyType }) => frequencyType === frequency);
    if (!named.includes(frequency)) return current;
    const given = [options[frequency] ?? []].flat().filter((item) => item !== NONE);
    return given.map((item, at) => ({ ...item, ...(current[at] === undefined ? {} : { id: current[at].id }) }));
  });
}

async function patchOf(domain: Domain, before: Schedule, options: ScheduleSetOptions): Promise<SchedulePatch> {
  const { time, restoreWindow, copyTo, exportTo, exportEvery } = options;
  return {
    ...(time === undefined ? {} : { referenceHour: time.hour, referenceMinute: time.minute }),
    ...(restoreWindow === undefined ? {} : { restoreWindowDays: restoreWindow }),
    ...(copyTo === undefined ? {} : { copySettings: copySettings(before, copyTo) }),
    ...(exportTo === NONE ? { autoExportEnabled: false } : await exportPatch(domain, before, exportTo, exportEvery)),
  };
}

async function exportPatch(
  domain: Domain,
  { projectId, export: current }: Schedule,
  exportTo: string | undefined,
  exportEvery: string | undefined,
): Promise<SchedulePatch> {
  if (exportTo === undefined && exportEvery === undefined) return {};
  const bucketId =
    exportTo === undefined ? current?.exportBucketId : (await findBucket(domain, projectId, exportTo)).id;
  if (bucketId === undefined) throw new UsageError('Say where to export: --export-to <bucket>.');
  const frequencyType = exportEvery ?? current?.frequencyType;
  if (frequencyType === undefined)
    throw new UsageError(`Say which snapshots are exported: --export-every ${frequencies.join('|')}.`);
  return { autoExportEnabled: true, export: { exportBucketId: bucketId, frequencyType } };
}

function copySettings({ clusterId, copySettings: current }: Schedule, regions: readonly string[]) {
  if (regions.length === 1 && regions[0] === NONE) return [];
  const all = ['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY', 'ON_DEMAND'] as const;
  return regions.map((regionName) => {
    const known = current.find((setting) => setting.regionName === regionName);
    const { shouldCopyOplogs = false, zoneId = clusterId } = known ?? {};
    return { regionName, zoneId, shouldCopyOplogs, frequencies: [...all] };
  });
}
