import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Document, deserialize, serialize } from 'bson';
import { reduceOptions } from './reduce-options.ts';

const infoOf = (options: Document): Buffer => Buffer.from(serialize({ name: 'a', options, info: {} }));

/** What is left of the options, and what was refused, on a server that knows these names and the parts of a series. */
async function reduced(options: Document, known: readonly string[]) {
  const attempts: Document[] = [];
  const found = await reduceOptions(infoOf(options), async (info) => {
    const tried = deserialize(info).options as Document;
    attempts.push(tried);
    const names = Object.entries(tried).flatMap(([name, value]) =>
      name === 'timeseries' ? Object.keys(value).map((part) => `timeseries.${part}`) : [name],
    );
    if (names.includes('capped') !== names.includes('size')) return 'capped goes with size';
    const unknown = names.find((name) => !known.includes(name));
    return unknown === undefined ? null : `${unknown} is unknown`;
  });
  const left = found === null ? null : deserialize(found.info).options;
  return { left, refused: found?.refused ?? null, attempts: attempts.length };
}

test('only what the target refuses is left out, by name', async () => {
  const options = { capped: true, size: 4096, validator: { n: 1 }, fancy: 1, collation: { locale: 'de' } };
  assert.deepEqual(await reduced(options, ['capped', 'size', 'validator', 'collation']), {
    left: { capped: true, size: 4096, validator: { n: 1 }, collation: { locale: 'de' } },
    refused: [{ name: 'fancy', problem: 'fancy is unknown' }],
    attempts: 5,
  });
});

test('options that go together go together', async () => {
  const { left, refused } = await reduced({ capped: true, size: 4096, max: 7, validator: {} }, [
    'capped',
    'size',
    'validator',
  ]);
  assert.deepEqual([left, refused?.map(({ name }) => name)], [{ validator: {} }, ['capped, size, max']]);
});

test('a time series keeps what makes it one, and when its documents expire', async () => {
  const timeseries = { timeField: 't', metaField: 'm', granularity: 'hours', bucketMaxSpanSeconds: 3600 };
  const known = ['timeseries.timeField', 'timeseries.metaField', 'timeseries.granularity', 'expireAfterSeconds'];
  const { left, refused } = await reduced({ timeseries, expireAfterSeconds: 60 }, known);
  assert.deepEqual(left, {
    timeseries: { timeField: 't', metaField: 'm', granularity: 'hours' },
    expireAfterSeconds: 60,
  });
  assert.deepEqual(refused, [
    { name: 'timeseries.bucketMaxSpanSeconds', problem: 'timeseries.bucketMaxSpanSeconds is unknown' },
  ]);
  assert.equal((await reduced({ timeseries }, [])).left, null);
});
