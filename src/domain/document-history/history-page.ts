import { type Timestamp64, timestampOf, timestampParts } from '../../bson/timestamp.ts';
import { type HistoryItem, positionOf } from '../../engine/history/history-item.ts';

/** A page ends early rather than hold more than this of documents. */
const PAGE_BYTES_MAX = 32 << 20;

/** Where a page begins: at a time, after so many items at that very time. */
export interface HistoryCursor {
  ts: Timestamp64;
  skip: number;
}

export interface HistoryPage {
  items: HistoryItem[];
  /** Null at the end. */
  next: HistoryCursor | null;
}

export function formatCursor({ ts, skip }: HistoryCursor): string {
  const { t, i } = timestampParts(ts);
  return `${t}.${i}.${skip}`;
}

/** Null for what no page gave. */
export function parseCursor(text: string): HistoryCursor | null {
  const match = /^(\d{1,10})\.(\d{1,10})\.(\d{1,6})$/.exec(text);
  if (match === null) return null;
  const [t, i, skip] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return t > 0xffff_ffff || i > 0xffff_ffff ? null : { ts: timestampOf({ t, i }), skip };
}

/** The items from the cursor on, at most `limit`. Those in force when the window began are on the first page only. */
export async function historyPage(
  items: AsyncIterable<HistoryItem>,
  options: { limit: number; cursor: HistoryCursor | null },
): Promise<HistoryPage> {
  const { limit, cursor } = options;
  const page: HistoryItem[] = [];
  let bytes = 0;
  let at: HistoryCursor = { ts: -1n, skip: 0 };
  for await (const item of items) {
    const position = positionOf(item);
    if (cursor !== null && position < cursor.ts) continue;
    at = position === at.ts ? { ts: position, skip: at.skip + 1 } : { ts: position, skip: 0 };
    if (cursor !== null && position === cursor.ts && at.skip < cursor.skip) continue;
    if (page.length === limit || (page.length > 0 && bytes >= PAGE_BYTES_MAX)) return { items: page, next: at };
    page.push(item);
    bytes += item.kind === 'version' ? (item.document?.length ?? 0) : 0;
  }
  return { items: page, next: null };
}
