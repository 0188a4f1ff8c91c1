import { asking, type Provocation } from './provocation.ts';

/**
 * Codes that need no preparation, whatever the operation: it names something that is not there, or exists to refuse.
 */
export const provocationsByCode: Readonly<Record<string, Provocation>> = {
  ...Object.fromEntries(
    [
      'API_KEY_NOT_FOUND',
      'BACKUP_COMPLIANCE_POLICY_NOT_FOUND',
      'CANNOT_USE_CLUSTER_IN_SERVERLESS_INSTANCE_API',
      'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API',
      'CHECKPOINT_NOT_FOUND',
      'CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND',
      'COLLECTION_RESTORE_JOB_NOT_FOUND',
      'EXPORT_BUCKET_NOT_FOUND',
      'EXPORT_JOB_NOT_FOUND',
      'FEATURE_UNSUPPORTED',
      'PRIVATE_ENDPOINT_NOT_FOUND',
      'RESTORE_JOB_NOT_FOUND',
      'SERVICE_ACCOUNT_NOT_FOUND',
      'SNAPSHOT_NOT_FOUND',
    ].map((code) => [code, asking()]),
  ),
  SERVERLESS_INSTANCE_NOT_FOUND: asking({ params: { clusterName: 'elsewhere' } }),
};
