import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { documentWith, idsOfEveryType, int32Id } from '../../../test/support/raw-documents.ts';
import { Damage } from '../../lib/errors.ts';
import { decodeFilters, encodeFilters, hashesOf, IdFilterBuilder, mayHold } from './id-filter.ts';

const seed = 99;
const holds = (filter: Buffer, id: Buffer): boolean =>
  mayHold(filter, hashesOf(id, { type: id[0] as number, start: 1, end: id.length }, seed));

function filterOf(ids: readonly Buffer[]): Buffer {
  const builder = new IdFilterBuilder(seed);
  for (const id of ids) builder.add(documentWith(id, Buffer.from('content')));
  return builder.build();
}

const numeric = (type: number, write: (value: Buffer) => void, bytes = 8): Buffer => {
  const id = Buffer.alloc(1 + bytes);
  id[0] = type;
  write(id.subarray(1));
  return id;
};
const int64Id = (n: bigint): Buffer => numeric(0x12, (value) => void value.writeBigInt64LE(n));
const doubleId = (n: number): Buffer => numeric(0x01, (value) => void value.writeDoubleLE(n));

test('a filter holds every id that was put in, of every type', () => {
  const ids = idsOfEveryType();
  const filter = filterOf(ids);
  for (const id of ids) assert.ok(holds(filter, id), id.toString('hex'));
  for (const id of ids) assert.ok(holds(filterOf([id]), id), id.toString('hex'));
});

test('numbers that a server holds equal are found under each other', () => {
  fc.assert(
    fc.property(fc.integer(), (n) => {
      const forms = [int32Id(n), int64Id(BigInt(n)), doubleId(n)];
      for (const stored of forms) for (const wanted of forms) assert.ok(holds(filterOf([stored]), wanted));
    }),
    { numRuns: 50 },
  );
  for (const big of [2 ** 53, -(2 ** 60), 2 ** 62]) {
    assert.ok(holds(filterOf([doubleId(big)]), int64Id(BigInt(big))));
    assert.ok(holds(filterOf([int64Id(BigInt(big))]), doubleId(big)));
  }
  assert.ok(holds(filterOf([doubleId(-0)]), int32Id(0)));
  assert.ok(holds(filterOf([doubleId(2 ** 63)]), doubleId(2 ** 63)));
  const otherNaN = numeric(0x01, (value) => void value.writeBigUInt64LE(0x7ff8_0000_0000_0001n));
  assert.ok(holds(filterOf([otherNaN]), doubleId(Number.NaN)));
});

test('of ids that were not put in about one in a hundred passes', () => {
  const filter = filterOf(Array.from({ length: 5000 }, (_, n) => int32Id(n)));
  assert.ok(filter.length <= (5000 * 10) / 8 + 1);
  let passed = 0;
  for (let n = 5000; n < 25_000; n++) if (holds(filter, int32Id(n))) passed++;
  assert.ok(passed < 400, `${passed} of 20,000`);
});

test('filters come back in their order, and what are none are damage', () => {
  const filters = [filterOf([]), filterOf([int32Id(1)]), filterOf(idsOfEveryType())];
  const payload = encodeFilters(filters);
  assert.deepEqual(decodeFilters(payload, 'x'), filters);
  for (const broken of [payload.subarray(0, -1), payload.subarray(1), Buffer.alloc(4), Buffer.alloc(3)]) {
    assert.throws(() => decodeFilters(broken, 'x'), Damage);
  }
});
