import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { canonicalCidr } from './lib/cidr.ts';
import { Misconfigured } from './lib/errors.ts';
import { parseHostRule } from './lib/host-rules.ts';

/** What `tidemark serve` can be told: name, variable and default of each option. The command's help explains them. */
export interface ServiceConfig {
  /** Holds catalog, repository and secret key; see the functions below. */
  dataDir: string;
  /** Address to listen on. */
  host: string;
  /** Port to listen on; 0 takes any free one. */
  port: number;
  /**
   * How clients reach the service, for links in answers and behind a proxy; what they write into Host where left out.
   */
  publicUrl: string | undefined;
  logLevel: LogLevel;
  /** Tasks at once. Snapshots of one cluster never run side by side. */
  concurrency: number;
  /** Of the repository, where that is encrypted. Never an argument: those are seen by every user of the machine. */
  passphrase: string | undefined;
  /** Second places for snapshots: the region name that copy settings use, and its directory or URL. */
  copyStores: Readonly<Record<string, string>>;
  /** Where the repository is, as a directory or a URL; what `tidemark init` was told where left out. */
  repository: string | undefined;
  /** JSON file of endpoints and credentials for buckets that are not reached by each cloud's own defaults. */
  objectStores: string | undefined;
  /** Certificate and private key, PEM files, both or neither: with them the service answers https. */
  tlsCert: string | undefined;
  tlsKey: string | undefined;
  /**
   * Addresses and networks, with commas between, of proxies whose word about where a request came from is taken. Access
   * lists are held against that.
   */
  trustedProxies: readonly string[];
  /**
   * Hosts and networks, with commas between, where clusters may be; anywhere where left out. Link-local and metadata
   * addresses are never connected to.
   */
  clusterAllow: readonly string[];
  /** JSON file of identities as which this service may sign in to clusters, and where. */
  clusterIdentities: string | undefined;
  /**
   * As whom this service signs in at AWS and Google Cloud: shown where cloud provider access roles are set up, so that
   * the owner of a bucket knows whom to trust.
   */
  awsPrincipalArn: string | undefined;
  gcpServiceAccount: string | undefined;
  /**
   * What becomes of documents, indexes and options that Extended JSON has no text for, in exports and downloads: left
   * out and named, or the job fails.
   */
  jsonLoss: JsonLoss;
  /**
   * A restore job reads every blob before it touches its target, unless all were read and found sound within this time;
   * 0, where left out: always.
   */
  verifiedWithinMs: number;
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const jsonLosses = ['omit', 'fail'] as const;
export type JsonLoss = (typeof jsonLosses)[number];

/** The environment variable that stands in for each option. */
export const environmentNames = {
  dataDir: 'TIDEMARK_DATA_DIR',
  host: 'TIDEMARK_HOST',
  port: 'TIDEMARK_PORT',
  publicUrl: 'TIDEMARK_PUBLIC_URL',
  logLevel: 'TIDEMARK_LOG_LEVEL',
  concurrency: 'TIDEMARK_CONCURRENCY',
  passphrase: 'TIDEMARK_PASSPHRASE',
  copyStores: 'TIDEMARK_COPY_STORES',
  repository: 'TIDEMARK_REPOSITORY',
  objectStores: 'TIDEMARK_OBJECT_STORES',
  tlsCert: 'TIDEMARK_TLS_CERT',
  tlsKey: 'TIDEMARK_TLS_KEY',
  trustedProxies: 'TIDEMARK_TRUSTED_PROXIES',
  clusterAllow: 'TIDEMARK_CLUSTER_ALLOW',
  clusterIdentities: 'TIDEMARK_CLUSTER_IDENTITIES',
  awsPrincipalArn: 'TIDEMARK_AWS_PRINCIPAL_ARN',
  gcpServiceAccount: 'TIDEMARK_GCP_SERVICE_ACCOUNT',
  jsonLoss: 'TIDEMARK_JSON_LOSS',
  verifiedWithinMs: 'TIDEMARK_VERIFIED_WITHIN',
} as const satisfies Record<keyof ServiceConfig, string>;

/** Of the command line; what has none is said by the environment alone. */
const flagNames: Readonly<Record<string, string>> = {
  dataDir: '--data-dir',
  host: '--host',
  port: '--port',
  publicUrl: '--public-url',
  logLevel: '--log-level',
  passphrase: '--passphrase-file',
  copyStores: '--copy-store',
  repository: '--repository',
  objectStores: '--object-stores',
  tlsCert: '--tls-cert',
  tlsKey: '--tls-key',
  trustedProxies: '--trusted-proxy',
  clusterAllow: '--cluster-allow',
  clusterIdentities: '--cluster-identities',
  jsonLoss: '--json-loss',
  verifiedWithinMs: '--verified-within',
} satisfies { [K in keyof ServiceConfig]?: string };

/**
 * The name under which an option was given: that of the command line (`given` holds what stood there, under the names
 * of commander), else that of its variable; null where it was left out. A variable that commander filled in for its
 * option counts as the variable.
 */
export function givenName(
  option: string,
  env: Readonly<Record<string, string | undefined>>,
  given: Readonly<Record<string, unknown>> = {},
  flag: string | undefined = flagNames[option],
): string | null {
  const variable = Object.hasOwn(environmentNames, option)
    ? environmentNames[option as keyof ServiceConfig]
    : undefined;
  const fromEnv = variable === undefined ? undefined : env[variable];
  const stood = flag === undefined ? undefined : given[camelCase(flag)];
  if (flag !== undefined && stood !== undefined && stood !== fromEnv) return flag;
  return variable !== undefined && fromEnv !== undefined && fromEnv !== '' ? variable : null;
}

function camelCase(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export const configDefaults = {
  host: '127.0.0.1',
  port: 8080,
  logLevel: 'info',
  concurrency: 2,
} as const satisfies Partial<ServiceConfig>;

const CONCURRENCY_MAX = 64;

/**
 * Options as a command line or a test gives them win over the environment, and that over the defaults. Throws
 * Misconfigured, which names the option which cannot be used.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  given: { [K in keyof ServiceConfig]?: ServiceConfig[K] | undefined } = {},
): ServiceConfig {
  const fromEnv = (option: keyof ServiceConfig): string | undefined => {
    const value = env[environmentNames[option]];
    return value === '' ? undefined : value;
  };
  const dataDir = given.dataDir ?? fromEnv('dataDir');
  if (dataDir === undefined)
    throw unusable(
      'dataDir',
      'it is not said where the data directory is',
      'Give --data-dir, or set TIDEMARK_DATA_DIR',
    );
  return {
    dataDir: resolve(dataDir),
    host: given.host ?? fromEnv('host') ?? configDefaults.host,
    port: wholeNumber('port', given.port ?? fromEnv('port') ?? configDefaults.port, 0, 65_535),
    publicUrl: publicUrlOf(given.publicUrl ?? fromEnv('publicUrl')),
    logLevel: logLevelOf(given.logLevel ?? fromEnv('logLevel') ?? configDefaults.logLevel),
    concurrency: wholeNumber(
      'concurrency',
      given.concurrency ?? fromEnv('concurrency') ?? configDefaults.concurrency,
      1,
      CONCURRENCY_MAX,
    ),
    passphrase: given.passphrase ?? fromEnv('passphrase'),
    repository: given.repository ?? fromEnv('repository'),
    objectStores: given.objectStores ?? fromEnv('objectStores'),
    copyStores: given.copyStores ?? copyStoresOf((fromEnv('copyStores') ?? '').split(',')),
    ...tlsFilesOf(given.tlsCert ?? fromEnv('tlsCert'), given.tlsKey ?? fromEnv('tlsKey')),
    trustedProxies: networksOf('trustedProxies', given.trustedProxies ?? fromEnv('trustedProxies')?.split(',') ?? []),
    clusterAllow:
      given.clusterAllow === undefined ? hostsOf(fromEnv('clusterAllow')) : hostsOf(given.clusterAllow.join()),
    clusterIdentities: given.clusterIdentities ?? fromEnv('clusterIdentities'),
    awsPrincipalArn: given.awsPrincipalArn ?? fromEnv('awsPrincipalArn'),
    gcpServiceAccount: given.gcpServiceAccount ?? fromEnv('gcpServiceAccount'),
    jsonLoss: jsonLossOf(given.jsonLoss ?? fromEnv('jsonLoss')),
    verifiedWithinMs: given.verifiedWithinMs ?? verifiedWithinOf(fromEnv('verifiedWithinMs')),
  };
}

function wholeNumber(option: keyof ServiceConfig, value: number | string, least: number, most: number): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < least || number > most)
    throw unusable(option, `${value} is not a whole number from ${least} to ${most}`);
  return number;
}

/** Left out and named where nothing is said. */
export function jsonLossOf(given: string | undefined): JsonLoss {
  if (given === undefined || given === '') return 'omit';
  const found = jsonLosses.find((loss) => loss === given);
  if (found === undefined) throw unusable('jsonLoss', `${given} is none of ${jsonLosses.join(', ')}`);
  return found;
}

/** `36h` or `7d`, in milliseconds; 0 where nothing is said. */
export function verifiedWithinOf(given: string | undefined): number {
  if (given === undefined || given === '') return 0;
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(given) ?? [];
  if (count === undefined) throw unusable('verifiedWithinMs', `${given} is neither hours (36h) nor days (7d)`);
  return Number(count) * (unit === 'h' ? 3_600_000 : 86_400_000);
}

function tlsFilesOf(
  tlsCert: string | undefined,
  tlsKey: string | undefined,
): Pick<ServiceConfig, 'tlsCert' | 'tlsKey'> {
  if (tlsCert === undefined && tlsKey !== undefined)
    throw unusable(
      'tlsKey',
      'there is a key and no certificate',
      `Give --tls-cert, or set ${environmentNames.tlsCert}`,
    );
  if (tlsKey === undefined && tlsCert !== undefined)
    throw unusable('tlsCert', 'there is a certificate and no key', `Give --tls-key, or set ${environmentNames.tlsKey}`);
  return { tlsCert, tlsKey };
}

/** Of names, addresses and networks with commas between. */
export function hostsOf(given: string | undefined): string[] {
  const texts = (given ?? '').split(',').map((text) => text.trim());
  return texts
    .filter((text) => text !== '')
    .map((text) => {
      if (parseHostRule(text) === null) throw unusable('clusterAllow', `${text} is neither a host nor a network`);
      return text;
    });
}

function networksOf(option: keyof ServiceConfig, given: readonly string[]): string[] {
  return given
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => canonicalCidr(text) ?? unusableNetwork(option, text));
}

function unusableNetwork(option: keyof ServiceConfig, text: string): never {
  throw unusable(option, `${text} is neither an address nor a network`);
}

function logLevelOf(value: string): LogLevel {
  const level = logLevels.find((known) => known === value);
  if (level === undefined) throw unusable('logLevel', `${value} is none of ${logLevels.join(', ')}`);
  return level;
}

/** Without a slash at the end, so that paths can be put behind it. */
function publicUrlOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol))
    throw unusable('publicUrl', `${value} is not an http:// or https:// URL`);
  return value.replace(/\/+$/, '');
}

/**
 * Of `REGION=DIRECTORY` or `REGION=URL` each; empty ones are left out. A region is named as Atlas names its own:
 * `EU_WEST_1`, or any word like it.
 */
export function copyStoresOf(pairs: readonly string[]): Record<string, string> {
  const stores: Record<string, string> = {};
  for (const pair of pairs) {
    if (pair.trim() === '') continue;
    const [, region, directory] = /^\s*([A-Z][A-Z0-9_]{0,62})=(.+?)\s*$/.exec(pair) ?? [];
    if (region === undefined || directory === undefined)
      throw unusable('copyStores', `${pair} is not REGION=DIRECTORY or REGION=URL, with a region like EU_WEST_1`);
    const path = directory.includes('://') ? directory : resolve(directory);
    if (stores[region] !== undefined) throw unusable('copyStores', `${region} is named twice`);
    if (Object.values(stores).includes(path)) throw unusable('copyStores', `${path} is named twice`);
    stores[region] = path;
  }
  return stores;
}

/** Of the repository: as given, else as the data directory was made or rebuilt with, else inside it. */
export function repositoryPlaceOf(dataDir: string, given?: string | undefined): string {
  if (given !== undefined && given !== '') return given;
  try {
    return readFileSync(repositoryPlacePathOf(dataDir), 'utf8').trim();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return repositoryPathOf(dataDir);
  }
}

function unusable(option: keyof ServiceConfig, why: string, hint = 'Give a value that can be used'): Misconfigured {
  return new Misconfigured({ option, subject: option, message: why, hint });
}

/** What we know. A cache: `tidemark repository rebuild` makes it anew. */
export function catalogPathOf(dataDir: string): string {
  return join(dataDir, 'catalog.sqlite');
}

/** What is backed up, unless it is kept elsewhere. Everything that a restore needs. */
export function repositoryPathOf(dataDir: string): string {
  return join(dataDir, 'repository');
}

/** One line, the URL or path of a repository that is kept elsewhere; not there where it is not. */
export function repositoryPlacePathOf(dataDir: string): string {
  return join(dataDir, 'repository.place');
}

/** 32 random bytes, readable by the owner alone: they open the secrets in the catalog. */
export function secretKeyPathOf(dataDir: string): string {
  return join(dataDir, 'secret.key');
}

/** Room that is given up when the disk is full, so that the catalog can still write down what failed. */
export function reservePathOf(dataDir: string): string {
  return join(dataDir, 'reserve');
}

/** Held by the process that serves from the directory. */
export function lockPathOf(dataDir: string): string {
  return join(dataDir, 'serve.lock');
}
