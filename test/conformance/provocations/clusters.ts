import { Fault } from '../../../src/lib/errors.ts';
import { policyHolds } from './policies.ts';
import { asking, type Kit, type Provocation, type Provocations } from './provocation.ts';

/** Clusters: what Atlas says about them, and how they come and go here. */

const busy =
  (asked: Parameters<typeof asking>[0]): Provocation =>
  async (kit) => {
    await kit.running();
    return await kit.ask(asked);
  };
const protectedFirst: Provocation = async ({ ask, did }) => {
  await did('updateGroupCluster', { body: { terminationProtectionEnabled: true } });
  return await ask();
};
const paused =
  (asked: Parameters<typeof asking>[0]): Provocation =>
  async ({ ask, did }) => {
    await did('updateGroupCluster', { body: { paused: true } });
    return await ask(asked);
  };

export async function restoring(kit: Kit): Promise<string> {
  const snapshotId = await kit.completed();
  const made = await kit.did('createGroupClusterBackupRestoreJob', { body: kit.restoreOf({ snapshotId }) });
  return made.id as unknown as string;
}

/** The servers do not answer, or are not what can be backed up. */
const probed =
  (op: 'connect' | 'describe'): Provocation =>
  async (kit) => {
    const fault = new Fault({ op, subject: 'shop', message: 'as the test says' });
    kit.world.probe = async () => await Promise.reject(fault);
    kit.world.ports.probe.processSettings = async () => await Promise.reject(fault);
    return await kit.ask();
  };
const unreachable = { CLUSTER_UNREACHABLE: probed('connect'), CLUSTER_UNSUITABLE: probed('describe') };

const stops = { CANNOT_DISABLE_CLOUD_BACKUP_WITH_BACKUP_COMPLIANCE_POLICY: policyHolds({}) };

export const clusterProvocations: Provocations = {
  updateGroupCluster: {
    FEATURE_UNSUPPORTED: asking({ body: { mongoDBMajorVersion: '4.2' } }),
    CANNOT_UPDATE_PAUSED_CLUSTER: paused({ body: { retainBackups: true } }),
    CLUSTER_BUSY: busy({ body: { paused: true } }),
    CLUSTER_RESTORE_IN_PROGRESS_CANNOT_UPDATE: async (kit) => {
      await restoring(kit);
      return await kit.ask({ body: { retainBackups: true } });
    },
    CANNOT_DISABLE_CLOUD_BACKUP_WITH_BACKUP_COMPLIANCE_POLICY: policyHolds({ body: { backupEnabled: false } }),
    CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY: policyHolds({ body: { pitEnabled: false } }),
  },
  deleteGroupCluster: {
    CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED: protectedFirst,
    CLUSTER_BUSY: busy({}),
    ...stops,
  },
  removeCluster: {
    CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED: protectedFirst,
    CLUSTER_BUSY: busy({}),
    ...stops,
  },
  getGroupClusterProcessArgs: unreachable,
  updateGroupClusterProcessArgs: {
    FEATURE_UNSUPPORTED: asking({ body: { noTableScan: true } }),
    ...unreachable,
  },
  registerCluster: {
    DUPLICATE_CLUSTER_NAME: asking({ body: { name: 'shop', connectionString: 'mongodb://db/' } }),
    INVALID_CLUSTER_URI: asking({ body: { name: 'fresh', connectionString: 'http://db/' } }),
    ...unreachable,
  },
  reconnectCluster: {
    INVALID_CLUSTER_URI: asking({ body: { connectionString: 'mongodb://db/?tlsCAFile=/etc/ca.pem' } }),
    ...unreachable,
    CLUSTER_NOT_THE_SAME: async (kit) => {
      const known = kit.world.probe;
      kit.world.probe = async (uri, call) => ({ ...(await known(uri, call)), replicaSetId: uri });
      return await kit.ask();
    },
    CLUSTER_CHANGED_MEANWHILE: async (kit) => {
      const known = kit.world.probe;
      kit.world.probe = async (uri, call) => {
        kit.world.probe = known;
        await kit.did('reconnectCluster', { body: { connectionString: 'mongodb://quicker/' } });
        return await known(uri, call);
      };
      return await kit.ask();
    },
  },
};
