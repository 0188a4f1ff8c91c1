import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Long, serialize, Timestamp } from 'bson';
import { readOplogEntry } from './entry.ts';

test('times, terms and the entry before are read as 64-bit numbers', () => {
  const prevOpTime = { ts: new Timestamp({ t: 0xfffffffe, i: 0xffffffff }), t: Long.fromNumber(7) };
  const fields = { ts: new Timestamp({ t: 10, i: 2 }), t: Long.fromNumber(3), op: 'n', ns: '', o: {}, prevOpTime };
  const entry = readOplogEntry(Buffer.from(serialize(fields)), 0);
  assert.equal(entry.ts, (10n << 32n) | 2n);
  assert.equal(entry.term, 3n);
  assert.equal(entry.previousTs, 0xfffffffe_ffffffffn);
});
