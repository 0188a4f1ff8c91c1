import type { AwsRole, AzureServicePrincipal, GcpServiceAccount } from '../../../contract/cloud-provider-access.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type { AccessRole } from '../../domain/cloud-provider-access/cloud-provider-access.ts';
import { isoSeconds } from '../../lib/clock.ts';
import { isoOrNull } from './times.ts';

function common(role: AccessRole) {
  return {
    createdDate: isoSeconds(role.createdAtMs),
    featureUsages: role.exportBucketIds.map((exportBucketId) => ({
      featureId: { exportBucketId, groupId: role.projectId },
      featureType: 'EXPORT_SNAPSHOT' as const,
    })),
  };
}

export function awsRoleBody(role: AccessRole): ShapeOf<typeof AwsRole> {
  return {
    ...common(role),
    ...(role.identity === null ? {} : { atlasAWSAccountArn: role.identity }),
    atlasAssumedRoleExternalId: role.externalId ?? '',
    authorizedDate: isoOrNull(role.authorizedAtMs),
    iamAssumedRoleArn: role.assumedRoleArn,
    providerName: 'AWS',
    roleId: role.id,
  };
}

export function azurePrincipalBody(role: AccessRole): ShapeOf<typeof AzureServicePrincipal> {
  return {
    ...common(role),
    _id: role.id,
    atlasAzureAppId: role.azureAppId ?? '',
    lastUpdatedDate: isoSeconds(role.updatedAtMs),
    providerName: 'AZURE',
    servicePrincipalId: role.azureServicePrincipalId ?? '',
    tenantId: role.azureTenantId ?? '',
  };
}

export function gcpAccountBody(role: AccessRole): ShapeOf<typeof GcpServiceAccount> {
  return {
    ...common(role),
    ...(role.identity === null ? {} : { gcpServiceAccountForAtlas: role.identity }),
    providerName: 'GCP',
    roleId: role.id,
    // The account was there before the role; without it nobody could be granted anything.
    status: role.identity === null ? 'NOT_INITIATED' : 'COMPLETE',
  };
}

export function accessRoleBody(role: AccessRole): object {
  if (role.cloudProvider === 'AWS') return awsRoleBody(role);
  return role.cloudProvider === 'AZURE' ? azurePrincipalBody(role) : gcpAccountBody(role);
}
