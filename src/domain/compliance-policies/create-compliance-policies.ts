import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import {
  deleteCompliancePolicy,
  findCompliancePolicy,
  type StoredCompliancePolicy,
  writeCompliancePolicy,
} from '../../catalog/compliance-policies.ts';
import { projectHasBackups } from '../../catalog/projects-with-backups.ts';
import type { CompliancePolicyItemRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import { requireProject } from '../find-resource.ts';
import { checkRequirements, type Requirements, requiredItems, weakening } from '../policies/compliance-rules.ts';
import { storedRequirements } from '../policies/enforcement.ts';
import { refuse } from '../refusals/refusals.ts';
import { raiseProject } from '../schedules/raise-project.ts';
import type { CompliancePolicies, CompliancePolicy, CompliancePolicyRequest } from './compliance-policies.ts';

export function createCompliancePolicies(
  context: DomainContext,
  repository: { encrypted: boolean },
): CompliancePolicies {
  const { catalog } = context;
  return {
    get: async (projectId) => {
      await requireProject(catalog.reader, projectId);
      const stored = await requirePolicy(catalog.reader, projectId);
      return policyView(stored, 'ACTIVE', !(await projectHasBackups(catalog.reader, projectId)));
    },

    put: async ({ projectId, policy, overwrite, user }) => {
      return await catalog.transact(async (writer) => {
        await requireProject(writer, projectId);
        const before = await findCompliancePolicy(writer, projectId);
        const protects = await projectHasBackups(writer, projectId);
        const required = requirements(context, policy, before);
        refuseWhatIsNotThere(required, repository);
        checkRequirements(required);
        const weakened = before === undefined ? null : weakening(storedRequirements(before), required);
        // Nothing is lost where there is nothing yet: a policy can be corrected as long as it protects nothing.
        if (weakened !== null && protects) throw weakened;
        const after = storedPolicy(context, { projectId, policy, required, before, user });
        await writeCompliancePolicy(writer, after);
        await raiseProject(writer, context, { projectId, required, overwrite });
        return policyView(after, before === undefined ? 'ENABLING' : 'UPDATING', !protects);
      });
    },

    disable: async (projectId) => {
      await catalog.transact(async (writer) => {
        await requireProject(writer, projectId);
        await requirePolicy(writer, projectId);
        if (await projectHasBackups(writer, projectId))
          throw refuse('CANNOT_DISABLE_BACKUP_COMPLIANCE_POLICY', [projectId]);
        await deleteCompliancePolicy(writer, projectId);
      });
    },
  };
}

async function requirePolicy(
  reader: CatalogReader | CatalogWriter,
  projectId: string,
): Promise<StoredCompliancePolicy> {
  const stored = await findCompliancePolicy(reader, projectId);
  if (stored === undefined) throw refuse('BACKUP_COMPLIANCE_POLICY_NOT_FOUND', [projectId]);
  return stored;
}

function requirements(
  context: Pick<DomainContext, 'ids'>,
  policy: CompliancePolicyRequest,
  before: StoredCompliancePolicy | undefined,
): Requirements {
  const known = before === undefined ? null : storedRequirements(before);
  const nextId = () => context.ids.next();
  const onDemand = policy.onDemandPolicyItem;
  return {
    scheduledItems: requiredItems(known?.scheduledItems ?? [], policy.scheduledPolicyItems ?? [], nextId),
    onDemandItem:
      onDemand === undefined
        ? null
        : {
            id: known?.onDemandItem?.id ?? nextId(),
            frequencyInterval: onDemand.frequencyInterval ?? 0,
            retentionUnit: onDemand.retentionUnit,
            retentionValue: onDemand.retentionValue,
          },
    pitEnabled: policy.pitEnabled ?? false,
    restoreWindowDays: policy.restoreWindowDays ?? 0,
    encryptionAtRestEnabled: policy.encryptionAtRestEnabled ?? false,
    copyProtectionEnabled: policy.copyProtectionEnabled ?? false,
  };
}

/** A policy promises to auditors what the service does: it is not taken where the service does not do it. */
function refuseWhatIsNotThere(required: Requirements, repository: { encrypted: boolean }): void {
  if (required.encryptionAtRestEnabled && !repository.encrypted)
    throw refuse('BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID', ['the repository of this service is not encrypted']);
}

function storedPolicy(
  context: Pick<DomainContext, 'clock'>,
  change: {
    projectId: string;
    policy: CompliancePolicyRequest;
    required: Requirements;
    before: StoredCompliancePolicy | undefined;
    user: string;
  },
): StoredCompliancePolicy {
  const { projectId, policy, required, before, user } = change;
  const nowMs = context.clock.nowMs();
  const { scheduledItems, onDemandItem } = required;
  const items: Omit<CompliancePolicyItemRow, 'projectId' | 'position'>[] = [
    ...scheduledItems,
    ...(onDemandItem === null ? [] : [{ ...onDemandItem, frequencyType: 'ondemand' as const }]),
  ];
  return {
    row: {
      projectId,
      authorizedEmail: policy.authorizedEmail,
      authorizedUserFirstName: policy.authorizedUserFirstName ?? before?.row.authorizedUserFirstName ?? '',
      authorizedUserLastName: policy.authorizedUserLastName ?? before?.row.authorizedUserLastName ?? '',
      copyProtectionEnabled: required.copyProtectionEnabled ? 1 : 0,
      encryptionAtRestEnabled: required.encryptionAtRestEnabled ? 1 : 0,
      pitEnabled: required.pitEnabled ? 1 : 0,
      restoreWindowDays: required.restoreWindowDays,
      createdAtMs: before?.row.createdAtMs ?? nowMs,
      updatedAtMs: nowMs,
      updatedUser: user,
    },
    items: items.map((item, position) => ({ ...item, projectId, position })),
  };
}

function policyView(
  stored: StoredCompliancePolicy,
  state: CompliancePolicy['state'],
  deletable: boolean,
): CompliancePolicy {
  const { projectId, authorizedEmail, authorizedUserFirstName, authorizedUserLastName, updatedAtMs, updatedUser } =
    stored.row;
  return {
    projectId,
    authorizedEmail,
    authorizedUserFirstName,
    authorizedUserLastName,
    ...storedRequirements(stored),
    state,
    deletable,
    updatedAtMs,
    updatedUser,
  };
}
