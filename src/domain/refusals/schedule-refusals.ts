import type { RefusalRule } from './refusal-rule.ts';

/** What a schedule is refused with. A part of the list in `refusals.ts`. */
export const scheduleRefusals = {
  BACKUP_CONFIG_NOT_FOUND: {
    status: 404,
    detail: 'Cluster {0} of group {1} has no backup configuration.',
    remedy: 'Backup of the cluster is disabled: enable it with backupEnabled.',
  },
  INVALID_NUM_OF_POLICIES: {
    status: 400,
    detail: 'A backup schedule has exactly one policy, not {0}.',
    remedy: 'Send one element in `policies`, or leave `policies` out to keep its items.',
  },
  INVALID_POLICY_ID: {
    status: 400,
    detail: 'No backup policy with ID {0} belongs to this schedule.',
    remedy: 'Send the id that GET shows, or none.',
  },
  INVALID_POLICY_ITEM_ID: {
    status: 400,
    detail: 'No policy item with ID {0} belongs to this schedule, or it is named twice.',
    remedy: 'Send ids as GET shows them, each once; leave the id out for a new item.',
  },
  INVALID_NUM_OF_POLICY_ITEMS: {
    status: 400,
    detail: 'A backup policy has at least one policy item.',
    remedy: 'To remove all items delete the schedule; leave `policies` out to keep them.',
  },
  INVALID_FREQUENCY_TYPE_CHANGE: {
    status: 400,
    detail: 'The frequency type of policy item {0} cannot be changed.',
    remedy: 'Leave the item out and send a new one without id.',
  },
  MISSING_POLICY_ITEM_PARAMETERS: {
    status: 400,
    detail: 'A policy item needs frequencyType, frequencyInterval, retentionUnit and retentionValue.',
    remedy: 'Send every item whole, also those that do not change.',
  },
  INVALID_BACKUP_POLICY: {
    status: 400,
    detail: 'Invalid Backup Policy: {0}.',
    remedy:
      'Hourly items take 1, 2, 4, 6, 8 or 12; each item keeps its snapshots at least for its own period; a rarer one keeps them no shorter than a more frequent one.',
  },
  INVALID_RESTORE_WINDOW: {
    status: 400,
    detail: 'A restore window of {0} days is not valid: it is a whole number of days, 1 at least.',
    remedy: 'Give a whole number of days, at least 1.',
  },
  INVALID_REFERENCE_HOUR_OF_DAY: {
    status: 400,
    detail: 'The reference hour {0} is not an hour of the day, which are 0 to 23.',
    remedy: 'Give 0 to 23, in UTC.',
  },
  INVALID_REFERENCE_MINUTE_OF_HOUR: {
    status: 400,
    detail: 'The reference minute {0} is not a minute of the hour, which are 0 to 59.',
    remedy: 'Give 0 to 59.',
  },
  INVALID_REFERENCE_TIME_OF_DAY_MISSING_FIELDS: {
    status: 400,
    detail: 'The reference time of day needs both hour and minute.',
    remedy: 'Send referenceHourOfDay and referenceMinuteOfHour together.',
  },
} as const satisfies Record<string, RefusalRule>;
