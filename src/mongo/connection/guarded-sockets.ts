import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { MongoNetworkError } from 'mongodb';
import connecting from 'mongodb/lib/cmap/connect.js';
import { type HostRule, isAllowed, isForbiddenAddress } from '../../lib/host-rules.ts';

/**
 * Why a host was not connected to. An error of the network for the driver, which then goes on with the other members.
 */
export class HostRefused extends MongoNetworkError {
  readonly host: string;

  constructor(host: string, why: string) {
    super(`${host} is not connected to: ${why}`);
    this.host = host;
  }
}

const REFUSED_KEPT_MAX = 1000;

export interface SocketGuard {
  /**
   * For the driver's option of that name: it is how a client is known as a guarded one, and where the addresses of
   * names are looked at.
   */
  lookup: LookupFunction;
  /** Hosts that were refused, with the reason; the first thousand, since a server may go on naming others. */
  refused: ReadonlyMap<string, HostRefused>;
  /** Called at each refusal. */
  onRefusal: (() => void) | null;
}

interface Guarding extends SocketGuard {
  refuseLiteral(host: string | undefined, socketPath: string | undefined): void;
}

/**
 * What stands between a client and its sockets. `allow` are lists that have all to let an address through; what is
 * forbidden in any case is besides. Unix sockets are for those whose paths are given.
 */
export function guardSockets(options: {
  allow: readonly (readonly HostRule[])[];
  socketPaths: readonly string[];
}): SocketGuard {
  const refused = new Map<string, HostRefused>();
  const refuse = (host: string, why: string): HostRefused => {
    const error = new HostRefused(host, why);
    if (refused.size < REFUSED_KEPT_MAX) refused.set(host, error);
    guard.onRefusal?.();
    return error;
  };
  const reasonOf = (host: string, address: string): string | null => {
    // The address itself stays unsaid: what names resolve to here is not for everybody.
    if (isForbiddenAddress(address)) return 'no cluster can be at a link-local or metadata address';
    return options.allow.every((rules) => isAllowed(rules, host, address))
      ? null
      : 'clusters may not be there (--cluster-allow)';
  };
  const guard: Guarding = {
    refused,
    onRefusal: null,
    refuseLiteral: (host, socketPath) => {
      if (socketPath !== undefined) {
        if (options.socketPaths.includes(socketPath)) return;
        throw refuse(socketPath, 'a cluster does not name sockets of this machine');
      }
      if (host === undefined || isIP(host) === 0) return;
      const why = reasonOf(host, host);
      if (why !== null) throw refuse(host, why);
    },
    lookup: (host, asked, callback) => {
      lookup(host, { ...asked, all: true }, (error, addresses: LookupAddress[] = []) => {
        if (error !== null) return callback(error, '', 0);
        const reasons = addresses.map(({ address }) => reasonOf(host, address));
        const reachable = addresses.filter((_, index) => reasons[index] === null);
        const [first] = reachable;
        const why = reasons.find((reason) => reason !== null) ?? 'it has no address';
        if (first === undefined) return callback(new Error(refuse(host, why).message), '', 0);
        if (asked.all === true) callback(null, reachable);
        else callback(null, first.address, first.family);
      });
    },
  };
  guards.set(guard.lookup, guard);
  return guard;
}

/**
 * Clients are told apart by their lookup function: it is the one option of ours that the driver carries to every
 * socket.
 */
const guards = new WeakMap<LookupFunction, Guarding>();

/**
 * Node asks no lookup function for a host that is an address already, and members that a server names become sockets
 * inside the driver. So the two functions by which the driver's pools and monitors come to sockets are wrapped, for our
 * clients only; every other client of the process is left as it is.
 */
for (const name of ['connect', 'makeSocket'] as const) {
  const original = connecting[name];
  connecting[name] = async (options) => {
    const guard = options.lookup === undefined ? undefined : guards.get(options.lookup);
    guard?.refuseLiteral(options.hostAddress.host, options.hostAddress.socketPath);
    return await original(options);
  };
}
