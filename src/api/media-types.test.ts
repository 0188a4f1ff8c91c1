import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceVersion } from '../../contract/operation.ts';
import { bodyType, contentTypeOf, deprecationHeaders, headerDate, negotiate } from './media-types.ts';

const first: ResourceVersion = { date: '2023-01-01', sunset: '2027-07-01', response: null };
const second: ResourceVersion = { date: '2024-05-30', response: null };
const versions = [first, second];
const nowMs = Date.parse('2026-11-22T10:00:00Z');
const vendor = (date: string) => `application/vnd.atlas.${date}+json`;

test('Accept names the version by a date on or after its release', () => {
  const table: [string | undefined, ResourceVersion | null][] = [
    [vendor('2023-01-01'), first],
    [vendor('2024-05-29'), first],
    [vendor('2024-05-30'), second],
    [vendor('2025-02-19'), second],
    [vendor('2026-11-22'), second],
    [`${vendor('2024-05-30')};charset=utf-8`, second],
    ['APPLICATION/VND.ATLAS.2023-01-01+JSON', first],
    [`text/html, ${vendor('2023-02-01')};q=0.5, */*`, first],
    [vendor('2026-11-23'), null],
    [vendor('2022-12-31'), null],
    [vendor('2024-02-30'), null],
    [vendor('2024-13-01'), null],
    [vendor('preview'), null],
    ['application/vnd.atlas.2024-05-30+csv', null],
    ['application/vnd.atlas.2024-05-30', null],
    ['application/json', null],
    ['*/*', null],
    ['', null],
    [undefined, null],
  ];
  for (const [accept, expected] of table) assert.equal(negotiate(versions, accept, nowMs), expected, accept);
});

test('a request body may be typed like the answer, plainly, or not at all', () => {
  const table: [string | undefined, ReturnType<typeof bodyType>][] = [
    [vendor('2023-06-01'), { version: first }],
    [`${vendor('2024-05-30')}; charset=utf-8`, { version: second }],
    ['application/json', { version: second }],
    ['application/json;charset=UTF-8', { version: second }],
    [undefined, { version: second }],
    [vendor('2022-01-01'), 'badVersion'],
    [vendor('tomorrow'), 'badVersion'],
    ['text/plain', 'unsupported'],
    ['application/x-www-form-urlencoded', 'unsupported'],
  ];
  for (const [contentType, expected] of table) {
    assert.deepEqual(bodyType(versions, contentType, second, nowMs), expected, contentType);
  }
});

test('the answer names the resource version and not the date that was asked for', () => {
  assert.equal(contentTypeOf(second), 'application/vnd.atlas.2024-05-30+json;charset=utf-8');
});

test('a superseded version announces its end, the newest nothing', () => {
  assert.deepEqual(deprecationHeaders(versions, first), {
    Deprecation: 'Thu, 30 May 2024 00:00:00 GMT',
    Sunset: 'Thu, 1 Jul 2027 00:00:00 GMT',
  });
  assert.deepEqual(deprecationHeaders(versions, second), {});
  const ended: ResourceVersion = { date: '2023-01-01', deprecated: '2020-03-23', response: null };
  assert.deepEqual(deprecationHeaders([ended], ended), { Deprecation: 'Mon, 23 Mar 2020 00:00:00 GMT' });
});

test('the day of a header date is not padded', () => {
  assert.equal(headerDate('2024-08-05'), 'Mon, 5 Aug 2024 00:00:00 GMT');
});
