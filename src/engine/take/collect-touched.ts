import { type ElementAt, idBytes } from '../../bson/raw-bson.ts';
import type { Timestamp64 } from '../../bson/timestamp.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { isCollectionGone } from '../../mongo/errors.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { PositionedEntry } from '../../oplog/entry.ts';
import { type TouchVisitor, visitEntry } from '../../oplog/touches.ts';
import { readInterval } from './read-interval.ts';
import { readTouched } from './read-touched.ts';
import type { ReplicaSetTake } from './replica-set-take.ts';

const ENTRIES_PER_MEMORY_CHECK = 1_000;

/** Tells the takes what the oplog says. Catalog changes are the business of `settle-catalog.ts`. */
class TouchCollector implements TouchVisitor {
  readonly #take: ReplicaSetTake;

  constructor(take: ReplicaSetTake) {
    this.#take = take;
  }

  touched(uuid: string, buffer: Buffer, id: ElementAt): void {
    this.#take.collections.get(uuid)?.pending.add(id.type, buffer, id.start, id.end);
  }

  inserted(uuid: string, buffer: Buffer, document: ElementAt, id: ElementAt): void {
    const collection = this.#take.collections.get(uuid);
    if (collection?.scanned) collection.documents++;
    this.#take.capped.get(uuid)?.inserted(buffer.subarray(document.start, document.end), idBytes(buffer, id));
  }

  deleted(uuid: string, buffer: Buffer, id: ElementAt): void {
    const collection = this.#take.collections.get(uuid);
    if (collection?.scanned && collection.documents > 0) collection.documents--;
    this.#take.capped.get(uuid)?.deleted(idBytes(buffer, id));
  }

  updated(uuid: string): void {
    this.#take.capped.get(uuid)?.updated();
  }

  catalogChanged(): void {}

  rereadNeeded(name: string, uuid: string | null): void {
    this.#take.log.warn({ command: name, uuid }, 'the oplog holds a change that it does not spell out; reading again');
    for (const collection of this.#take.collections.values()) {
      if (uuid === null || collection.uuid === uuid) collection.forget();
    }
    for (const capped of this.#take.capped.values()) {
      if (uuid === null || capped.uuid === uuid) capped.voidReason ??= `of ${name}`;
    }
  }
}

/**
 * Reads the oplog from the take's position up to `to` and notes what was touched. Memory stays bounded: past the
 * limit the documents touched so far are read at once, fuzzily, which is right because whatever touches them afterwards
 * is still to come.
 */
export async function collectTouched(take: ReplicaSetTake, member: SourceMember, to: Timestamp64): Promise<void> {
  const from = must(take.position, 'a take has a position before it collects');
  if (to <= from.ts) return;
  const collector = new TouchCollector(take);
  let seen = 0;
  const last = await readInterval(take, member, from, to, (found, earlier) => {
    for (const part of earlier) visitEntry(part.buffer, part.entry, collector);
    visitEntry(found.buffer, found.entry, collector);
    seen++;
    if (seen % ENTRIES_PER_MEMORY_CHECK !== 0 || take.pendingBytes <= take.limits.pendingBytesMax) return undefined;
    return flushPending(take, member);
  });
  assert(last.ts === to, 'an interval is read to its end');
  take.advance(last);
}

/**
 * Notes the writes of entries that count although they lie outside the interval (late commits of prepared
 * transactions).
 */
export function noteEntries(take: ReplicaSetTake, entries: readonly PositionedEntry[]): void {
  const collector = new TouchCollector(take);
  for (const { buffer, entry } of entries) visitEntry(buffer, entry, collector);
}

async function flushPending(take: ReplicaSetTake, member: SourceMember): Promise<void> {
  const largestFirst = [...take.collections.values()]
    .filter((collection) => collection.pending.size > 0)
    .sort((a, b) => b.pending.contentBytes - a.pending.contentBytes);
  for (const collection of largestFirst) {
    throwIfAborted(take.signal);
    if (take.pendingBytes < take.limits.pendingBytesMax / 2) return;
    const ids = collection.takePending();
    try {
      const { layer, unread } = await readTouched(take, member, collection, ids, { level: 'majority' });
      assert(unread.length === 0, 'the present is always readable');
      collection.pushLayer(layer);
      take.noteFuzzyRead(await member.majorityOptime(take.signal));
    } catch (error) {
      collection.returnPending(ids);
      // Dropped meanwhile: it is not part of any later T. Were it listed all the same, it would be scanned.
      if (!isCollectionGone(error)) throw error;
      collection.forget();
    }
  }
}
