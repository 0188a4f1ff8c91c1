import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listing, type Operation } from '../../contract/operation.ts';
import { Refusal } from '../domain/refusals/refusals.ts';
import { flag, ownParameters, pageLinks, pageOf, queryOf } from './paging.ts';

const list: Operation = {
  ...listing,
  aliases: [],
  path: '/api/atlas/v2/orgs',
  access: { scope: 'caller' },
  versions: [{ date: '2023-01-01', response: null }],
  query: { name: { type: 'string' }, since: { type: 'integer', minimum: 0 }, all: { type: 'boolean' } },
};

test('paging has defaults, bounds, and page 0 for page 1', () => {
  const table: [string, { pageNum: number; itemsPerPage: number; includeCount: boolean } | 'refused'][] = [
    ['', { pageNum: 1, itemsPerPage: 100, includeCount: true }],
    ['?pageNum=0', { pageNum: 1, itemsPerPage: 100, includeCount: true }],
    ['?pageNum=3&itemsPerPage=1', { pageNum: 3, itemsPerPage: 1, includeCount: true }],
    ['?itemsPerPage=500&includeCount=false', { pageNum: 1, itemsPerPage: 500, includeCount: false }],
    ['?includeCount=FALSE', { pageNum: 1, itemsPerPage: 100, includeCount: false }],
    ['?includeCount=perhaps', 'refused'],
    ['?includeCount=', { pageNum: 1, itemsPerPage: 100, includeCount: true }],
    ['?pageNum=&itemsPerPage=', { pageNum: 1, itemsPerPage: 100, includeCount: true }],
    ['?pageNum=2&pageNum=9', { pageNum: 2, itemsPerPage: 100, includeCount: true }],
    ['?itemsPerPage=0', { pageNum: 1, itemsPerPage: 100, includeCount: true }],
    ['?itemsPerPage=-1', 'refused'],
    ['?itemsPerPage=501', 'refused'],
    ['?itemsPerPage=ten', 'refused'],
    ['?itemsPerPage=1.5', 'refused'],
    ['?itemsPerPage=1e2', 'refused'],
    ['?pageNum=-1', 'refused'],
    ['?pageNum=99999999999999999999', 'refused'],
  ];
  for (const [query, expected] of table) {
    const read = () => pageOf(list, queryOf(`/x${query}`));
    if (expected === 'refused') {
      assert.throws(read, (error) => error instanceof Refusal && error.status === 400, query);
    } else assert.deepEqual(read(), expected, query);
  }
});

test('own parameters are typed, empty ones left out, unknown ones ignored', () => {
  const read = (query: string) => ownParameters(list, queryOf(`/x?${query}`));
  assert.deepEqual(read('name=a%20b&since=5&all=true&other=1'), { name: 'a b', since: 5, all: true });
  assert.deepEqual(read('name=&since=&all='), {});
  assert.deepEqual(read('all=FALSE'), { all: false });
  assert.throws(() => read('all=no'), Refusal);
  assert.throws(() => read('since=soon'), Refusal);
  assert.throws(() => read('since=-1'), Refusal);
});

test('a name that every object has is no parameter', () => {
  assert.equal(flag(queryOf('/x'), 'constructor', false), false);
  assert.deepEqual(Object.entries(queryOf('/x?__proto__=1')), [['__proto__', '1']]);
});

test('links spell out defaults, in the order of the real service', () => {
  const href = 'https://b.example/api/atlas/v2/orgs';
  const linksOf = (query: string, hasNext: boolean) => {
    const values = queryOf(`/x${query}`);
    return pageLinks({ href, operation: list, query: values, page: pageOf(list, values), hasNext });
  };
  assert.deepEqual(linksOf('', false), [{ href: `${href}?includeCount=true&pageNum=1&itemsPerPage=100`, rel: 'self' }]);
  assert.deepEqual(linksOf('?name=&pageNum=2&itemsPerPage=5', true), [
    { href: `${href}?includeCount=true&name=&pageNum=2&itemsPerPage=5`, rel: 'self' },
    { href: `${href}?includeCount=true&name=&itemsPerPage=5&pageNum=1`, rel: 'previous' },
    { href: `${href}?includeCount=true&name=&itemsPerPage=5&pageNum=3`, rel: 'next' },
  ]);
  const whole: Operation = { ...list, paging: 'none' };
  assert.deepEqual(pageLinks({ href, operation: whole, query: {}, page: pageOf(whole, {}), hasNext: false }), [
    { href, rel: 'self' },
  ]);
});
