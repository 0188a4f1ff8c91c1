import { isAbort, throwIfAborted } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { describeError, Fault } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { connectCluster, connectMember, directHost, redactUri } from '../mongo/connection/connect.ts';
import { asFault, isMemberLost } from '../mongo/errors.ts';
import { SourceMember } from '../mongo/source-member.ts';
import { type ClusterFacts, orderCatalogMembers, orderSourceMembers, readClusterFacts } from '../mongo/topology.ts';

export interface SourceOptions {
  /** Connection string of the source. */
  uri: string;
  /** What it has just said of itself: the first attempt then does not ask. */
  found?: ClusterFacts | undefined;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  /**
   * Members that may be lost in a row before it is given up; work that gets on starts the count anew by calling
   * `gotOn`.
   */
  lossesMax: number;
  /** What is being done, for messages. */
  op: string;
  /** Whether the work lists collections and indexes, and so needs a member that knows them. */
  listsCatalog: boolean;
}

const RETRY_PAUSE_MS = 500;
const RETRY_PAUSE_MS_MAX = 5_000;
const MEMBER_TIMEOUT_MS = 5_000;

/** What work on a member came to, and where. */
export interface OnMember<T> {
  result: T;
  facts: ClusterFacts;
  host: string;
}

/**
 * Runs work on the best member there is, and again on another one when that is lost. Work that was begun has to be able
 * to go on elsewhere: what it has read is majority-committed and true of every member, cursors and record ids are not.
 */
export async function onSomeMember<T>(
  options: SourceOptions,
  work: (member: SourceMember, facts: ClusterFacts, gotOn: () => void) => Promise<T>,
): Promise<OnMember<T>> {
  const { uri, signal, clock, log, listsCatalog } = options;
  assert(options.lossesMax >= 0, 'losses are counted');
  const lost = new Map<string, number>();
  let losses = 0;
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(signal);
    let host = redactUri(uri);
    let catalogHost = host;
    try {
      const cluster = await connectCluster(uri, { signal });
      try {
        const known = attempt === 0 ? options.found : undefined;
        const facts = known ?? (await readClusterFacts(cluster, host));
        const { member, close } = await attachMember({ cluster, facts, uri, lost, listsCatalog, signal });
        host = member.host;
        catalogHost = member.catalog.host;
        try {
          const gotOn = () => {
            losses = 0;
          };
          return { result: await work(member, facts, gotOn), facts, host };
        } finally {
          await close();
        }
      } finally {
        await cluster.close();
      }
    } catch (error) {
      if (isAbort(error) || signal.aborted) throw error;
      const again = isMemberLost(error) || (error instanceof Fault && error.retryable);
      if (!again || losses >= options.lossesMax) throw asFault(error, options.op, host);
      // Which of the two it was nobody can tell.
      for (const one of [host, catalogHost]) lost.set(one, attempt);
      losses++;
      log.warn({ host, reason: describeError(error), losses }, 'the source member was lost; going on with another');
      await clock.sleep(Math.min(RETRY_PAUSE_MS * losses, RETRY_PAUSE_MS_MAX), signal);
    }
  }
}

/** A member with its connections. */
interface AttachedMember {
  member: SourceMember;
  close: () => Promise<void>;
}

/** Where members are looked for. */
interface Members {
  cluster: Parameters<typeof connectMember>[0];
  facts: ClusterFacts;
  uri: string;
  /** Those lost before come last. */
  lost: ReadonlyMap<string, number>;
  listsCatalog: boolean;
  signal: AbortSignal;
}

/** The best member that answers. */
async function attachMember(members: Members): Promise<AttachedMember> {
  const direct = directHost(members.uri);
  const usable = orderSourceMembers(members.facts).map((one) => one.host);
  const candidates = direct === null ? byLosses(members, usable) : [direct];
  let last: unknown = null;
  for (const host of candidates) {
    try {
      return await attach(members, host);
    } catch (error) {
      if (isAbort(error)) throw error;
      last = error;
    }
  }
  const { facts } = members;
  // One that answered, and said what is in the way, says more than the list.
  if (last instanceof NoCatalog) throw last;
  throw new Fault({
    op: 'choose a member',
    subject: facts.replicaSetName,
    message: `no member of ${facts.replicaSetName} can be read from (${facts.members.map((member) => `${member.host} ${member.state}`).join(', ')})`,
    retryable: true,
    cause: last,
  });
}

function byLosses({ lost }: Members, hosts: readonly string[]): string[] {
  const lossOf = (host: string) => lost.get(host) ?? -1;
  return hosts.toSorted((a, b) => lossOf(a) - lossOf(b));
}

/**
 * Whatever way it was found, the member itself is asked whether it builds indexes: a configuration may be older, or not
 * be readable.
 */
async function attach(members: Members, host: string): Promise<AttachedMember> {
  const { signal, listsCatalog } = members;
  const member = await connect(members, host);
  try {
    if (!listsCatalog || (await member.buildsIndexes(signal)))
      return { member, close: async () => await member.client.close() };
    const catalog = await attachCatalog(members, host);
    const close = async () => {
      await Promise.all([member.client.close(), catalog.client.close()]);
    };
    return { member: new SourceMember(member.client, host, catalog), close };
  } catch (error) {
    await member.client.close();
    throw error;
  }
}

async function connect({ cluster, uri, signal }: Members, host: string): Promise<SourceMember> {
  return new SourceMember(await connectMember(cluster, uri, host, { signal, timeoutMs: MEMBER_TIMEOUT_MS }), host);
}

class NoCatalog extends Fault {}

/** Another member that has the set's catalog, for one that has not. */
async function attachCatalog(members: Members, host: string): Promise<SourceMember> {
  const others = byLosses(
    members,
    orderCatalogMembers(members.facts).map((one) => one.host),
  );
  const failures: string[] = [];
  for (const other of others.filter((one) => one !== host)) {
    try {
      const catalog = await connect(members, other);
      if (await catalog.buildsIndexes(members.signal)) return catalog;
      await catalog.client.close();
      failures.push(`${other} builds none either`);
    } catch (error) {
      if (isAbort(error)) throw error;
      failures.push(describeError(error));
    }
  }
  const { replicaSetName } = members.facts;
  const reasons = failures.length === 0 ? '' : `: ${failures.join('; ')}`;
  throw new NoCatalog({
    op: 'choose a member',
    subject: host,
    message: `${host} builds no indexes (buildIndexes: false), so it cannot tell which there are, and no other member of ${replicaSetName} can be asked${reasons}`,
    retryable: true,
    hint: 'Let Tidemark reach another data-bearing member of the set under the name that its configuration gives it',
  });
}
