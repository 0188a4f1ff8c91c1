import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HistoryItem } from '../../engine/history/history-item.ts';
import { positionOf } from '../../engine/history/history-item.ts';
import { formatCursor, type HistoryCursor, historyPage, parseCursor } from './history-page.ts';

function versionAt(at: bigint, n: number): HistoryItem {
  const common = {
    kind: 'version',
    transaction: null,
    uuid: String(n),
    cause: null,
    shardName: null,
    moved: false,
  } as const;
  return { ...common, at, operation: 'update', namespace: 'a.b', content: 'absent', document: null };
}

async function* iterate(items: readonly HistoryItem[]): AsyncGenerator<HistoryItem> {
  yield* items;
}

test('pages of any size give every item once, also where many are of one moment', async () => {
  const steps = fc.array(fc.nat(2), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 7 }), async (moves, limit) => {
      let at = 1n << 32n;
      const items = moves.map((move, n) => {
        at += BigInt(move);
        return versionAt(at, n);
      });
      const seen: HistoryItem[] = [];
      let cursor: HistoryCursor | null = null;
      do {
        const from: bigint = cursor?.ts ?? 0n;
        // A page's reading begins at the cursor's time, as the next request does.
        const page = await historyPage(iterate(items.filter((item) => positionOf(item) >= from)), { limit, cursor });
        seen.push(...page.items);
        cursor = page.next === null ? null : parseCursor(formatCursor(page.next));
      } while (cursor !== null);
      assert.deepEqual(seen, items);
    }),
    { seed: 1 },
  );
});

test('a page ends before it holds too much', async () => {
  const document = Buffer.alloc(16 << 20);
  const items = Array.from({ length: 5 }, (_, n) => ({
    ...versionAt(BigInt(n), n),
    document,
    content: 'document',
  })) as HistoryItem[];
  const page = await historyPage(iterate(items), { limit: 100, cursor: null });
  assert.deepEqual([page.items.length, page.next], [2, { ts: 2n, skip: 0 }]);
});

test('what no page gave is no cursor', () => {
  for (const text of ['', '1', '1.2', '1.2.x', '99999999999.1.0', '4294967296.1.0'])
    assert.equal(parseCursor(text), null, text);
});
