import { ok } from 'node:assert/strict';
import { asking, type Kit, nowhere, type Provocation, type Provocations } from './provocation.ts';
import { turnClusterSharded } from './sharded.ts';

/** Schedules and compliance policies. */

const item = (frequencyType: string, frequencyInterval: number, retentionValue: number, more: object = {}) => ({
  frequencyType,
  frequencyInterval,
  retentionUnit: 'days',
  retentionValue,
  ...more,
});

const auditor = {
  authorizedEmail: 'auditor@example.com',
  authorizedUserFirstName: 'Ada',
  authorizedUserLastName: 'Auditor',
};
export const policy = {
  ...auditor,
  scheduledPolicyItems: [item('hourly', 6, 7), item('daily', 1, 8)],
  onDemandPolicyItem: { frequencyInterval: 0, frequencyType: 'ondemand', retentionUnit: 'days', retentionValue: 10 },
  pitEnabled: true,
  restoreWindowDays: 5,
};

const policies = (...policyItems: object[]) => ({ policies: [{ policyItems }] });
const sent = (body: object): Provocation => asking({ body });

/** The project is under a policy, and has a snapshot that is kept long enough for it. */
export async function bind(kit: Kit, change: object = {}): Promise<string> {
  const { id } = await kit.did('takeGroupClusterBackupSnapshots', { body: { retentionInDays: 30 } });
  await kit.world.run();
  kit.world.completeTake(kit.world.takes.length - 1);
  await kit.world.run();
  await kit.did('updateGroupBackupCompliancePolicy', { body: { ...policy, ...change } });
  return id as unknown as string;
}

const bound =
  (asked: Parameters<typeof asking>[0], change: object = {}): Provocation =>
  async (kit) => {
    await bind(kit, change);
    return await kit.ask(asked);
  };

export const noBackup: Provocation = async ({ ask, did }) => {
  await did('updateGroupCluster', { body: { backupEnabled: false } });
  return await ask();
};

interface Items {
  policies: [
    { id: string; policyItems: { id: string; frequencyType: string; retentionUnit: string; retentionValue: number }[] },
  ];
}

async function itemsOf({ did }: Kit) {
  const schedule = (await did('getGroupClusterBackupSchedule')) as unknown as Items;
  return schedule.policies[0].policyItems;
}

/** A scheduled snapshot, by the hourly item. */
async function scheduled(kit: Kit): Promise<void> {
  await kit.world.clock.leap(6 * 3_600_000);
  await kit.runDuties();
  await kit.world.run();
  kit.world.completeTake(kit.world.takes.length - 1);
  await kit.world.run();
}

const region = 'US_EAST_2';
const copying = {
  copySettings: [{ cloudProvider: 'AWS', regionName: region, frequencies: ['ON_DEMAND'] }],
};

export const policyProvocations: Provocations = {
  getGroupClusterBackupSchedule: { BACKUP_CONFIG_NOT_FOUND: noBackup },
  deleteGroupClusterBackupSchedule: {
    BACKUP_CONFIG_NOT_FOUND: noBackup,
    BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS: bound({}),
  },
  updateGroupClusterBackupSchedule: {
    BACKUP_CONFIG_NOT_FOUND: noBackup,
    INVALID_NUM_OF_POLICIES: sent({ policies: [] }),
    INVALID_POLICY_ID: sent({ policies: [{ id: nowhere, policyItems: [item('daily', 1, 7)] }] }),
    INVALID_POLICY_ITEM_ID: sent(policies(item('daily', 1, 7, { id: nowhere }))),
    INVALID_NUM_OF_POLICY_ITEMS: sent(policies()),
    INVALID_FREQUENCY_TYPE_CHANGE: async (kit) => {
      const [hourly] = await itemsOf(kit);
      return await kit.ask({ body: policies(item('daily', 1, 7, { id: hourly?.id })) });
    },
    MISSING_POLICY_ITEM_PARAMETERS: sent(policies({ frequencyType: 'daily' })),
    INVALID_BACKUP_POLICY: sent(policies(item('hourly', 5, 7))),
    BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID: sent(policies(item('daily', 1, 0))),
    INVALID_RESTORE_WINDOW: sent({ restoreWindowDays: 0 }),
    INVALID_REFERENCE_HOUR_OF_DAY: sent({ referenceHourOfDay: 24, referenceMinuteOfHour: 0 }),
    INVALID_REFERENCE_MINUTE_OF_HOUR: sent({ referenceHourOfDay: 0, referenceMinuteOfHour: 60 }),
    INVALID_REFERENCE_TIME_OF_DAY_MISSING_FIELDS: sent({ referenceHourOfDay: 3 }),
    FEATURE_UNSUPPORTED: sent({ autoCopySettingsEnabled: true }),
    BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS: bound({
      body: policies(item('hourly', 6, 7)),
    }),
    CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY: async (kit) => {
      await scheduled(kit);
      await bind(kit);
      const items = await itemsOf(kit);
      const longer = items.map((each) => (each.retentionUnit === 'days' ? { ...each, retentionValue: 15 } : each));
      await kit.did('updateGroupClusterBackupSchedule', { body: { ...policies(...longer), updateSnapshots: true } });
      return await kit.ask({ body: { ...policies(...items), updateSnapshots: true } });
    },
    CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY: async (kit) => {
      await scheduled(kit);
      await bind(kit);
      const anew = (await itemsOf(kit)).map(({ id, ...rest }) => rest);
      return await kit.ask({ body: { ...policies(...anew), deleteSnapshots: true } });
    },
    CANNOT_DELETE_COPY_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY_ENABLED: async (kit) => {
      await copied(kit);
      return await kit.ask({ body: { copySettings: [], deleteCopiedBackups: [{ regionName: region }] } });
    },
  },
  getGroupClusterSnapshotSchedule: { BACKUP_CONFIG_NOT_FOUND: noBackup },
  updateGroupClusterSnapshotSchedule: {
    BACKUP_CONFIG_NOT_FOUND: noBackup,
    CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET: sent({ clusterCheckpointIntervalMin: 15 }),
    CHECKPOINTS_ONLY_ON_CONTINOUS_BACKUP: async (kit) => {
      await turnClusterSharded(kit);
      return await kit.ask({ body: { clusterCheckpointIntervalMin: 15 } });
    },
    INVALID_CLUSTER_CHECKPOINT_INTERVAL: async (kit) => {
      await turnClusterSharded(kit);
      return await kit.ask({ body: { clusterCheckpointIntervalMin: 20 } });
    },
    INVALID_BACKUP_POLICY: async (kit) => {
      await kit.did('updateGroupCluster', { body: { pitEnabled: true } });
      return await kit.ask({ body: { snapshotIntervalHours: 24 } });
    },
    BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS: bound({ body: { snapshotIntervalHours: 12 } }),
  },
  updateGroupBackupCompliancePolicy: {
    BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID: sent({
      ...auditor,
      pitEnabled: true,
      restoreWindowDays: 99,
      scheduledPolicyItems: [item('hourly', 6, 7)],
    }),
    BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS: asking({
      body: { ...auditor, scheduledPolicyItems: [item('hourly', 1, 30)] },
      query: '?overwriteBackupPolicies=false',
    }),
    CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY: bound({
      body: { ...policy, scheduledPolicyItems: [] },
    }),
    CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY: bound({ body: { ...policy, restoreWindowDays: 4 } }),
    CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY: bound({ body: { ...policy, pitEnabled: false } }),
    CANNOT_DISABLE_ENCRYPTION_AT_REST_WITH_BACKUP_COMPLIANCE_POLICY: bound(
      { body: policy },
      { encryptionAtRestEnabled: true },
    ),
    INVALID_BACKUP_POLICY: sent({ ...auditor, scheduledPolicyItems: [item('hourly', 5, 7)] }),
    MISSING_POLICY_ITEM_PARAMETERS: sent({ ...auditor, scheduledPolicyItems: [{ frequencyType: 'daily' }] }),
    BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID: sent({ ...auditor, scheduledPolicyItems: [item('daily', 1, 0)] }),
  },
  disableGroupBackupCompliancePolicy: { CANNOT_DISABLE_BACKUP_COMPLIANCE_POLICY: bound({}) },
};

/** A snapshot with a copy elsewhere, in a project whose policy protects copies. Gives its id. */
export async function copied(kit: Kit): Promise<string> {
  const clusterName = 'shop';
  const { replicationSpecs } = await kit.did('getGroupCluster', { params: { clusterName } });
  const [{ zoneId }] = replicationSpecs as unknown as [{ zoneId: string }];
  const copySettings = copying.copySettings.map((setting) => ({ ...setting, zoneId }));
  await kit.did('updateGroupClusterBackupSchedule', { body: { copySettings } });
  const id = await bind(kit, { copyProtectionEnabled: true });
  await kit.world.run();
  ok(kit.world.copiedTo.length > 0, 'the copy was made');
  return id;
}

export const policyHolds = bound;
