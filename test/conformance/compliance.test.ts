import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { type OperationId, operations } from '../../contract/operations.ts';
import { createProgram } from '../../src/cli/program.ts';
import { RecordingTerminal } from '../../src/cli/recording-terminal.ts';
import type { Domain } from '../../src/domain/domain.ts';
import type { ClusterName } from '../../src/domain/names.ts';
import type { SchedulePatch } from '../../src/domain/policies/schedule.ts';
import { Refusal } from '../../src/domain/refusals/refusals.ts';
import { scheduleDuty } from '../../src/domain/schedules/serve-due.ts';
import { expiryDuty } from '../../src/domain/snapshots/expiry.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type DomainWorld, inWorld } from '../support/domain-world.ts';

/**
 * A backup compliance policy binds everybody, by every way. Callers and roles end at the door of the domain; so it is
 * the domain that is gone through here, function by function: whoever adds one says here what the policy does to it,
 * and the tests fail until that was said. Operations and commands are then held to the functions that they come down
 * to.
 */

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;

/** A project under a policy with one cluster, and a scheduled and an on-demand snapshot of it. */
interface Bound {
  world: DomainWorld;
  domain: Domain;
  name: ClusterName;
  scheduledId: string;
  onDemandId: string;
}

async function inBoundProject(work: (bound: Bound) => Promise<void>): Promise<void> {
  await inWorld({}, async (world) => {
    const { domain } = world;
    const name = await world.withCluster();
    world.startWorker();
    const onDemandId = await world.takeWhole(name, 30);
    await world.clock.leap(6 * HOUR_MS);
    await scheduleDuty(world.context).run(never);
    await world.run();
    world.completeTake(1);
    await world.run();
    const scheduledId = world.take(1).request.snapshotId;
    await domain.compliancePolicies.put({ projectId: name.projectId, policy, overwrite: true, user: 'owner' });
    await work({ world, domain, name, scheduledId, onDemandId });
  });
}

const item = (frequencyType: string, frequencyInterval: number, retentionValue: number) => ({
  frequencyType,
  frequencyInterval,
  retentionUnit: 'days' as const,
  retentionValue,
});

const policy = {
  authorizedEmail: 'auditor@example.com',
  authorizedUserFirstName: 'Ada',
  authorizedUserLastName: 'Auditor',
  scheduledPolicyItems: [item('hourly', 6, 7), item('daily', 1, 8)],
  onDemandPolicyItem: { frequencyInterval: 0, retentionUnit: 'days' as const, retentionValue: 10 },
  pitEnabled: true,
  restoreWindowDays: 5,
};

const patched = ({ domain, name }: Bound, patch: SchedulePatch) => domain.schedules.update({ ...name, patch });
const putting = ({ domain, name }: Bound, change: object) =>
  domain.compliancePolicies.put({
    projectId: name.projectId,
    policy: { ...policy, ...change },
    overwrite: true,
    user: 'owner',
  });

async function queueScheduled({ world }: Bound): Promise<void> {
  await world.worker?.stop();
  await world.clock.leap(6 * HOUR_MS);
  await scheduleDuty(world.context).run(never);
}

/** Each way in which the function could go round the policy, and the code that it is refused with. */
type Attempts = readonly (readonly [code: string, attempt: (bound: Bound) => Promise<unknown>])[];

/** `reads`: changes nothing. A sentence: changes something that the policy does not protect, and why that is so. */
type Verdict = 'reads' | { harmless: string } | { bound: Attempts };

const below = 'BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS';
const shorter = 'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY';
const stops = 'CANNOT_DISABLE_CLOUD_BACKUP_WITH_BACKUP_COMPLIANCE_POLICY';
const noBackups = { harmless: 'no backup, schedule or cluster is touched' };
const addsOnly = { harmless: 'it only adds' };

const verdicts: Record<string, Verdict> = {
  'organizations.create': addsOnly,
  'organizations.updateSettings': noBackups,
  'projects.create': addsOnly,
  'projects.update': noBackups,
  'projects.delete': {
    bound: [
      [
        'CANNOT_CLOSE_GROUP_ACTIVE_BACKUP_COMPLIANCE_POLICY',
        ({ domain, name }) => domain.projects.delete(name.projectId),
      ],
    ],
  },
  'clusters.register': { harmless: 'it only adds; a test below sees that what it adds is under the policy' },
  'clusters.reconnect': { harmless: 'it stays the same cluster with the same policies' },
  'clusters.update': {
    bound: [
      [stops, ({ domain, name }) => domain.clusters.update({ ...name, change: { backupEnabled: false } })],
      [
        stops,
        ({ domain, name }) =>
          domain.clusters.update({ ...name, change: { backupEnabled: false, retainBackups: true } }),
      ],
      [stops, ({ domain, name }) => domain.clusters.update({ ...name, change: { paused: true } })],
      [
        'CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY',
        ({ domain, name }) => domain.clusters.update({ ...name, change: { pitEnabled: false } }),
      ],
    ],
  },
  'clusters.remove': {
    bound: [
      [stops, ({ domain, name }) => domain.clusters.remove(name)],
      [stops, ({ domain, name }) => domain.clusters.remove({ ...name, deleteSnapshots: true })],
    ],
  },
  'clusters.terminate': {
    bound: [
      [stops, ({ domain, name }) => domain.clusters.terminate({ ...name, retainBackups: true })],
      [stops, ({ domain, name }) => domain.clusters.terminate({ ...name, retainBackups: false })],
    ],
  },
  'snapshots.take': {
    bound: [
      [
        'SNAPSHOT_RETENTION_LESS_THAN_BACKUP_COMPLIANCE_POLICY',
        ({ domain, name }) => domain.snapshots.take({ ...name, retentionInDays: 9 }),
      ],
    ],
  },
  'snapshots.updateRetention': {
    bound: (['scheduledId', 'onDemandId'] as const).map((which) => [
      shorter,
      ({ domain, name, ...ids }) =>
        domain.snapshots.updateRetention({
          ...name,
          snapshotId: ids[which],
          retentionUnit: 'DAYS',
          retentionValue: 6,
        }),
    ]),
  },
  'snapshots.updateExpiry': {
    bound: [
      [
        shorter,
        ({ domain, name, scheduledId, world }) =>
          domain.snapshots.updateExpiry({ ...name, snapshotId: scheduledId, expiresAtMs: world.clock.nowMs() + 1 }),
      ],
      [
        shorter,
        async ({ domain, name, scheduledId }) => {
          await domain.snapshots.updateExpiry({ ...name, snapshotId: scheduledId, doNotDelete: true });
          await domain.snapshots.updateExpiry({ ...name, snapshotId: scheduledId, doNotDelete: false });
        },
      ],
    ],
  },
  'snapshots.delete': {
    bound: (['scheduledId', 'onDemandId'] as const).map((which) => [
      'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY',
      ({ domain, name, ...ids }) => domain.snapshots.delete({ ...name, snapshotId: ids[which] }),
    ]),
  },
  'schedules.update': {
    bound: [
      [below, (bound) => patched(bound, { policies: [{ policyItems: [item('hourly', 6, 7)] }] })],
      [below, (bound) => patched(bound, { policies: [{ policyItems: [item('hourly', 8, 7), item('daily', 1, 8)] }] })],
      [below, (bound) => patched(bound, { policies: [{ policyItems: [item('hourly', 6, 7), item('daily', 1, 7)] }] })],
      [below, (bound) => patched(bound, { restoreWindowDays: 4 })],
      [
        shorter,
        async (bound) => {
          const { items } = await bound.domain.schedules.get(bound.name);
          const longer = items.map((each, index) => (index === 0 ? { ...each, retentionValue: 8 } : each));
          const daily = longer.map((each, index) => (index === 1 ? { ...each, retentionValue: 8 } : each));
          await patched(bound, { policies: [{ policyItems: daily }], updateSnapshots: true });
          await patched(bound, { policies: [{ policyItems: items }], updateSnapshots: true });
        },
      ],
      [
        'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY',
        async (bound) => {
          const { items } = await bound.domain.schedules.get(bound.name);
          // The hourly item anew, under another id: the policy is met, and the old one's snapshots would go.
          const anew = items.map(({ id, ...rest }) => (rest.frequencyType === 'hourly' ? rest : { id, ...rest }));
          await patched(bound, { policies: [{ policyItems: anew }], deleteSnapshots: true });
        },
      ],
    ],
  },
  'schedules.delete': { bound: [[below, ({ domain, name }) => domain.schedules.delete(name)]] },
  'compliancePolicies.put': {
    bound: [
      [shorter, (bound) => putting(bound, { scheduledPolicyItems: [] })],
      [shorter, (bound) => putting(bound, { onDemandPolicyItem: undefined })],
      ['CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY', (bound) => putting(bound, { pitEnabled: false })],
      ['CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY', (bound) => putting(bound, { restoreWindowDays: 4 })],
    ],
  },
  'compliancePolicies.disable': {
    bound: [
      [
        'CANNOT_DISABLE_BACKUP_COMPLIANCE_POLICY',
        ({ domain, name }) => domain.compliancePolicies.disable(name.projectId),
      ],
    ],
  },
  'restoreJobs.create': { harmless: 'a restore replaces what is in a cluster; its backups stay' },
  'documentHistory.restore': { harmless: 'a document is written into a cluster; its backups stay' },
  'restoreJobs.cancel': { harmless: 'a restore that ends changes no backup' },
  'downloads.open': { harmless: 'a download reads' },
  'downloads.stopAll': { harmless: 'a download reads' },
  'exportBuckets.create': addsOnly,
  'exportBuckets.updatePrivateNetworking': noBackups,
  'exportBuckets.delete': { harmless: 'refused while a schedule exports to it; exports are no backups' },
  'exportJobs.create': addsOnly,
  'legacy.updateSchedule': {
    bound: [{ snapshotIntervalHours: 12 }, { dailySnapshotRetentionDays: 6 }, { dailySnapshotRetentionDays: 0 }].map(
      (changes) => [below, ({ domain, name }) => domain.legacy.updateSchedule({ ...name, changes })],
    ),
  },
  'legacy.restore': { harmless: 'as restoreJobs.create' },
  'privateEndpoints.create': addsOnly,
  'privateEndpoints.delete': noBackups,
  'collectionRestoreJobs.create': { harmless: 'as restoreJobs.create' },
  'collectionRestoreJobs.getCollection': 'reads',
  'tasks.cancel': {
    bound: [
      [
        stops,
        async (bound) => {
          await queueScheduled(bound);
          const { domain } = bound;
          const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
          const waiting = (await domain.tasks.list({ unfinished: true, page })).items;
          await domain.tasks.cancel(waiting.find((task) => task.kind === 'takeSnapshot')?.id ?? 'none');
        },
      ],
    ],
  },
};

/**
 * Whole nouns that hold no backup: who may call, from where, and under which identity. However much a caller may, a
 * policy binds him.
 */
const CALLERS = /^(apiKeys|serviceAccounts|accessLists|cloudProviderAccess)\./;

/** Known by their names; everything else has to be judged above. */
const READS = /\.(list\w*|get|getByName|require\w+|ofSubject|status|settings|schedule|processSettings|version)$/;

function functionsOf(domain: Domain): string[] {
  return Object.entries(domain).flatMap(([noun, functions]) =>
    Object.keys(functions as object).map((name) => `${noun}.${name}`),
  );
}

test('everything that the domain can change has a verdict', async () => {
  await inWorld({}, async ({ domain }) => {
    const found = functionsOf(domain).filter((name) => !READS.test(name) && !CALLERS.test(name));
    assert.deepEqual(
      found.filter((name) => verdicts[name] === undefined),
      [],
      'say in `verdicts` what a compliance policy does to it',
    );
    assert.deepEqual(Object.keys(verdicts).toSorted(), found.toSorted(), 'a verdict about something that is not there');
  });
});

for (const [name, verdict] of Object.entries(verdicts)) {
  if (verdict === 'reads' || 'harmless' in verdict) continue;
  verdict.bound.forEach(([code, attempt], index) => {
    test(`${name} cannot go round a compliance policy (${index + 1}: ${code})`, async () => {
      await inBoundProject(async (bound) => {
        const protectedState = async () => {
          const { domain } = bound;
          const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
          const snapshots = (await domain.snapshots.list({ ...bound.name, page })).items;
          const kept = snapshots.filter((each) => [bound.scheduledId, bound.onDemandId].includes(each.id));
          return {
            expiries: kept.map((each) => each.expiresAtMs),
            policy: await domain.compliancePolicies.get(bound.name.projectId),
            backupEnabled: (await domain.clusters.get(bound.name)).backupEnabled,
          };
        };
        const before = await protectedState();
        await assert.rejects(attempt(bound), (error) => {
          assert.ok(error instanceof Refusal, String(error));
          assert.equal(error.code, code);
          return true;
        });
        const after = await protectedState();
        assert.equal(after.expiries.length, 2);
        after.expiries.forEach((expiresAtMs, at) => {
          assert.ok(expiresAtMs >= (before.expiries[at] ?? 0));
        });
        assert.deepEqual([after.policy, after.backupEnabled], [before.policy, true]);
      });
    });
  });
}

test('nothing expires early, and what is over still goes', async () => {
  await inBoundProject(async ({ world, domain, name, scheduledId }) => {
    const { expiresAtMs } = await domain.snapshots.get({ ...name, snapshotId: scheduledId });
    await world.clock.leap(expiresAtMs - world.clock.nowMs() - 1);
    const duty = expiryDuty(world.context);
    await duty.run(never);
    await domain.snapshots.get({ ...name, snapshotId: scheduledId });
    await world.clock.leap(1);
    await duty.run(never);
    await assert.rejects(domain.snapshots.get({ ...name, snapshotId: scheduledId }), /SNAPSHOT|No snapshot/);
  });
});

/** Which functions of the domain an operation that is not a GET comes down to. */
const operationVerdicts: Partial<Record<OperationId, readonly string[] | { harmless: string }>> = {
  updateOrgSettings: ['organizations.updateSettings'],
  createGroup: ['projects.create'],
  updateGroup: ['projects.update'],
  deleteGroup: ['projects.delete'],
  updateGroupSettings: ['projects.update'],
  enableGroupManagedSlowMs: ['projects.update'],
  disableGroupManagedSlowMs: ['projects.update'],
  createGroupCluster: ['clusters.register'],
  updateGroupCluster: ['clusters.update'],
  deleteGroupCluster: ['clusters.terminate'],
  updateGroupClusterProcessArgs: { harmless: 'settings of mongod, not of backups' },
  downloadGroupFlexClusterBackup: { harmless: 'there are no flex clusters: always refused' },
  createGroupFlexClusterBackupRestoreJob: { harmless: 'there are no flex clusters: always refused' },
  takeGroupClusterBackupSnapshots: ['snapshots.take'],
  updateGroupClusterBackupSnapshot: ['snapshots.updateRetention'],
  deleteGroupClusterBackupSnapshot: ['snapshots.delete'],
  deleteGroupClusterBackupSnapshotShardedCluster: ['snapshots.delete'],
  updateGroupClusterBackupSchedule: ['schedules.update'],
  deleteGroupClusterBackupSchedule: ['schedules.delete'],
  updateGroupBackupCompliancePolicy: ['compliancePolicies.put'],
  disableGroupBackupCompliancePolicy: ['compliancePolicies.disable'],
  createGroupClusterBackupRestoreJob: ['restoreJobs.create'],
  cancelGroupClusterBackupRestoreJob: ['restoreJobs.cancel'],
  createGroupBackupExportBucket: ['exportBuckets.create'],
  updateGroupBackupExportBucket: ['exportBuckets.updatePrivateNetworking'],
  deleteGroupBackupExportBucket: ['exportBuckets.delete'],
  createGroupClusterBackupExport: ['exportJobs.create'],
  updateGroupClusterSnapshot: ['snapshots.updateExpiry'],
  deleteGroupClusterSnapshot: ['snapshots.delete'],
  createGroupClusterRestoreJob: ['legacy.restore'],
  updateGroupClusterSnapshotSchedule: ['legacy.updateSchedule'],
  createGroupBackupPrivateEndpoint: ['privateEndpoints.create'],
  deleteGroupBackupPrivateEndpoint: ['privateEndpoints.delete'],
  createGroupClusterCollectionRestoreJob: ['collectionRestoreJobs.create'],
  createGroupServerlessBackupRestoreJob: { harmless: 'there are no serverless instances: always refused' },
  downloadSharedClusterBackup: { harmless: 'there are no shared clusters: always refused' },
  createSharedClusterBackupRestoreJob: { harmless: 'there are no shared clusters: always refused' },
  listDocumentHistory: { harmless: 'a question' },
  restoreDocument: ['documentHistory.restore'],
  registerCluster: ['clusters.register'],
  reconnectCluster: ['clusters.reconnect'],
  removeCluster: ['clusters.remove'],
  cancelSnapshotTask: ['tasks.cancel'],
  cancelRestoreJobTask: ['tasks.cancel'],
  cancelExportTask: ['tasks.cancel'],
  cancelCollectionRestoreTask: ['tasks.cancel'],
};

test('every operation that is not a GET comes down to functions with a verdict', () => {
  const aboutCallers = /ApiKey|ServiceAccount|AccessList|CloudProviderAccess/;
  const changing = Object.entries(operations).flatMap(([id, { method }]) =>
    method === 'GET' || aboutCallers.test(id) ? [] : [id],
  );
  assert.deepEqual(Object.keys(operationVerdicts).toSorted(), changing.toSorted());
  for (const [id, functions] of Object.entries(operationVerdicts)) {
    if (Array.isArray(functions))
      for (const name of functions) assert.ok(verdicts[name] !== undefined, `${id}: ${name}`);
  }
});

/** The command line is on the same data directory, without a server and without roles. */
const commandVerdicts: Record<string, 'reads' | { harmless: string } | readonly string[]> = {
  'tidemark init': { harmless: 'makes what is not there' },
  'tidemark serve': { harmless: 'serves the above' },
  'tidemark cluster add': ['clusters.register'],
  'tidemark key create': { harmless: 'about callers, not backups' },
  'tidemark access show': 'reads',
  'tidemark access reset': { harmless: 'about callers, not backups' },
  'tidemark cluster update': ['clusters.reconnect'],
  'tidemark cluster list': 'reads',
  'tidemark snapshot take': ['snapshots.take'],
  'tidemark snapshot browse': 'reads',
  'tidemark snapshot list': 'reads',
  'tidemark download': 'reads',
  'tidemark snapshot show': 'reads',
  'tidemark schedule show': 'reads',
  'tidemark checkpoint list': 'reads',
  'tidemark restore': ['restoreJobs.create'],
  'tidemark collection restore': ['collectionRestoreJobs.create'],
  'tidemark export': ['exportJobs.create'],
  'tidemark document history': 'reads',
  'tidemark document restore': ['documentHistory.restore'],
  'tidemark repository check': 'reads',
  'tidemark repository prune': { harmless: 'deletes what no manifest names; manifests go with their snapshots only' },
  'tidemark repository rebuild': { harmless: 'adds what is missing and changes nothing that is there' },
  'tidemark repository stats': 'reads',
};

test('every command has a verdict', () => {
  const program = createProgram({ terminal: new RecordingTerminal(), clock: systemClock, env: {} });
  const pathOf = (command: Command): string =>
    command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
  const leaves = (command: Command): Command[] =>
    command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
  assert.deepEqual(leaves(program).map(pathOf).toSorted(), Object.keys(commandVerdicts).toSorted());
});

test('a cluster that comes into the project is under the policy from its first moment', async () => {
  await inBoundProject(async ({ world, domain, name }) => {
    const { projectId } = name;
    await world.register(projectId, 'second');
    const second = { projectId, clusterName: 'second' };
    assert.equal((await domain.clusters.get(second)).pitEnabled, true);
    await assert.rejects(domain.schedules.delete(second), (error) => error instanceof Refusal && error.code === below);
  });
});
