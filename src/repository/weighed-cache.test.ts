import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeighedCache } from './weighed-cache.ts';

const weightOf = (value: string): number => value.length;

test('what was not asked for the longest goes first, and the weight stays below the most', async () => {
  const cache = new WeighedCache<string>(10);
  const made: string[] = [];
  const get = async (name: string, value: string) =>
    await cache.get(
      name,
      async () => {
        made.push(name);
        return value;
      },
      weightOf,
    );
  await get('a', '1234');
  await get('b', '1234');
  await get('a', 'not made again');
  await get('c', '1234');
  assert.equal(cache.weight, 8);
  assert.equal(await get('a', '-'), '1234');
  await get('b', '12');
  await get('heavy', 'more than all the room');
  assert.equal(await get('a', '-'), '1234');
  assert.deepEqual(made, ['a', 'b', 'c', 'b', 'heavy']);
});

test('a value that is being made is made once, and a failure is forgotten', async () => {
  const cache = new WeighedCache<string>(10);
  let made = 0;
  const failing = async (): Promise<string> => {
    made++;
    throw new Error('not now');
  };
  const both = await Promise.allSettled([cache.get('a', failing, weightOf), cache.get('a', failing, weightOf)]);
  assert.deepEqual([made, both.map(({ status }) => status)], [1, ['rejected', 'rejected']]);
  assert.equal(await cache.get('a', async () => 'now', weightOf), 'now');
});
