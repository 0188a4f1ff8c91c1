import type { Operation, QueryParameter, StringParameter } from '../../contract/operation.ts';
import type { PageRequest } from '../domain/names.ts';
import { unreachable } from '../lib/assert.ts';
import { invalid } from './http-refusals.ts';

/** Reading the query string, by the rules that all operations share. Pure. */

export type QueryValues = Readonly<Record<string, string>>;

const itemsPerPageMax = 500;
const itemsPerPageDefault = 100;
const pageNumMax = 1_000_000;

/** The first value of each parameter. Unknown ones are ignored, as Atlas ignores them. */
export function queryOf(target: string): QueryValues {
  const mark = target.indexOf('?');
  const values: Record<string, string> = Object.create(null);
  if (mark < 0) return values;
  for (const [name, value] of new URLSearchParams(target.slice(mark + 1))) {
    if (values[name] === undefined) values[name] = value;
  }
  return values;
}

/** `true` or `false`, whatever its case; left out or empty it is `otherwise`. */
export function flag(query: QueryValues, name: string, otherwise: boolean): boolean {
  const text = query[name]?.toLowerCase();
  if (text === undefined || text === '') return otherwise;
  if (text !== 'true' && text !== 'false') throw invalid([{ field: name, description: 'must be true or false' }]);
  return text === 'true';
}

function integer(query: QueryValues, name: string, bounds: { minimum: number; maximum: number }): number | undefined {
  const text = query[name];
  if (text === undefined || text === '') return undefined;
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.minimum && value <= bounds.maximum) return value;
  throw invalid([{ field: name, description: `must be a whole number from ${bounds.minimum} to ${bounds.maximum}` }]);
}

/**
 * 0 counts as left out: the Atlas CLI's login asks for page 0, Terraform's provider (May 2024 to July 2025) for pages
 * of 0.
 */
export function pageOf(operation: Operation, query: QueryValues): PageRequest {
  if (operation.paging === 'none') return { pageNum: 1, itemsPerPage: itemsPerPageMax, includeCount: true };
  return {
    pageNum: integer(query, 'pageNum', { minimum: 0, maximum: pageNumMax }) || 1,
    itemsPerPage: integer(query, 'itemsPerPage', { minimum: 0, maximum: itemsPerPageMax }) || itemsPerPageDefault,
    includeCount: flag(query, 'includeCount', true) || operation.paging === 'uncounted',
  };
}

/** The operation's own parameters, checked. An empty one counts as left out (`name=` filters nothing). */
export function ownParameters(operation: Operation, query: QueryValues): Record<string, string | number | boolean> {
  const found: Record<string, string | number | boolean> = {};
  for (const [name, rule] of Object.entries(operation.query)) {
    const value = ownParameter(rule, query, name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function ownParameter(rule: QueryParameter, query: QueryValues, name: string): string | number | boolean | undefined {
  switch (rule.type) {
    case 'integer':
      return integer(query, name, { minimum: rule.minimum, maximum: Number.MAX_SAFE_INTEGER });
    case 'boolean':
      // Left out is not false: some operations have a default of their own.
      return query[name] ? flag(query, name, false) : undefined;
    case 'string':
      return text(rule, query, name);
    default:
      return unreachable(rule);
  }
}

function text(rule: StringParameter, query: QueryValues, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  if (rule.values !== undefined && !rule.values.includes(value))
    throw invalid([{ field: name, description: `must be one of ${rule.values.join(', ')}` }]);
  if (rule.pattern !== undefined && !new RegExp(rule.pattern).test(value))
    throw invalid([{ field: name, description: 'has an invalid format' }]);
  return value;
}

export interface PageLink {
  href: string;
  rel: string;
}

/**
 * Links of a list. Defaults are spelled out even where the caller left them out, in the order in which Atlas writes
 * them: in `self` the page comes before its size, in `next` and `previous` after it. `hasNext` is what the count says,
 * or without a count that the page is full.
 */
export function pageLinks(options: {
  href: string;
  operation: Operation;
  query: QueryValues;
  page: PageRequest;
  hasNext: boolean;
}): PageLink[] {
  const { href, operation, query, page } = options;
  if (operation.paging === 'none') return [{ href, rel: 'self' }];
  const own = Object.keys(operation.query)
    .filter((name) => query[name] !== undefined)
    .map((name) => `${name}=${encodeURIComponent(query[name] ?? '')}`);
  const common = [...(operation.paging === 'uncounted' ? [] : [`includeCount=${page.includeCount}`]), ...own];
  const size = `itemsPerPage=${page.itemsPerPage}`;
  const to = (pageNum: number, rel: string) => ({
    href: `${href}?${[...common, size, `pageNum=${pageNum}`].join('&')}`,
    rel,
  });
  const links = [{ href: `${href}?${[...common, `pageNum=${page.pageNum}`, size].join('&')}`, rel: 'self' }];
  if (page.pageNum > 1) links.push(to(page.pageNum - 1, 'previous'));
  if (options.hasNext) links.push(to(page.pageNum + 1, 'next'));
  return links;
}
