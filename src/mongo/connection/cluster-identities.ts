import { readFile } from 'node:fs/promises';
import { Misconfigured, messageOf } from '../../lib/errors.ts';
import { type HostRule, parseHostRule } from '../../lib/host-rules.ts';
import { readSecretList } from '../../lib/secret-list.ts';
import { ruleOf } from './connection-options.ts';

/**
 * What the operator's file of identities (`--cluster-identities`) says: as whom this machine may sign in, and where.
 * Whoever registers a cluster names one; its hosts are the only ones that ever see it. Documented in
 * docs/operations.md.
 */
export interface ClusterIdentity {
  name: string;
  hosts: readonly HostRule[];
  /** Projects whose clusters may use it; all where left out. */
  projects?: readonly string[] | undefined;
  /**
   * Options of a connection string, any that the command line takes. They stand in the place of those of the string.
   */
  options: Readonly<Record<string, string>>;
  username?: string | undefined;
  password?: string | undefined;
}

const FIELDS = new Set(['name', 'hosts', 'projects', 'options', 'username', 'password']);
const FILES = ['tlsCAFile', 'tlsCRLFile', 'tlsCertificateKeyFile'];

/**
 * Every identity of the file, by name. Throws Misconfigured, which names the identity and what about it cannot be used,
 * and never a secret.
 */
export async function readClusterIdentities(path: string): Promise<ReadonlyMap<string, ClusterIdentity>> {
  const given = await readSecretList(path, 'clusterIdentities', unusable);
  const identities = new Map<string, ClusterIdentity>();
  for (const [index, each] of given.entries()) {
    const identity = identityOf(each, `${path}, identity ${index + 1}`);
    if (identities.has(identity.name)) throw unusable(path, `${identity.name} is named twice`);
    await requireFiles(identity, path);
    identities.set(identity.name, identity);
  }
  return identities;
}

function identityOf(given: unknown, where: string): ClusterIdentity {
  if (!isRecord(given)) throw unusable(where, 'an identity is an object');
  const foreign = Object.keys(given).find((field) => !FIELDS.has(field));
  if (foreign !== undefined) throw unusable(where, `an identity takes no "${foreign}"`);
  const { name, options = {}, projects, username, password } = given;
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw unusable(where, 'its "name" is 1 to 64 letters, digits, dots, hyphens and underscores');
  if (projects !== undefined && !isTexts(projects)) throw unusable(where, 'its "projects" is a list of project ids');
  if (username !== undefined && typeof username !== 'string') throw unusable(where, 'its "username" is a string');
  if (password !== undefined && typeof password !== 'string') throw unusable(where, 'its "password" is a string');
  return { name, hosts: hostsOf(given.hosts, where), projects, options: optionsOf(options, where), username, password };
}

function hostsOf(given: unknown, where: string): HostRule[] {
  if (!isTexts(given) || given.length === 0)
    throw unusable(where, 'its "hosts" is a list of names, addresses and networks: only those ever see the identity');
  return given.map((text) => {
    const rule = parseHostRule(text);
    if (rule === null) throw unusable(where, `its host ${text} is neither a name, an address nor a network`);
    return rule;
  });
}

function optionsOf(given: unknown, where: string): Record<string, string> {
  if (!isRecord(given)) throw unusable(where, 'its "options" is an object');
  for (const [option, value] of Object.entries(given)) {
    if (ruleOf(option)?.onCommandLine !== 'taken') throw unusable(where, `its options take no "${option}"`);
    if (typeof value !== 'string') throw unusable(where, `its option "${option}" is a string`);
  }
  return given as Record<string, string>;
}

/** Told at the start, to the operator, rather than to whoever registers a cluster. */
async function requireFiles({ name, options }: ClusterIdentity, path: string): Promise<void> {
  for (const option of FILES) {
    const file = options[option];
    if (file === undefined) continue;
    await readFile(file).catch((cause: unknown) => {
      throw unusable(path, `the ${option} of ${name} cannot be read: ${messageOf(cause)}`);
    });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function unusable(where: string, why: string): Misconfigured {
  return new Misconfigured({
    option: 'clusterIdentities',
    subject: where,
    message: `the file of cluster identities cannot be used (${where}): ${why}`,
    hint: 'docs/operations.md shows what stands in it',
  });
}
