import type { SelectQueryBuilder } from 'kysely';
import { assert } from '../lib/assert.ts';

/**
 * Which part of a list: `pageNum` from 1, `itemsPerPage` 1 to 500. The count costs a second query, so it is made only
 * when asked for.
 */
export interface PageRequest {
  pageNum: number;
  itemsPerPage: number;
  includeCount: boolean;
}

export interface Page<T> {
  items: T[];
  /** Of the whole list; present exactly when asked for. */
  totalCount?: number;
}

export function pageBounds(request: PageRequest): { limit: number; offset: number } {
  assert(Number.isInteger(request.pageNum) && request.pageNum >= 1, 'pageNum counts from 1');
  assert(request.itemsPerPage >= 1 && request.itemsPerPage <= 500, 'itemsPerPage is 1 to 500');
  return { limit: request.itemsPerPage, offset: (request.pageNum - 1) * request.itemsPerPage };
}

export function mapPage<T, U>(page: Page<T>, map: (item: T) => U): Page<U> {
  const items = page.items.map(map);
  return page.totalCount === undefined ? { items } : { items, totalCount: page.totalCount };
}

/**
 * Reads one page. `filtered` says which rows, `shape` what is read of them and in which order. The count is a second
 * query on the same filter, left out where a short page tells it.
 */
export async function readPage<DB, TB extends keyof DB, T>(
  request: PageRequest,
  filtered: SelectQueryBuilder<DB, TB, object>,
  shape: (filtered: SelectQueryBuilder<DB, TB, object>) => SelectQueryBuilder<DB, TB, T>,
): Promise<Page<T>> {
  const { limit, offset } = pageBounds(request);
  const items = (await shape(filtered).limit(limit).offset(offset).execute()) as T[];
  if (!request.includeCount) return { items };
  if (items.length < limit && (items.length > 0 || offset === 0)) return { items, totalCount: offset + items.length };
  const counted = await filtered.select((e) => e.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return { items, totalCount: Number((counted as { total: number }).total) };
}
