import { ConnectionString } from 'mongodb-connection-string-url';
import { Misconfigured, messageOf } from '../../lib/errors.ts';
import { type Giver, mechanismRules, ruleOf } from './connection-options.ts';

/** Certificates in PEM form that came with a connection string instead of files that it names. */
export interface GivenTls {
  /** Authorities that the servers' certificates are held against, instead of those that Node knows. */
  ca?: string | undefined;
  /** The client's certificate and its private key. */
  certificateKey?: string | undefined;
  certificateKeyPassword?: string | undefined;
}

/** What stands beside a connection string and is kept in it, so that both go wherever it goes. */
export interface ConnectionParts extends GivenTls {
  /** Name of an identity of the operator's file. */
  identity?: string | undefined;
}

/**
 * The names under which the parts stand in the string that is kept. The driver never sees them; nobody can give them.
 */
const PART_NAMES = {
  identity: 'tidemarkIdentity',
  ca: 'tidemarkCa',
  certificateKey: 'tidemarkCertificateKey',
  certificateKeyPassword: 'tidemarkCertificateKeyPassword',
} as const satisfies Record<keyof ConnectionParts, string>;

/** Options that say nothing but where the cluster is: what is shown in messages. */
const SHOWN = new Set(['replicaset', 'directconnection', 'tls', 'ssl', 'authsource', 'authmechanism']);

/**
 * A host as a server or a person writes it, with nothing around it that could be read as something else. No path of a
 * socket.
 */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?\.?)(:\d{1,5})?$/i;

export function parseUri(uri: string): ConnectionString {
  try {
    return new ConnectionString(uri);
  } catch (error) {
    throw new Misconfigured({
      op: 'connect',
      subject: 'the connection string',
      message: `the connection string cannot be read: ${messageOf(error)}`,
      hint: 'It starts with mongodb:// or mongodb+srv://; special characters in user names and passwords are percent-encoded',
    });
  }
}

/** The uri without its secrets and without the files that it names, for messages and logs. */
export function redactUri(uri: string): string {
  try {
    const parsed = new ConnectionString(uri).redact();
    for (const option of [...parsed.searchParams.keys()]) {
      if (!SHOWN.has(option.toLowerCase())) parsed.searchParams.delete(option);
    }
    return parsed.toString();
  } catch {
    return '(a connection string that cannot be read)';
  }
}

/** The one member that the uri asks to be talked to directly, or null where it means the whole set. */
export function directHost(uri: string): string | null {
  const parsed = parseUri(uri);
  return parsed.searchParams.get('directConnection') === 'true' ? (parsed.hosts[0] ?? null) : null;
}

/** Whether a host that a server names may stand in a connection string: an address or a name, and a port. */
export function isPlainHost(host: string): boolean {
  return HOST.test(host);
}

/**
 * Why the string may not be used as whoever gave it gave it, in words that go behind "it cannot be used:"; null where
 * it may. Nothing is looked up and no file is read.
 */
export function whyRefused(uri: string, giver: Giver, parts: ConnectionParts = {}): string | null {
  let parsed: ConnectionString;
  try {
    parsed = new ConnectionString(uri);
  } catch (error) {
    return messageOf(error);
  }
  const options = [...parsed.searchParams.keys()];
  for (const option of options) {
    const why = optionRefusal(option, giver);
    if (why !== null) return why;
  }
  if (giver === 'operator') return null;
  const twice = options.find((option, index) => options.findIndex((other) => sameName(other, option)) !== index);
  if (twice !== undefined && ruleOf(twice)?.overHttp === 'taken') return `it says ${twice} more than once`;
  const host = parsed.hosts.find((each) => !isPlainHost(each));
  if (host !== undefined) return 'a host is neither an address nor a name';
  const certificates = parts.ca !== undefined || parts.certificateKey !== undefined;
  if (certificates && parts.identity === undefined && !usesTls(parsed))
    return 'the certificates of the request are of no use without tls=true';
  return mechanismRefusal(parsed, parts);
}

function optionRefusal(option: string, giver: Giver): string | null {
  const rule = ruleOf(option);
  if (rule === undefined) return `${JSON.stringify(option)} is no option of a connection string`;
  if (giver === 'operator') return rule.onCommandLine === 'refused' ? `it says ${option}: ${rule.why}` : null;
  return rule.overHttp === 'refused' ? `${option} is not taken by the API: ${rule.why}` : null;
}

function mechanismRefusal(parsed: ConnectionString, parts: ConnectionParts): string | null {
  const mechanism = parsed.searchParams.get('authMechanism');
  if (mechanism === null) return null;
  // The driver takes any part of a mechanism's name, as AWS for MONGODB-AWS: here it is the whole name or none.
  const rule = Object.hasOwn(mechanismRules, mechanism) ? mechanismRules[mechanism] : undefined;
  switch (rule?.overHttp) {
    case 'taken':
      return null;
    case 'over TLS':
      return usesTls(parsed) ? null : `${mechanism} sends the password as it is, which needs tls=true`;
    case 'with a certificate':
      if (parts.certificateKey === undefined) return `${mechanism} needs the certificate in the request`;
      return usesTls(parsed) ? null : `${mechanism} needs tls=true`;
    default:
      return `the mechanism ${JSON.stringify(mechanism)} is not taken by the API: use SCRAM-SHA-256, SCRAM-SHA-1, or PLAIN over TLS; what signs in as this machine is an identity of --cluster-identities`;
  }
}

/** Whether the connections are encrypted: SRV names are by default. */
function usesTls({ searchParams, isSRV }: ConnectionString): boolean {
  const given = searchParams.get('tls') ?? searchParams.get('ssl');
  return given === null ? isSRV : given === 'true';
}

/** Options of the string that Tidemark sets itself, as they are written there. */
export function overriddenOptions(uri: string): string[] {
  const names = [...parseUri(uri).searchParams.keys()].filter((name) => ruleOf(name)?.onCommandLine === 'overridden');
  return [...new Set(names)];
}

/** The string that is kept: with the parts in it. */
export function withParts(uri: string, parts: ConnectionParts): string {
  const given = Object.entries(parts).filter(
    (entry): entry is [keyof ConnectionParts, string] => entry[1] !== undefined,
  );
  if (given.length === 0) return uri;
  const parsed = parseUri(uri);
  for (const [part, value] of given) parsed.searchParams.set(PART_NAMES[part], value);
  return parsed.toString();
}

/**
 * The string that was kept as the driver is to have it, without what is ours and without what we set ourselves; and the
 * parts.
 */
export function takeApart(uri: string): { parsed: ConnectionString; parts: ConnectionParts } {
  const parsed = parseUri(uri);
  const parts: ConnectionParts = {};
  for (const part of Object.keys(PART_NAMES) as (keyof ConnectionParts)[]) {
    const value = parsed.searchParams.get(PART_NAMES[part]);
    if (value !== null) parts[part] = value;
    parsed.searchParams.delete(PART_NAMES[part]);
  }
  for (const option of [...parsed.searchParams.keys()]) {
    if (ruleOf(option)?.onCommandLine === 'overridden') parsed.searchParams.delete(option);
  }
  return { parsed, parts };
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
