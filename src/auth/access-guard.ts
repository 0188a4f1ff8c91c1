import { canonicalAddress, cidrHolds } from '../lib/cidr.ts';
import type { Clock } from '../lib/clock.ts';
import type { Caller } from './roles.ts';
import type { AccessListStore } from './stores.ts';

/** Uses of one entry are written at most this often: a write for every request would cost more than the request. */
export const USE_WRITTEN_EVERY_MS = 60_000;
const trackedMax = 10_000;

/**
 * May the caller call from there? Whoever has an access list only from what is on it; whoever has none from anywhere,
 * unless the organization asks for lists. The token endpoint is open: a token is worth nothing from elsewhere.
 */
export class AccessGuard {
  readonly #store: AccessListStore;
  readonly #clock: Clock;
  readonly #pending = new Map<string, { requests: number; writtenAtMs: number }>();

  constructor(options: { store: AccessListStore; clock: Clock }) {
    this.#store = options.store;
    this.#clock = options.clock;
  }

  async admits(caller: Caller, remoteAddress: string): Promise<boolean> {
    const entries = await this.#store.entriesOf(caller.kind, caller.id);
    if (entries.length === 0) return !(await this.#store.isRequired(caller.organizationId));
    const address = canonicalAddress(remoteAddress);
    if (address === null) return false;
    const entry = entries.find(({ cidrBlock }) => cidrHolds(cidrBlock, address));
    if (entry === undefined) return false;
    await this.#noteUse(entry.id, address);
    return true;
  }

  async #noteUse(entryId: string, address: string): Promise<void> {
    const atMs = this.#clock.nowMs();
    const pending = this.#pending.get(entryId) ?? { requests: 0, writtenAtMs: Number.NEGATIVE_INFINITY };
    pending.requests++;
    if (!this.#pending.has(entryId) && this.#pending.size >= trackedMax) this.#pending.clear();
    this.#pending.set(entryId, pending);
    if (atMs - pending.writtenAtMs < USE_WRITTEN_EVERY_MS) return;
    const { requests } = pending;
    pending.requests = 0;
    pending.writtenAtMs = atMs;
    await this.#store.noteUse(entryId, { requests, atMs, address });
  }
}
