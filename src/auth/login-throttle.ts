import { assert } from '../lib/assert.ts';
import { backoffOf } from '../lib/backoff.ts';
import { canonicalCidr } from '../lib/cidr.ts';
import type { Clock } from '../lib/clock.ts';

/** Where a try comes from, and as whom: a public key or a client id, which need not exist. */
export interface LoginTry {
  remoteAddress: string;
  principal: string;
}

interface Rule {
  /** Failures that cost nothing: whoever mistypes a secret is no attacker. */
  free: number;
  waitSecondsMax: number;
  /** One failure is forgotten in so long. */
  forgetMs: number;
}

const bySource: Rule = { free: 20, waitSecondsMax: 60, forgetMs: 60_000 };
const byPair: Rule = { free: 5, waitSecondsMax: 300, forgetMs: 300_000 };
const trackedMax = 10_000;
const principalLengthMax = 64;

interface Failures {
  count: number;
  lastMs: number;
}

/**
 * Makes guessing slow: failed logins from one source, and of one principal from that source, make the next try wait,
 * twice as long each time. Nobody waits for what happened elsewhere, so that a stranger cannot lock an owner out; and
 * who has got in from a source is not held up by what others try from it. In memory and per process: a restart
 * forgives.
 */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #sources = new Map<string, Failures>();
  readonly #pairs = new Map<string, Failures>();
  readonly #known = new Map<string, true>();
  readonly #trackedMax: number;

  constructor(options: { clock: Clock; trackedMax?: number }) {
    this.#clock = options.clock;
    this.#trackedMax = options.trackedMax ?? trackedMax;
    assert(this.#trackedMax > 0, 'a throttle needs room for at least one');
  }

  /**
   * Seconds until this try is looked at; 0 for now. A try that has to wait must not be looked at, or it would tell
   * whether it was right.
   */
  waitSeconds(login: LoginTry): number {
    const { source, pair } = keysOf(login);
    const own = this.#waitMs(this.#pairs.get(pair), byPair);
    const shared = this.#known.has(pair) ? 0 : this.#waitMs(this.#sources.get(source), bySource);
    return Math.ceil(Math.max(own, shared) / 1000);
  }

  /** How often this principal has failed from there lately, with this time. */
  failed(login: LoginTry): number {
    const { source, pair } = keysOf(login);
    this.#count(this.#sources, source, bySource);
    return this.#count(this.#pairs, pair, byPair);
  }

  succeeded(login: LoginTry): void {
    const { pair } = keysOf(login);
    this.#pairs.delete(pair);
    this.#known.delete(pair);
    this.#remember(this.#known, pair, true);
  }

  #count(failures: Map<string, Failures>, key: string, rule: Rule): number {
    const count = this.#remaining(failures.get(key), rule) + 1;
    failures.delete(key);
    this.#remember(failures, key, { count, lastMs: this.#clock.monotonicMs() });
    return Math.ceil(count);
  }

  #remaining(failures: Failures | undefined, { forgetMs }: Rule): number {
    if (failures === undefined) return 0;
    return Math.max(0, failures.count - (this.#clock.monotonicMs() - failures.lastMs) / forgetMs);
  }

  #waitMs(failures: Failures | undefined, rule: Rule): number {
    if (failures === undefined || failures.count < rule.free) return 0;
    const waitMs = backoffOf({ first: 1000, most: rule.waitSecondsMax * 1000 }, failures.count - rule.free + 1);
    return Math.max(0, failures.lastMs + waitMs - this.#clock.monotonicMs());
  }

  /** The map keeps the order of last use; the oldest go first. */
  #remember<V>(map: Map<string, V>, key: string, value: V): void {
    map.set(key, value);
    const [oldest] = map.keys();
    if (map.size > this.#trackedMax && oldest !== undefined) map.delete(oldest);
  }
}

/** A household has a network of IPv6 addresses, not one: what counts is its first 64 bits (RFC 6177). */
function keysOf({ remoteAddress, principal }: LoginTry): { source: string; pair: string } {
  const source = remoteAddress.includes(':') ? (canonicalCidr(`${remoteAddress}/64`) ?? remoteAddress) : remoteAddress;
  return { source, pair: `${source} ${shortPrincipal(principal)}` };
}

/** As it is logged and remembered: a stranger wrote it, as long as a header may be. */
export function shortPrincipal(principal: string): string {
  return principal.slice(0, principalLengthMax);
}
