import { isAbort, throwIfAborted } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { describeError, Fault } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { connectCluster, connectMember, directHost, redactUri } from '../mongo/connect.ts';
import { asFault, isMemberLost } from '../mongo/errors.ts';
import { SourceMember } from '../mongo/source-member.ts';
import { type ClusterFacts, orderSourceMembers, readClusterFacts } from '../mongo/topology.ts';

export interface SourceOptions {
  /** Connection string of the source. */
  uri: string;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  /** Members that may be lost in a row before it is given up; work that gets on starts the count anew by calling `gotOn`. */
  lossesMax: number;
  /** What is being done, for messages. */
  op: string;
}

const RETRY_PAUSE_MS = 500;
const RETRY_PAUSE_MS_MAX = 5_000;

/** What work on a member came to, and where. */
export interface OnMember<T> {
  result: T;
  facts: ClusterFacts;
  host: string;
}

/**
 * Runs work on the best member there is, and again on another one when that is lost. Work that was begun has to be able to go on elsewhere: what it has read is majority-committed
 * and true of every member, cursors and record ids are not.
 */
export async function onSomeMember<T>(
  options: SourceOptions,
  work: (member: SourceMember, facts: ClusterFacts, gotOn: () => void) => Promise<T>,
): Promise<OnMember<T>> {
  const { uri, signal, clock, log } = options;
  const lost = new Map<string, number>();
  let losses = 0;
  for (let attempt = 0; ; attempt++) {
    throwIfAborted(signal);
    let host = redactUri(uri);
    try {
      const cluster = await connectCluster(uri, { signal });
      try {
        const facts = await readClusterFacts(cluster, host);
        const { member, close } = await attachMember(cluster, facts, uri, lost, signal);
        host = member.host;
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
      lost.set(host, attempt);
      losses++;
      log.warn({ host, reason: describeError(error), losses }, 'the source member was lost; going on with another');
      await clock.sleep(Math.min(RETRY_PAUSE_MS * losses, RETRY_PAUSE_MS_MAX), signal);
    }
  }
}

/** The best member that answers; those lost before come last. */
async function attachMember(
  cluster: Parameters<typeof connectMember>[0],
  facts: ClusterFacts,
  uri: string,
  lost: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<{ member: SourceMember; close: () => Promise<void> }> {
  const lossOf = (host: string) => lost.get(host) ?? -1;
  const direct = directHost(uri);
  const usable = orderSourceMembers(facts).map((one) => one.host);
  const candidates = direct === null ? usable.toSorted((a, b) => lossOf(a) - lossOf(b)) : [direct];
  let last: unknown = null;
  for (const host of candidates) {
    try {
      const client = await connectMember(cluster, uri, host, { signal, timeoutMs: 5_000 });
      return { member: new SourceMember(client, host), close: () => client.close() };
    } catch (error) {
      if (isAbort(error)) throw error;
      last = error;
    }
  }
  throw new Fault({
    op: 'choose a member',
    subject: facts.replicaSetName,
    message: `no member of ${facts.replicaSetName} can be read from (${facts.members.map((member) => `${member.host} ${member.state}`).join(', ')})`,
    retryable: true,
    cause: last,
  });
}
