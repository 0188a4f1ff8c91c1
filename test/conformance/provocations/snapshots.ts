import { bind, copied, noBackup, policyHolds } from './policies.ts';
import { asking, type Kit, type Provocation, type Provocations } from './provocation.ts';
import { replicaSetOfSharded } from './sharded.ts';

/** Snapshots in today's words and in the legacy ones, what is in them, and the work on them. */

const whileRunning: Provocation = async ({ ask, running }) => await ask({ params: { snapshotId: await running() } });
const keptForGood: Provocation = async ({ ask, did, completed }) => {
  const params = { snapshotId: await completed() };
  await did('updateGroupClusterSnapshot', { params, body: { doNotDelete: true } });
  return await ask({ params });
};
const underPolicy: Provocation = async (kit) => await kit.ask({ params: { snapshotId: await bind(kit) } });
const protectedCopy: Provocation = async (kit) => {
  const snapshotId = await copied(kit);
  // Past what the policy keeps the snapshot itself for: only its copy is protected now.
  await kit.world.clock.leap(31 * 86_400_000);
  return await kit.ask({ params: { snapshotId } });
};
const ofReplicaSet: Provocation = async (kit) =>
  await kit.ask({ params: { snapshotId: await replicaSetOfSharded(kit) } });
const deletion = {
  CANNOT_DELETE_FROM_CLUSTER_SNAPSHOT: ofReplicaSet,
  CANNOT_DELETE_IN_PROGRESS_SNAPSHOT: whileRunning,
  CANNOT_DELETE_PROTECTED_SNAPSHOT: keptForGood,
  CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY: underPolicy,
  CANNOT_DELETE_COPY_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY_ENABLED: protectedCopy,
};

const shortening =
  (body: (kit: Kit) => object): Provocation =>
  async (kit) =>
    await kit.ask({ params: { snapshotId: await bind(kit) }, body: body(kit) });

const inside = {
  CANNOT_LIST_INCOMPLETE_SNAPSHOT: whileRunning,
  RESOURCE_NOT_FOUND: (async ({ ask, completed }) =>
    await ask({ params: { snapshotId: await completed() } })) satisfies Provocation,
};

/** A rebuild knows snapshots and restore jobs, and no task of them. */
const withoutTask =
  (kind: 'snapshotId' | 'restoreJobId'): Provocation =>
  async (kit) => {
    const snapshotId = await kit.completed();
    const body = kit.restoreOf({ snapshotId });
    const id =
      kind === 'snapshotId'
        ? snapshotId
        : ((await kit.did('createGroupClusterBackupRestoreJob', { body })).id as unknown as string);
    await kit.world.catalog.transact(async (writer) => {
      await writer.deleteFrom('tasks').execute();
    });
    return await kit.ask({ params: { [kind]: id } });
  };

export const snapshotProvocations: Provocations = {
  takeGroupClusterBackupSnapshots: {
    UNFINISHED_ON_DEMAND_SNAPSHOT: async ({ ask, running }) => {
      await running();
      return await ask();
    },
    BACKUP_JOB_NOT_FOUND: noBackup,
    CLUSTER_PAUSED_CANNOT_TAKE_SNAPSHOT: async ({ ask, did }) => {
      await did('updateGroupCluster', { body: { paused: true } });
      return await ask();
    },
    BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID: asking({ body: { retentionInDays: 100_000 } }),
    SNAPSHOT_RETENTION_LESS_THAN_BACKUP_COMPLIANCE_POLICY: policyHolds({ body: { retentionInDays: 9 } }),
  },
  updateGroupClusterBackupSnapshot: {
    CANNOT_MODIFY_CLUSTER_SNAPSHOT: async (kit) =>
      await kit.ask({
        params: { snapshotId: await replicaSetOfSharded(kit) },
        body: { retentionUnit: 'DAYS', retentionValue: 6 },
      }),
    CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION: whileRunning,
    BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID: asking({ body: { retentionUnit: 'DAYS', retentionValue: 0 } }),
    CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY: shortening(() => ({
      retentionUnit: 'DAYS',
      retentionValue: 6,
    })),
  },
  deleteGroupClusterBackupSnapshot: deletion,
  deleteGroupClusterBackupSnapshotShardedCluster: deletion,
  deleteGroupClusterSnapshot: deletion,
  updateGroupClusterSnapshot: {
    CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION: whileRunning,
    CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY: shortening(({ world }) => ({
      expires: new Date(world.clock.nowMs() + 3_600_000).toISOString(),
    })),
  },
  listGroupClusterBackupSnapshotDatabases: { CANNOT_LIST_INCOMPLETE_SNAPSHOT: whileRunning },
  getGroupClusterBackupSnapshotDatabase: inside,
  listGroupClusterBackupSnapshotDatabaseCollections: inside,
  getGroupClusterBackupSnapshotDatabaseCollection: inside,
  getSnapshotTask: { TASK_NOT_FOUND: withoutTask('snapshotId') },
  cancelSnapshotTask: {
    TASK_NOT_FOUND: withoutTask('snapshotId'),
    CANNOT_DISABLE_CLOUD_BACKUP_WITH_BACKUP_COMPLIANCE_POLICY: async (kit) => {
      await bind(kit);
      await kit.world.clock.leap(6 * 3_600_000);
      await kit.runDuties();
      const { results } = (await kit.did('listGroupClusterBackupSnapshots')) as unknown as {
        results: { id: string; snapshotType: string }[];
      };
      const scheduled = results.find(({ snapshotType }) => snapshotType === 'scheduled');
      return await kit.ask({ params: { snapshotId: scheduled?.id ?? '' } });
    },
  },
  getRestoreJobTask: { TASK_NOT_FOUND: withoutTask('restoreJobId') },
  cancelRestoreJobTask: { TASK_NOT_FOUND: withoutTask('restoreJobId') },
};
