import { Type } from '@sinclair/typebox';
import { defineOperations, reading } from './operation.ts';
import { CloudProvider, closed, ObjectId, Time } from './primitives.ts';

const FeatureUsage = Type.Object(
  {
    featureId: Type.Object({ exportBucketId: ObjectId, groupId: ObjectId }, closed),
    featureType: Type.Literal('EXPORT_SNAPSHOT'),
  },
  closed,
);

const common = { createdDate: Time, featureUsages: Type.Array(FeatureUsage) };

/**
 * Unset times and the role are null, as in recorded answers. The account is absent where the operator did not say as
 * whom this service signs in.
 */
export const AwsRole = Type.Object(
  {
    ...common,
    atlasAWSAccountArn: Type.Optional(Type.String()),
    atlasAssumedRoleExternalId: Type.String(),
    authorizedDate: Type.Union([Time, Type.Null()]),
    iamAssumedRoleArn: Type.Union([Type.String(), Type.Null()]),
    providerName: Type.Literal('AWS'),
    roleId: ObjectId,
  },
  closed,
);

/** The id is spelled so. */
export const AzureServicePrincipal = Type.Object(
  {
    ...common,
    _id: ObjectId,
    atlasAzureAppId: Type.String(),
    lastUpdatedDate: Time,
    providerName: Type.Literal('AZURE'),
    servicePrincipalId: Type.String(),
    tenantId: Type.String(),
  },
  closed,
);

export const GcpServiceAccount = Type.Object(
  {
    ...common,
    gcpServiceAccountForAtlas: Type.Optional(Type.String()),
    providerName: Type.Literal('GCP'),
    roleId: ObjectId,
    status: Type.Union([Type.Literal('COMPLETE'), Type.Literal('NOT_INITIATED')]),
  },
  closed,
);

export const AccessRole = Type.Union([AwsRole, AzureServicePrincipal, GcpServiceAccount]);

export const AccessRoles = Type.Object(
  {
    awsIamRoles: Type.Array(AwsRole),
    azureServicePrincipals: Type.Array(AzureServicePrincipal),
    gcpServiceAccounts: Type.Array(GcpServiceAccount),
  },
  closed,
);

const Uuid = Type.String({ pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' });

export const CreateAccessRoleRequest = Type.Object({
  atlasAzureAppId: Type.Optional(Uuid),
  providerName: CloudProvider,
  servicePrincipalId: Type.Optional(Uuid),
  tenantId: Type.Optional(Uuid),
});

export const AuthorizeAccessRoleRequest = Type.Object({
  atlasAzureAppId: Type.Optional(Uuid),
  iamAssumedRoleArn: Type.Optional(Type.String({ minLength: 20, maxLength: 2048 })),
  providerName: CloudProvider,
  servicePrincipalId: Type.Optional(Uuid),
  tenantId: Type.Optional(Uuid),
});

const roles = '/api/atlas/v2/groups/{groupId}/cloudProviderAccess';
const own = { scope: 'project', anyOf: ['GROUP_OWNER'] } as const;
const date = '2023-01-01';
const notFound = 'CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND';

export const cloudProviderAccessOperations = defineOperations({
  /** Not a list: one object with a list for each provider. */
  listGroupCloudProviderAccess: {
    ...reading,
    aliases: ['listCloudProviderAccessRoles', 'listCloudProviderAccess'],
    path: roles,
    access: own,
    versions: [{ date, response: AccessRoles }],
  },
  createGroupCloudProviderAccess: {
    ...reading,
    method: 'POST',
    aliases: ['createCloudProviderAccessRole', 'createCloudProviderAccess'],
    path: roles,
    access: own,
    versions: [{ date, request: CreateAccessRoleRequest, response: AccessRole }],
    documents400: true,
    errorCodes: ['PROVIDER_UNSUPPORTED', 'MISSING_ATTRIBUTE'],
  },
  getGroupCloudProviderAccess: {
    ...reading,
    aliases: ['getCloudProviderAccessRole', 'getCloudProviderAccess'],
    path: `${roles}/{roleId}`,
    access: own,
    versions: [{ date, response: AccessRole }],
    errorCodes: [notFound],
  },
  authorizeGroupCloudProviderAccessRole: {
    ...reading,
    method: 'PATCH',
    aliases: ['authorizeCloudProviderAccessRole', 'authorizeProviderAccessRole'],
    path: `${roles}/{roleId}`,
    access: own,
    versions: [{ date, request: AuthorizeAccessRoleRequest, response: AccessRole }],
    documents400: true,
    errorCodes: [notFound],
  },
  deauthorizeGroupCloudProviderAccessRole: {
    ...reading,
    method: 'DELETE',
    aliases: ['deauthorizeCloudProviderAccessRole', 'deauthorizeProviderAccessRole'],
    path: `${roles}/{cloudProvider}/{roleId}`,
    access: own,
    versions: [{ date, response: null }],
    success: 204,
    answers: 'nothing',
    errorCodes: [notFound, 'CLOUD_PROVIDER_ACCESS_ROLE_IN_USE'],
  },
});
