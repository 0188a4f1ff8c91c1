import { readdir } from 'node:fs/promises';
import { type Clock, systemClock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { type Random, systemRandom } from '../lib/random.ts';
import type { AzureCredentials } from './azure.ts';
import type { GcsPlace } from './gcs.ts';
import type { ObjectStore } from './object-store.ts';
import type { CallPolicy } from './remote-calls.ts';
import type { RemoteStore } from './remote-store.ts';
import type { S3Credentials } from './s3.ts';
import { type Provider, readStoreRules, ruleFor, type StoreRule } from './store-rules.ts';
import { parseStoreUrl } from './store-url.ts';

/** How this process gets at object stores: the operator's rules, then each cloud's own environment. */
export interface StoreAccess {
  rules: readonly StoreRule[];
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  random: Random;
  /** How patient calls over the network are, where not as usual. */
  policy?: Partial<CallPolicy>;
}

/** `objectStoresFile` is what `--object-stores` names. */
export async function storeAccess(options: {
  objectStoresFile?: string | undefined;
  env: StoreAccess['env'];
  clock?: Clock;
  random?: Random;
}): Promise<StoreAccess> {
  const { objectStoresFile, env, clock = systemClock, random = systemRandom } = options;
  const rules =
    objectStoresFile === undefined || objectStoresFile === '' ? [] : await readStoreRules(objectStoresFile, env);
  return { rules, env, clock, random };
}

/** What only a repository has, or what is left of one. */
const SIGNS = ['repository.json', 'repository.copy.json', 'manifests', 'blobs'];

/** A place that is only read is not made: it may be mistyped, or its file system not mounted. */
async function requireRepositoryIn(path: string): Promise<void> {
  const names = await readdir(path).catch(() => [] as string[]);
  if (names.some((name) => SIGNS.includes(name))) return;
  throw new Fault({
    op: 'open repository',
    subject: path,
    message: `there is no repository in directory ${path}`,
    hint: 'Check the place, and that its file system is mounted. Where it was moved, `tidemark repository move PLACE` says where it is now; `tidemark init` makes a new one',
  });
}

/**
 * The store of a repository. The clients are loaded only where they are used: they are most of what this service would
 * load.
 */
export async function openStoreAt(
  url: string,
  access: StoreAccess,
  option: 'repository' | 'copyStores' = 'repository',
  { existing = false }: { existing?: boolean } = {},
): Promise<ObjectStore> {
  const { clock, random, env, policy = {} } = access;
  const place = parseStoreUrl(url, option);
  switch (place.kind) {
    case 'directory': {
      if (existing) await requireRepositoryIn(place.path);
      const { DirectoryStore } = await import('./directory.ts');
      return await DirectoryStore.open(place.path, { random, option });
    }
    case 's3': {
      const rule = ruleFor(access.rules, { provider: 'AWS', bucket: place.bucket });
      const { openS3Store } = await import('./s3.ts');
      const { kind: _, ...given } = place;
      const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
      const from = { region: rule?.region ?? region, endpoint: rule?.endpoint, pathStyle: rule?.pathStyle };
      return openS3Store({ ...from, ...given, credentials: s3Credentials(rule) }, { clock, random, policy });
    }
    case 'azure': {
      const { account, container } = place;
      const rule = ruleFor(access.rules, { provider: 'AZURE', account, bucket: container });
      const { openAzureStore } = await import('./azure.ts');
      const { kind: _, ...given } = place;
      const credentials = azureCredentials(rule) ?? azureCredentialsIn(env, account);
      return openAzureStore({ endpoint: rule?.endpoint, ...given, credentials }, { clock, random, policy });
    }
    case 'gcs': {
      const rule = ruleFor(access.rules, { provider: 'GCP', bucket: place.bucket });
      const { openGcsStore } = await import('./gcs.ts');
      const { kind: _, ...given } = place;
      return openGcsStore(
        { endpoint: rule?.endpoint, ...given, credentials: gcsCredentials(rule) },
        { clock, random, policy },
      );
    }
  }
}

/** An export bucket and the cloud provider access role that it is used under, as the catalog has them. */
export interface BucketFacts {
  provider: Provider;
  bucketName: string;
  /** Azure. */
  serviceUrl: string | null;
  role: {
    id: string;
    assumedRoleArn: string | null;
    externalId: string | null;
    azureAppId: string | null;
    azureTenantId: string | null;
  };
}

/** The store of an export bucket, taking any key, from the root of the bucket. */
export async function openBucketStore(
  facts: BucketFacts,
  access: StoreAccess,
  policy: Partial<CallPolicy> = {},
): Promise<RemoteStore> {
  const { clock, random } = access;
  const { bucketName, role } = facts;
  const options = { objectKeys: 'any' as const, clock, random, policy };
  const names = [role.id, role.assumedRoleArn, role.azureAppId].filter((name) => name !== null);
  const account = facts.serviceUrl === null ? '' : accountOf(facts.serviceUrl);
  const rule = ruleFor(access.rules, { provider: facts.provider, bucket: bucketName, account, roles: names });
  switch (facts.provider) {
    case 'AWS': {
      const { openS3Store } = await import('./s3.ts');
      const { endpoint, pathStyle, region = access.env.AWS_REGION ?? access.env.AWS_DEFAULT_REGION } = rule ?? {};
      const assumeRole = assumedRole(role, rule);
      const place = { bucket: bucketName, prefix: '', endpoint, pathStyle, region, assumeRole };
      return openS3Store({ ...place, credentials: s3Credentials(rule) }, options);
    }
    case 'AZURE': {
      const { openAzureStore } = await import('./azure.ts');
      const endpoint = rule?.endpoint ?? (facts.serviceUrl === null ? undefined : new URL(facts.serviceUrl).origin);
      const place = { account, container: bucketName, prefix: '', endpoint };
      return openAzureStore({ ...place, credentials: azureCredentials(rule) }, options);
    }
    case 'GCP': {
      const { openGcsStore } = await import('./gcs.ts');
      const place = { bucket: bucketName, prefix: '', endpoint: rule?.endpoint };
      return openGcsStore({ ...place, credentials: gcsCredentials(rule) }, options);
    }
  }
}

/** Servers other than AWS have no STS as a rule: there the credentials of the operator's file are used as they are. */
function assumedRole(role: BucketFacts['role'], rule: StoreRule | undefined) {
  const wanted = rule?.assumeRole ?? (rule?.endpoint === undefined || rule.stsEndpoint !== undefined);
  if (!wanted || role.assumedRoleArn === null) return undefined;
  return {
    roleArn: role.assumedRoleArn,
    externalId: role.externalId ?? undefined,
    stsEndpoint: rule?.stsEndpoint,
  };
}

function s3Credentials(rule: StoreRule | undefined): S3Credentials | undefined {
  if (rule?.accessKeyId === undefined || rule.secretAccessKey === undefined) return undefined;
  const { accessKeyId, secretAccessKey, sessionToken } = rule;
  return { accessKeyId, secretAccessKey, sessionToken };
}

function azureCredentials(rule: StoreRule | undefined): AzureCredentials | undefined {
  if (rule === undefined) return undefined;
  const { accountKey, sasToken, tenantId, clientId, clientSecret } = rule;
  if (accountKey !== undefined) return { accountKey };
  if (sasToken !== undefined) return { sasToken };
  if (tenantId === undefined || clientId === undefined || clientSecret === undefined) return undefined;
  return { tenantId, clientId, clientSecret };
}

/** The variables that Azure's own tools read for storage; all else of the environment is the default chain's. */
function azureCredentialsIn(env: StoreAccess['env'], account: string): AzureCredentials | undefined {
  if (env.AZURE_STORAGE_ACCOUNT !== undefined && env.AZURE_STORAGE_ACCOUNT !== account) return undefined;
  if (env.AZURE_STORAGE_KEY !== undefined) return { accountKey: env.AZURE_STORAGE_KEY };
  if (env.AZURE_STORAGE_SAS_TOKEN !== undefined) return { sasToken: env.AZURE_STORAGE_SAS_TOKEN };
  return undefined;
}

function gcsCredentials(rule: StoreRule | undefined): GcsPlace['credentials'] {
  if (rule?.anonymous === true) return 'anonymous';
  return rule?.keyFile === undefined ? undefined : { keyFile: rule.keyFile };
}

function accountOf(serviceUrl: string): string {
  return new URL(serviceUrl).host.split('.')[0] ?? '';
}
