import type { Domain } from '../../src/domain/domain.ts';
import { putting, shorter } from './bound-project.ts';
import type { ResourceSamples } from './resource-samples.ts';
import { sampleCompliancePolicy } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const compliancePolicySamples: ResourceSamples = {
  operations: {
    getGroupBackupCompliancePolicy: { who: 'GROUP_OWNER ORG_OWNER' },
    updateGroupBackupCompliancePolicy: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: {
        authorizedEmail: 'auditor@example.com',
        authorizedUserFirstName: 'Ada',
        authorizedUserLastName: 'Auditor',
      },
      comesDownTo: ['compliancePolicies.put'],
    },
    disableGroupBackupCompliancePolicy: { who: 'GROUP_OWNER ORG_OWNER', comesDownTo: ['compliancePolicies.disable'] },
  },
  verdicts: {
    'compliancePolicies.put': {
      bound: [
        [shorter, (bound) => putting(bound, { scheduledPolicyItems: [] })],
        [shorter, (bound) => putting(bound, { onDemandPolicyItem: undefined })],
        ['CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY', (bound) => putting(bound, { pitEnabled: false })],
        [
          'CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY',
          (bound) => putting(bound, { restoreWindowDays: 4 }),
        ],
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
  },
};

export function compliancePoliciesNoun({ note, projectNamed }: SampleParts): Domain['compliancePolicies'] {
  return {
    async get(projectId) {
      projectNamed(projectId);
      return sampleCompliancePolicy;
    },
    async put(request) {
      projectNamed(request.projectId);
      note('compliancePolicies.put', request);
      return { ...sampleCompliancePolicy, state: 'UPDATING' };
    },
    async disable(projectId) {
      projectNamed(projectId);
      note('compliancePolicies.disable', projectId);
    },
  };
}
