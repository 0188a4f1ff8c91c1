import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';

const timeBytes = 6;
const saltBytes = 4;
const macBytes = 14;

export const nonceLifeMs = 5 * 60_000;
const trackedMax = 65_536;

/**
 * Digest nonces: 24 bytes (time of issue, salt, HMAC), so that issuing one costs no memory and a stranger can make
 * none. A nonce is good for five minutes, for rising counts only. The counts are remembered for nonces that a valid
 * credential used; when there are too many of them the oldest are forgotten and every nonce as old as those is refused
 * as stale, which a client answers by itself with a fresh one. Per process: another process's nonces are stale here.
 */
export class Nonces {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #macKey: KeyObject;
  readonly #lastCount = new Map<string, number>();
  readonly #trackedMax: number;
  #refusedUpToMs = 0;

  constructor(options: { clock: Clock; random: Random; trackedMax?: number }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#macKey = createSecretKey(options.random.bytes(32));
    this.#trackedMax = options.trackedMax ?? trackedMax;
    assert(this.#trackedMax > 0, 'nonces need room for at least one');
  }

  issue(): string {
    const nonce = Buffer.alloc(timeBytes + saltBytes + macBytes);
    nonce.writeUIntBE(this.#clock.nowMs(), 0, timeBytes);
    this.#random.bytes(saltBytes).copy(nonce, timeBytes);
    this.#mac(nonce).copy(nonce, timeBytes + saltBytes);
    return nonce.toString('base64');
  }

  /** True when we issued it and it is young enough. */
  isFresh(nonce: string): boolean {
    const issuedAtMs = this.#issuedAtMs(nonce);
    if (issuedAtMs === null || issuedAtMs <= this.#refusedUpToMs) return false;
    const ageMs = this.#clock.nowMs() - issuedAtMs;
    return ageMs >= 0 && ageMs < nonceLifeMs;
  }

  /**
   * Marks one use. False for a replay. Call it only for a fresh nonce whose answer was right, so that strangers cannot
   * fill the table.
   */
  use(nonce: string, count: number): boolean {
    if (count <= (this.#lastCount.get(nonce) ?? 0)) return false;
    // Deleted first, so that the order of the map stays the order of last use.
    this.#lastCount.delete(nonce);
    this.#lastCount.set(nonce, count);
    this.#forget();
    return true;
  }

  #forget(): void {
    for (const tracked of this.#lastCount.keys()) {
      const overfull = this.#lastCount.size > this.#trackedMax;
      if (!overfull && this.isFresh(tracked)) return;
      this.#lastCount.delete(tracked);
      if (overfull) this.#refusedUpToMs = Math.max(this.#refusedUpToMs, this.#issuedAtMs(tracked) ?? 0);
    }
  }

  #issuedAtMs(nonce: string): number | null {
    if (!/^[A-Za-z0-9+/]{32}$/.test(nonce)) return null;
    const bytes = Buffer.from(nonce, 'base64');
    if (!timingSafeEqual(this.#mac(bytes), bytes.subarray(timeBytes + saltBytes))) return null;
    return bytes.readUIntBE(0, timeBytes);
  }

  #mac(nonce: Buffer): Buffer {
    const signed = nonce.subarray(0, timeBytes + saltBytes);
    return createHmac('sha256', this.#macKey).update('digest nonce').update(signed).digest().subarray(0, macBytes);
  }
}
