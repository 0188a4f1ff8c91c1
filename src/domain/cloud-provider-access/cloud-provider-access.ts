import type { CatalogReader } from '../../catalog/catalog.ts';
import {
  bucketsUsingRole,
  cloudProviderAccessRolesOf,
  findCloudProviderAccessRole,
  insertCloudProviderAccessRole,
  updateCloudProviderAccessRole,
} from '../../catalog/cloud-provider-access-roles.ts';
import type { CloudProvider, CloudProviderAccessRoleRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import type { CredentialMint } from '../credentials/credentials.ts';
import { requireProject } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';

/** As whom this service signs in at the providers; null where its operator did not say. */
export interface CloudIdentities {
  awsPrincipalArn: string | null;
  gcpServiceAccount: string | null;
}

/**
 * An identity at a cloud provider, and what of the project is used under it. Times are milliseconds since the epoch.
 */
export type AccessRole = Omit<CloudProviderAccessRoleRow, 'deletedAtMs'> & {
  /** Whom the provider has to trust. */
  identity: string | null;
  exportBucketIds: string[];
};

export interface AzureApplication {
  appId: string;
  tenantId: string;
  servicePrincipalId: string;
}

export interface CloudProviderAccess {
  /** Oldest first. */
  list(projectId: string): Promise<AccessRole[]>;
  get(query: { projectId: string; roleId: string }): Promise<AccessRole>;
  create(request: { projectId: string; cloudProvider: CloudProvider; azure?: AzureApplication }): Promise<AccessRole>;
  /**
   * The owner of the account says what was made there: the role to assume, or another application. Whether it works
   * shows when it is first used.
   */
  authorize(request: {
    projectId: string;
    roleId: string;
    cloudProvider: CloudProvider;
    assumedRoleArn?: string;
    azure?: AzureApplication;
  }): Promise<AccessRole>;
  /** Refused while something is used under it. */
  remove(request: { projectId: string; roleId: string; cloudProvider: CloudProvider }): Promise<void>;
}

const ROLE_ARN = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/;

export function createCloudProviderAccess(
  context: DomainContext,
  ports: { identities: CloudIdentities; credentialMint: CredentialMint },
): CloudProviderAccess {
  const { catalog, clock, ids } = context;

  const viewOf = async (reader: CatalogReader, row: CloudProviderAccessRoleRow): Promise<AccessRole> => {
    const { deletedAtMs: _, ...shown } = row;
    const buckets = await bucketsUsingRole(reader, row.projectId, row.id);
    const identity = identityAt(row.cloudProvider, ports.identities);
    return { ...shown, identity, exportBucketIds: buckets.map(({ id }) => id) };
  };

  return {
    list: async (projectId) => {
      const rows = await cloudProviderAccessRolesOf(catalog.reader, projectId);
      return await Promise.all(rows.map(async (row) => await viewOf(catalog.reader, row)));
    },

    get: async ({ projectId, roleId }) =>
      await viewOf(catalog.reader, await requireRole(catalog.reader, { projectId, roleId })),

    create: async ({ projectId, cloudProvider, azure }) => {
      const identity = identityAt(cloudProvider, ports.identities);
      if (cloudProvider === 'GCP' && identity === null) throw refuse('PROVIDER_UNSUPPORTED', [cloudProvider]);
      if (cloudProvider === 'AZURE' && azure === undefined) throw refuse('MISSING_ATTRIBUTE', ['servicePrincipalId']);
      const nowMs = clock.nowMs();
      const row: CloudProviderAccessRoleRow = {
        id: ids.next(),
        projectId,
        cloudProvider,
        externalId: cloudProvider === 'AWS' ? ports.credentialMint.externalId() : null,
        assumedRoleArn: null,
        ...azureColumns(azure),
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
        // Only AWS has a second step, in which the owner of the account names the role.
        authorizedAtMs: cloudProvider === 'AWS' ? null : nowMs,
        deletedAtMs: null,
      };
      return await catalog.transact(async (writer) => {
        await requireProject(writer, projectId);
        await insertCloudProviderAccessRole(writer, row);
        return await viewOf(writer, row);
      });
    },

    authorize: async ({ projectId, roleId, cloudProvider, assumedRoleArn, azure }) => {
      if (assumedRoleArn !== undefined && !ROLE_ARN.test(assumedRoleArn)) {
        const description = 'must be the ARN of an IAM role';
        const fields = [{ field: 'iamAssumedRoleArn', description }];
        throw refuse('VALIDATION_ERROR', [`iamAssumedRoleArn ${description}`], fields);
      }
      const nowMs = clock.nowMs();
      return await catalog.transact(async (writer) => {
        const row = await requireRole(writer, { projectId, roleId, cloudProvider });
        const changes = {
          ...(assumedRoleArn === undefined || cloudProvider !== 'AWS' ? {} : { assumedRoleArn, authorizedAtMs: nowMs }),
          ...(azure === undefined || cloudProvider !== 'AZURE' ? {} : azureColumns(azure)),
          updatedAtMs: nowMs,
        };
        await updateCloudProviderAccessRole(writer, roleId, changes);
        return await viewOf(writer, { ...row, ...changes });
      });
    },

    remove: async ({ projectId, roleId, cloudProvider }) => {
      await catalog.transact(async (writer) => {
        await requireRole(writer, { projectId, roleId, cloudProvider });
        const [bucket] = await bucketsUsingRole(writer, projectId, roleId);
        if (bucket !== undefined) throw refuse('CLOUD_PROVIDER_ACCESS_ROLE_IN_USE', [roleId, bucket.id]);
        await updateCloudProviderAccessRole(writer, roleId, { deletedAtMs: clock.nowMs() });
      });
    },
  };
}

function identityAt(cloudProvider: CloudProvider, identities: CloudIdentities): string | null {
  if (cloudProvider === 'AWS') return identities.awsPrincipalArn;
  return cloudProvider === 'GCP' ? identities.gcpServiceAccount : null;
}

function azureColumns(azure: AzureApplication | undefined) {
  return {
    azureAppId: azure?.appId ?? null,
    azureTenantId: azure?.tenantId ?? null,
    azureServicePrincipalId: azure?.servicePrincipalId ?? null,
  };
}

async function requireRole(
  reader: CatalogReader,
  query: { projectId: string; roleId: string; cloudProvider?: CloudProvider },
): Promise<CloudProviderAccessRoleRow> {
  const row = await findCloudProviderAccessRole(reader, query.projectId, query.roleId);
  const cloudProvider = query.cloudProvider ?? row?.cloudProvider;
  if (row === undefined || row.cloudProvider !== cloudProvider)
    throw refuse('CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND', [cloudProvider ?? 'cloud', query.roleId, query.projectId]);
  return row;
}
