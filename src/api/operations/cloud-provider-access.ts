import type { cloudProviderAccessOperations } from '../../../contract/cloud-provider-access.ts';
import type { AzureApplication } from '../../domain/cloud-provider-access/cloud-provider-access.ts';
import type { HandlersOf } from '../call.ts';
import { accessRoleBody, awsRoleBody, azurePrincipalBody, gcpAccountBody } from '../wire/access-role.ts';

export const cloudProviderAccessHandlers: HandlersOf<typeof cloudProviderAccessOperations> = {
  async listGroupCloudProviderAccess({ params, domain }) {
    const roles = await domain.cloudProviderAccess.list(params.groupId);
    const at = (provider: string) => roles.filter(({ cloudProvider }) => cloudProvider === provider);
    return {
      awsIamRoles: at('AWS').map(awsRoleBody),
      azureServicePrincipals: at('AZURE').map(azurePrincipalBody),
      gcpServiceAccounts: at('GCP').map(gcpAccountBody),
    };
  },

  async createGroupCloudProviderAccess({ params, body, domain }) {
    const request = { projectId: params.groupId, cloudProvider: body.providerName, ...azureOf(body) };
    return accessRoleBody(await domain.cloudProviderAccess.create(request));
  },

  async getGroupCloudProviderAccess({ params, domain }) {
    return accessRoleBody(await domain.cloudProviderAccess.get({ projectId: params.groupId, roleId: params.roleId }));
  },

  async authorizeGroupCloudProviderAccessRole({ params, body, domain }) {
    const { providerName: cloudProvider, iamAssumedRoleArn } = body;
    const role = await domain.cloudProviderAccess.authorize({
      projectId: params.groupId,
      roleId: params.roleId,
      cloudProvider,
      ...(iamAssumedRoleArn === undefined ? {} : { assumedRoleArn: iamAssumedRoleArn }),
      ...azureOf(body),
    });
    return accessRoleBody(role);
  },

  async deauthorizeGroupCloudProviderAccessRole({ params, domain }) {
    const cloudProvider = params.cloudProvider as 'AWS' | 'AZURE' | 'GCP';
    await domain.cloudProviderAccess.remove({ projectId: params.groupId, roleId: params.roleId, cloudProvider });
    return undefined;
  },
};

/** All three parts, or none. */
function azureOf(body: { atlasAzureAppId?: string; servicePrincipalId?: string; tenantId?: string }): {
  azure?: AzureApplication;
} {
  const { atlasAzureAppId: appId, servicePrincipalId, tenantId } = body;
  if (appId === undefined || servicePrincipalId === undefined || tenantId === undefined) return {};
  return { azure: { appId, servicePrincipalId, tenantId } };
}
