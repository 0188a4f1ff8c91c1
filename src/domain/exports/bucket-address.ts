import { refuse } from '../refusals/refusals.ts';
import type { ExportBucketRequest } from './export-buckets.ts';

/**
 * Which bucket a request means, by the rules of its provider. Pure: whether the bucket is there and lets us in is not
 * asked here.
 */
export interface BucketAddress {
  bucketName: string;
  roleId: string;
  serviceUrl: string | null;
}

const nameRules = {
  AWS: {
    pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    text: 'S3 takes 3 to 63 lower-case letters, digits, dots and hyphens, the first and last a letter or digit',
  },
  AZURE: {
    pattern: /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
    text: 'a container takes 3 to 63 lower-case letters, digits and single hyphens, the first and last a letter or digit',
  },
  GCP: {
    pattern: /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/,
    text: 'Cloud Storage takes 3 to 63 lower-case letters, digits, dots, hyphens and underscores, the first and last a letter or digit',
  },
} as const;

const azureHost = /^[a-z0-9]{3,24}\.blob\.core\.windows\.net$/;

export function bucketAddress(request: ExportBucketRequest): BucketAddress {
  const address = request.cloudProvider === 'AZURE' ? azureAddress(request) : plainAddress(request);
  const rule = nameRules[request.cloudProvider];
  if (!rule.pattern.test(address.bucketName) || address.bucketName.includes('..'))
    throw refuse('EXPORT_BUCKET_NAME_INVALID', [address.bucketName, rule.text]);
  return address;
}

function plainAddress({ cloudProvider, bucketName, iamRoleId, roleId }: ExportBucketRequest): BucketAddress {
  return {
    bucketName: required(bucketName, 'bucketName'),
    roleId: cloudProvider === 'AWS' ? required(iamRoleId, 'iamRoleId') : required(roleId, 'roleId'),
    serviceUrl: null,
  };
}

/** The container may stand in the URL: then it is the bucket's name, and a name beside it has to be the same. */
function azureAddress(request: ExportBucketRequest): BucketAddress {
  const roleId = required(request.roleId, 'roleId');
  const serviceUrl = required(request.serviceUrl, 'serviceUrl');
  const url = URL.canParse(serviceUrl) ? new URL(serviceUrl) : null;
  if (url === null || url.protocol !== 'https:' || !azureHost.test(url.host) || url.search !== '' || url.hash !== '')
    throw invalidUrl('must be https://<account>.blob.core.windows.net, with or without a container');
  const [container, ...deeper] = url.pathname.split('/').filter((part) => part !== '');
  if (deeper.length > 0) throw invalidUrl('must name no more than a container after the host');
  if (container !== undefined && request.bucketName !== undefined && request.bucketName !== container)
    throw invalidUrl('names another container than bucketName');
  return { roleId, serviceUrl, bucketName: container ?? required(request.bucketName, 'bucketName') };
}

function invalidUrl(description: string) {
  return refuse('VALIDATION_ERROR', [`serviceUrl ${description}`], [{ field: 'serviceUrl', description }]);
}

function required(value: string | undefined, attribute: string): string {
  if (value === undefined || value === '') throw refuse('MISSING_ATTRIBUTE', [attribute]);
  return value;
}
