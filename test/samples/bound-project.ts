import type { Domain } from '../../src/domain/domain.ts';
import type { ClusterName } from '../../src/domain/names.ts';
import type { SchedulePatch } from '../../src/domain/policies/schedule.ts';
import { scheduleDuty } from '../../src/domain/schedules/serve-due.ts';
import { type DomainWorld, inWorld } from '../support/domain-world.ts';

const HOUR_MS = 3_600_000;
export const never = new AbortController().signal;

/** A project under a policy with one cluster, and a scheduled and an on-demand snapshot of it. */
export interface Bound {
  world: DomainWorld;
  domain: Domain;
  name: ClusterName;
  scheduledId: string;
  onDemandId: string;
}

export async function inBoundProject(work: (bound: Bound) => Promise<void>): Promise<void> {
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

export const item = (frequencyType: string, frequencyInterval: number, retentionValue: number) => ({
  frequencyType,
  frequencyInterval,
  retentionUnit: 'days' as const,
  retentionValue,
});

export const policy = {
  authorizedEmail: 'auditor@example.com',
  authorizedUserFirstName: 'Ada',
  authorizedUserLastName: 'Auditor',
  scheduledPolicyItems: [item('hourly', 6, 7), item('daily', 1, 8)],
  onDemandPolicyItem: { frequencyInterval: 0, retentionUnit: 'days' as const, retentionValue: 10 },
  pitEnabled: true,
  restoreWindowDays: 5,
};

export const patched = ({ domain, name }: Bound, patch: SchedulePatch) => domain.schedules.update({ ...name, patch });
export const putting = ({ domain, name }: Bound, change: object) =>
  domain.compliancePolicies.put({
    projectId: name.projectId,
    policy: { ...policy, ...change },
    overwrite: true,
    user: 'owner',
  });

export async function queueScheduled({ world }: Bound): Promise<void> {
  await world.worker?.stop();
  await world.clock.leap(6 * HOUR_MS);
  await scheduleDuty(world.context).run(never);
}

/** Each way in which the function could go round the policy, and the code that it is refused with. */
type Attempts = readonly (readonly [code: string, attempt: (bound: Bound) => Promise<unknown>])[];

/** `reads`: changes nothing. A sentence: changes something that the policy does not protect, and why that is so. */
export type Verdict = 'reads' | { harmless: string } | { bound: Attempts };

export const below = 'BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS';
export const shorter = 'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY';
export const stops = 'CANNOT_DISABLE_CLOUD_BACKUP_WITH_BACKUP_COMPLIANCE_POLICY';
export const noBackups = { harmless: 'no backup, schedule or cluster is touched' };
export const addsOnly = { harmless: 'it only adds' };
