import type { compliancePolicyOperations } from '../../../contract/compliance-policy.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type { CompliancePolicy } from '../../domain/compliance-policies/compliance-policies.ts';
import { isoSeconds } from '../../lib/clock.ts';

type Body = ShapeOf<(typeof compliancePolicyOperations)['getGroupBackupCompliancePolicy']['versions'][1]['response']>;

export function compliancePolicyBody(policy: CompliancePolicy): Body {
  return {
    authorizedEmail: policy.authorizedEmail,
    authorizedUserFirstName: policy.authorizedUserFirstName,
    authorizedUserLastName: policy.authorizedUserLastName,
    copyProtectionEnabled: policy.copyProtectionEnabled,
    deletable: policy.deletable,
    encryptionAtRestEnabled: policy.encryptionAtRestEnabled,
    onDemandPolicyItem: policy.onDemandItem === null ? null : { ...policy.onDemandItem, frequencyType: 'ondemand' },
    pitEnabled: policy.pitEnabled,
    projectId: policy.projectId,
    restoreWindowDays: policy.restoreWindowDays,
    scheduledPolicyItems: [...policy.scheduledItems],
    state: policy.state,
    updatedDate: isoSeconds(policy.updatedAtMs),
    updatedUser: policy.updatedUser,
  };
}
