import { Type } from '@sinclair/typebox';
import { defineOperations, reading } from './operation.ts';
import { CloudProvider, ClusterName, closed, Links, ObjectId, Time, Words } from './primitives.ts';

const literals = <const Values extends readonly string[]>(values: Values) =>
  Type.Union(values.map((value) => Type.Literal(value as Values[number])));

export const RetentionUnit = literals(['days', 'weeks', 'months', 'years']);
const Frequency = literals(['hourly', 'daily', 'weekly', 'monthly', 'yearly']);
const CopyFrequency = literals(['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY', 'ON_DEMAND']);

const PolicyItem = Type.Object(
  {
    frequencyInterval: Type.Integer(),
    frequencyType: Frequency,
    id: ObjectId,
    retentionUnit: RetentionUnit,
    retentionValue: Type.Integer({ minimum: 1 }),
  },
  closed,
);

/** As callers send it. What is missing or wrong has codes of its own, so that little is required here. */
export const PolicyItemRequest = Type.Object({
  frequencyInterval: Type.Optional(Type.Integer()),
  frequencyType: Type.Optional(Words),
  id: Type.Optional(Words),
  retentionUnit: Type.Optional(RetentionUnit),
  retentionValue: Type.Optional(Type.Integer()),
});

const CopyPolicyItem = Type.Object(
  {
    frequencyType: literals(['hourly', 'daily', 'weekly', 'monthly', 'yearly', 'ondemand']),
    id: ObjectId,
    retentionUnit: Type.Optional(RetentionUnit),
    retentionValue: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  closed,
);

/** Exactly one of `frequencies`, `copyPolicyItems` and `lastNumberOfSnapshots` is there. */
const copySettingFields = {
  cloudProvider: CloudProvider,
  copyPolicyItems: Type.Optional(Type.Array(CopyPolicyItem)),
  frequencies: Type.Optional(Type.Array(CopyFrequency)),
  lastNumberOfSnapshots: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  regionName: Type.String(),
  shouldCopyOplogs: Type.Boolean(),
};

const copySettingRequestFields = {
  cloudProvider: Type.Optional(CloudProvider),
  copyPolicyItems: Type.Optional(Type.Array(PolicyItemRequest)),
  frequencies: Type.Optional(Type.Array(CopyFrequency)),
  lastNumberOfSnapshots: Type.Optional(Type.Integer()),
  regionName: Type.Optional(Words),
  shouldCopyOplogs: Type.Optional(Type.Boolean()),
};

const ExtraRetention = Type.Object({ frequencyType: CopyFrequency, retentionDays: Type.Integer() });
const AutoExport = Type.Object({ exportBucketId: ObjectId, frequencyType: Type.String() }, closed);

const scheduleFields = {
  autoExportEnabled: Type.Boolean(),
  clusterId: ObjectId,
  clusterName: ClusterName,
  copyPolicyItemsEnabled: Type.Boolean(),
  export: Type.Optional(AutoExport),
  extraRetentionSettings: Type.Optional(Type.Array(ExtraRetention)),
  links: Links,
  nextSnapshot: Type.Optional(Time),
  // Never empty: Terraform reads the first one unguarded.
  policies: Type.Array(Type.Object({ id: ObjectId, policyItems: Type.Array(PolicyItem) }, closed), {
    minItems: 1,
    maxItems: 1,
  }),
  referenceHourOfDay: Type.Integer({ minimum: 0, maximum: 23 }),
  referenceMinuteOfHour: Type.Integer({ minimum: 0, maximum: 59 }),
  restoreWindowDays: Type.Integer(),
  useOrgAndGroupNamesInExportPrefix: Type.Boolean(),
};

const scheduleRequestFields = {
  autoExportEnabled: Type.Optional(Type.Boolean()),
  copyPolicyItemsEnabled: Type.Optional(Type.Boolean()),
  deleteCopySnapshots: Type.Optional(Type.Boolean()),
  deleteSnapshots: Type.Optional(Type.Boolean()),
  export: Type.Optional(Type.Object({ exportBucketId: Type.Optional(Words), frequencyType: Type.Optional(Words) })),
  extraRetentionSettings: Type.Optional(Type.Array(ExtraRetention)),
  // Required by the published schema; every client leaves it out at times, and it then stays as it is.
  policies: Type.Optional(
    Type.Array(Type.Object({ id: Type.Optional(Words), policyItems: Type.Optional(Type.Array(PolicyItemRequest)) })),
  ),
  referenceHourOfDay: Type.Optional(Type.Integer()),
  referenceMinuteOfHour: Type.Optional(Type.Integer()),
  restoreWindowDays: Type.Optional(Type.Integer()),
  updateCopySnapshots: Type.Optional(Type.Boolean()),
  updateSnapshots: Type.Optional(Type.Boolean()),
  useOrgAndGroupNamesInExportPrefix: Type.Optional(Type.Boolean()),
};

const deletedCopyFields = { cloudProvider: Type.Optional(CloudProvider), regionName: Type.Optional(Words) };

/** 2023-01-01: a zone is named by its replication spec. */
export const Schedule = Type.Object(
  {
    ...scheduleFields,
    copySettings: Type.Array(Type.Object({ ...copySettingFields, replicationSpecId: ObjectId }, closed)),
  },
  closed,
);

export const ScheduleRequest = Type.Object({
  ...scheduleRequestFields,
  copySettings: Type.Optional(
    Type.Array(Type.Object({ ...copySettingRequestFields, replicationSpecId: Type.Optional(Words) })),
  ),
  deleteCopiedBackups: Type.Optional(
    Type.Array(
      Type.Object({
        ...deletedCopyFields,
        replicationSpecId: Type.Optional(Words),
        zoneId: Type.Optional(Words),
      }),
    ),
  ),
});

/** 2024-08-05: by its own id. */
export const Schedule20240805 = Type.Object(
  {
    ...scheduleFields,
    autoCopySettingsEnabled: Type.Boolean(),
    copySettings: Type.Array(Type.Object({ ...copySettingFields, zoneId: ObjectId }, closed)),
  },
  closed,
);

export const ScheduleRequest20240805 = Type.Object({
  ...scheduleRequestFields,
  autoCopySettingsEnabled: Type.Optional(Type.Boolean()),
  copySettings: Type.Optional(Type.Array(Type.Object({ ...copySettingRequestFields, zoneId: Type.Optional(Words) }))),
  deleteCopiedBackups: Type.Optional(Type.Array(Type.Object({ ...deletedCopyFields, zoneId: Type.Optional(Words) }))),
});

const schedule = '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/schedule';
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
const manage = { scope: 'project', anyOf: ['GROUP_BACKUP_MANAGER'] } as const;
const sunset = '2027-07-01';
const belowPolicy = 'BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS';

export const scheduleOperations = defineOperations({
  getGroupClusterBackupSchedule: {
    ...reading,
    aliases: ['getBackupSchedule'],
    path: schedule,
    access: read,
    versions: [
      { date: '2023-01-01', sunset, response: Schedule },
      { date: '2024-08-05', response: Schedule20240805 },
    ],
    errorCodes: ['BACKUP_CONFIG_NOT_FOUND'],
  },
  updateGroupClusterBackupSchedule: {
    ...reading,
    aliases: ['updateBackupSchedule'],
    method: 'PATCH',
    path: schedule,
    access: manage,
    versions: [
      { date: '2023-01-01', sunset, request: ScheduleRequest, response: Schedule },
      { date: '2024-08-05', request: ScheduleRequest20240805, response: Schedule20240805 },
    ],
    documents400: true,
    errorCodes: [
      'BACKUP_CONFIG_NOT_FOUND',
      'INVALID_NUM_OF_POLICIES',
      'INVALID_POLICY_ID',
      'INVALID_POLICY_ITEM_ID',
      'INVALID_NUM_OF_POLICY_ITEMS',
      'INVALID_FREQUENCY_TYPE_CHANGE',
      'MISSING_POLICY_ITEM_PARAMETERS',
      'INVALID_BACKUP_POLICY',
      'BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID',
      'INVALID_RESTORE_WINDOW',
      'INVALID_REFERENCE_HOUR_OF_DAY',
      'INVALID_REFERENCE_MINUTE_OF_HOUR',
      'INVALID_REFERENCE_TIME_OF_DAY_MISSING_FIELDS',
      'FEATURE_UNSUPPORTED',
      belowPolicy,
      'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY',
      'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY',
      'CANNOT_DELETE_COPY_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY_ENABLED',
    ],
  },
  deleteGroupClusterBackupSchedule: {
    ...reading,
    aliases: ['deleteClusterBackupSchedule'],
    method: 'DELETE',
    path: schedule,
    access: manage,
    versions: [
      { date: '2023-01-01', sunset, response: Schedule },
      { date: '2024-08-05', response: Schedule20240805 },
    ],
    pretty: false,
    documents400: true,
    errorCodes: ['BACKUP_CONFIG_NOT_FOUND', belowPolicy],
  },
});
