import type { compliancePolicyOperations } from '../../../contract/compliance-policy.ts';
import type { HandlersOf } from '../call.ts';
import { compliancePolicyBody } from '../wire/compliance-policy.ts';

export const compliancePolicyHandlers: HandlersOf<typeof compliancePolicyOperations> = {
  async getGroupBackupCompliancePolicy({ params, domain }) {
    return compliancePolicyBody(await domain.compliancePolicies.get(params.groupId));
  },

  async updateGroupBackupCompliancePolicy({ params, query, body, caller, domain }) {
    const policy = await domain.compliancePolicies.put({
      projectId: params.groupId,
      policy: body,
      overwrite: query.overwriteBackupPolicies ?? true,
      user: caller.name,
    });
    return compliancePolicyBody(policy);
  },

  async disableGroupBackupCompliancePolicy({ params, domain }) {
    await domain.compliancePolicies.disable(params.groupId);
    return undefined;
  },
};
