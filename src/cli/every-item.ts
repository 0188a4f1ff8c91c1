import type { Page, PageRequest } from '../domain/names.ts';

const ITEMS_PER_PAGE = 500;

/** Every item of a paginated list, page after page. */
export async function everyItem<T>(fetchPage: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let pageNum = 1; ; pageNum++) {
    const page = await fetchPage({ pageNum, itemsPerPage: ITEMS_PER_PAGE, includeCount: false });
    items.push(...page.items);
    if (page.items.length < ITEMS_PER_PAGE) return items;
  }
}
