import type { Timestamp64 } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import { type HistoryItem, positionOf } from './history-item.ts';

/**
 * The items of a window, ends included, after those that were in force when it began: of each collection the last
 * version before it, or the stretch that it begins in.
 */
export async function* inWindow(
  items: AsyncIterable<HistoryItem>,
  { from, to }: { from: Timestamp64; to: Timestamp64 },
): AsyncGenerator<HistoryItem, void, undefined> {
  let opening: Map<string, HistoryItem> | null = new Map();
  let before: Timestamp64 | null = null;
  for await (const item of items) {
    const position = positionOf(item);
    assert(before === null || before <= position, 'a history is told in order');
    before = position;
    if (position > to) break;
    if (opening !== null && position < from) {
      // Nothing that was known before a stretch is in force within or after it.
      if (item.kind === 'unknown') opening.clear();
      opening.set(item.kind === 'unknown' ? '' : item.uuid, item);
      continue;
    }
    if (opening !== null) yield* inForce(opening, from);
    opening = null;
    yield item;
  }
  if (opening !== null) yield* inForce(opening, from);
}

function* inForce(opening: Map<string, HistoryItem>, from: Timestamp64): Generator<HistoryItem> {
  for (const item of opening.values()) {
    if (item.kind === 'version' || item.to === null || item.to > from) yield item;
  }
}
