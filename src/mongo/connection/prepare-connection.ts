import type { MongoClientOptions } from 'mongodb';
import type { ConnectionString } from 'mongodb-connection-string-url';
import { Misconfigured } from '../../lib/errors.ts';
import type { HostRule } from '../../lib/host-rules.ts';
import type { ClusterIdentity } from './cluster-identities.ts';
import { type ConnectionParts, type GivenTls, takeApart, whyRefused } from './connection-string.ts';
import { guardSockets, type SocketGuard } from './guarded-sockets.ts';

/** A connection string ready for the driver. */
export interface PreparedConnection {
  uri: string;
  tls: MongoClientOptions;
  guard: SocketGuard;
  /** The hosts are named by DNS. */
  isSrv: boolean;
}

/**
 * Whoever gave a string, what becomes of it in the driver is the table's decision: it was kept by another version,
 * perhaps.
 */
export function prepareConnection(
  kept: string,
  policy: { allow?: readonly HostRule[] | undefined; identities?: ReadonlyMap<string, ClusterIdentity> | undefined },
): PreparedConnection {
  const { parsed, parts } = takeApart(kept);
  const why = whyRefused(parsed.toString(), 'operator');
  if (why !== null) throw unusable(why, 'docs/connection-strings.md says what it may hold');
  const identity = identityOf(parts, policy.identities);
  if (identity !== null) applyIdentity(parsed, identity);
  const lists = [policy.allow, identity?.hosts].filter((list) => list !== undefined);
  const socketPaths = parsed.hosts.map((host) => decodeURIComponent(host)).filter((host) => host.endsWith('.sock'));
  return {
    uri: parsed.toString(),
    tls: tlsOptions(parts),
    guard: guardSockets({ allow: lists, socketPaths }),
    isSrv: parsed.isSRV,
  };
}

function identityOf(
  { identity: name }: ConnectionParts,
  identities: ReadonlyMap<string, ClusterIdentity> | undefined,
): ClusterIdentity | null {
  if (name === undefined) return null;
  const identity = identities?.get(name);
  if (identity !== undefined) return identity;
  throw unusable(
    `the identity ${name} is not in the file of identities`,
    'Start with --cluster-identities FILE (or TIDEMARK_CLUSTER_IDENTITIES), which has it',
  );
}

function applyIdentity(parsed: ConnectionString, { options, username, password }: ClusterIdentity): void {
  for (const [option, value] of Object.entries(options)) {
    if (option.toLowerCase() === 'tls') parsed.searchParams.delete('ssl');
    if (option.toLowerCase() === 'ssl') parsed.searchParams.delete('tls');
    parsed.searchParams.set(option, value);
  }
  if (username !== undefined) parsed.username = encodeURIComponent(username);
  if (password !== undefined) parsed.password = encodeURIComponent(password);
}

function tlsOptions({ ca, certificateKey, certificateKeyPassword }: GivenTls): MongoClientOptions {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificateKey === undefined ? {} : { cert: certificateKey, key: certificateKey }),
    ...(certificateKeyPassword === undefined ? {} : { passphrase: certificateKeyPassword }),
  };
}

function unusable(why: string, hint: string): Misconfigured {
  return new Misconfigured({
    op: 'connect',
    subject: 'the connection string',
    message: `the connection string cannot be used: ${why}`,
    hint,
  });
}
