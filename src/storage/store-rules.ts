import { readFile } from 'node:fs/promises';
import { Misconfigured, messageOf } from '../lib/errors.ts';
import { requireSecret } from '../lib/private-files.ts';
import { readSecretList } from '../lib/secret-list.ts';

/**
 * What the operator's file of object stores (`--object-stores`) says: how to reach buckets that are not the cloud's
 * own, and with which credentials. The first rule that matches counts. Documented in docs/operations.md.
 */
export interface StoreRule {
  provider: Provider;
  /** Of the bucket or container; `*` stands for any characters. Any where left out. */
  bucket?: string;
  /** Azure: of the storage account. */
  account?: string;
  /**
   * For export buckets under that cloud provider access role only: its id, the ARN to assume, or the application's id.
   */
  role?: string;
  endpoint?: string;
  region?: string;
  pathStyle?: boolean;
  accessKeyId?: string;
  secretAccessKey?: string;
  sessionToken?: string;
  /**
   * Whether an export bucket's role is assumed by STS: yes where left out, unless there is an endpoint and no
   * stsEndpoint.
   */
  assumeRole?: boolean;
  stsEndpoint?: string;
  accountKey?: string;
  sasToken?: string;
  tenantId?: string;
  clientId?: string;
  clientSecret?: string;
  keyFile?: string;
  anonymous?: boolean;
}

export type Provider = 'AWS' | 'AZURE' | 'GCP';

const matching = ['bucket', 'account', 'role'] as const;
const texts = {
  AWS: ['endpoint', 'region', 'accessKeyId', 'secretAccessKey', 'sessionToken', 'stsEndpoint'],
  AZURE: ['endpoint', 'accountKey', 'sasToken', 'tenantId', 'clientId', 'clientSecret'],
  GCP: ['endpoint', 'keyFile'],
} as const;
const flags = { AWS: ['pathStyle', 'assumeRole'], AZURE: [], GCP: ['anonymous'] } as const;
/** Fields that have to be there together. */
const together: readonly (readonly (keyof StoreRule)[])[] = [
  ['accessKeyId', 'secretAccessKey'],
  ['tenantId', 'clientId', 'clientSecret'],
];

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Every rule of the file, with its secrets read from where it says. Throws Misconfigured, which names the rule and the
 * field which cannot be used, and never a secret.
 */
export async function readStoreRules(path: string, env: Env): Promise<StoreRule[]> {
  const rules = await readSecretList(path, 'objectStores', unusable);
  return await Promise.all(rules.map(async (rule, index) => await ruleOf(rule, `${path}, rule ${index + 1}`, env)));
}

async function ruleOf(given: unknown, where: string, env: Env): Promise<StoreRule> {
  if (!isRecord(given)) throw unusable(where, 'a rule is an object');
  const provider = (['AWS', 'AZURE', 'GCP'] as const).find((each) => each === given.provider);
  if (provider === undefined) throw unusable(where, 'its "provider" is AWS, AZURE or GCP');
  const rule: Record<string, unknown> = { provider };
  for (const [field, value] of Object.entries(given)) {
    if (field === 'provider') continue;
    const asText = [...matching, ...texts[provider]].some((each) => each === field);
    const asFlag = flags[provider].some((each) => each === field);
    if (!asText && !asFlag) throw unusable(where, `a rule for ${provider} takes no "${field}"`);
    if (asFlag && typeof value !== 'boolean') throw unusable(where, `its "${field}" is true or false`);
    rule[field] = asFlag ? value : await textOf(value, `${where}, "${field}"`, env);
  }
  for (const fields of together) {
    const there = fields.filter((field) => rule[field] !== undefined);
    if (there.length > 0 && there.length < fields.length) throw unusable(where, `${fields.join(', ')} go together`);
  }
  return rule as unknown as StoreRule;
}

/** A string, or `{"file": path}` or `{"env": name}` that holds it. */
async function textOf(value: unknown, where: string, env: Env): Promise<string> {
  if (typeof value === 'string' && value !== '') return value;
  if (isRecord(value) && typeof value.file === 'string') {
    await requireSecret(value.file);
    const text = await readFile(value.file, 'utf8').catch((cause: unknown) => {
      throw unusable(where, messageOf(cause));
    });
    return text.trim();
  }
  if (isRecord(value) && typeof value.env === 'string') {
    const found = env[value.env];
    if (found === undefined || found === '') throw unusable(where, `${value.env} is not set`);
    return found;
  }
  throw unusable(where, 'it is a string, {"file": "…"} or {"env": "…"}');
}

/** The bucket that is asked for. `roles` are the names that a rule may call its role by; none for a repository. */
export interface WantedBucket {
  provider: Provider;
  bucket: string;
  account?: string;
  roles?: readonly string[];
}

export function ruleFor(rules: readonly StoreRule[], wanted: WantedBucket): StoreRule | undefined {
  return rules.find(
    (rule) =>
      rule.provider === wanted.provider &&
      (rule.bucket === undefined || matches(rule.bucket, wanted.bucket)) &&
      (rule.account === undefined || matches(rule.account, wanted.account ?? '')) &&
      (rule.role === undefined || (wanted.roles ?? []).includes(rule.role)),
  );
}

function matches(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(where: string, why: string): Misconfigured {
  return new Misconfigured({
    option: 'objectStores',
    subject: where,
    message: `the file of object stores ${where} cannot be used: ${why}`,
    hint: 'docs/operations.md, Object stores, shows what it holds',
  });
}
