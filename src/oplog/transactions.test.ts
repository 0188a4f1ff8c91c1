import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, type Document, Long, serialize, Timestamp } from 'bson';
import { readOplogEntry } from './entry.ts';
import { decisionOf, isPrepared, isUnfinishedTransactionEntry, mayCloseChain } from './transactions.ts';

const ui = new Binary(Buffer.alloc(16, 7), 4);
const before = { ts: new Timestamp({ t: 9, i: 1 }), t: Long.fromNumber(3) };
const none = { ts: new Timestamp({ t: 0, i: 0 }), t: Long.fromNumber(-1) };

function entryOf(fields: Document): { buffer: Buffer; entry: ReturnType<typeof readOplogEntry> } {
  const buffer = Buffer.from(serialize({ ts: new Timestamp({ t: 10, i: 2 }), t: Long.fromNumber(3), ...fields }));
  return { buffer, entry: readOplogEntry(buffer, 0) };
}

test('chains are followed from what takes effect, through what waits for it, and not through retryable writes', () => {
  const partial = entryOf({ op: 'c', ns: 'admin.$cmd', o: { applyOps: [], partialTxn: true }, prevOpTime: none });
  const last = entryOf({ op: 'c', ns: 'admin.$cmd', o: { applyOps: [], count: 5 }, prevOpTime: before });
  const prepare = entryOf({ op: 'c', ns: 'admin.$cmd', o: { applyOps: [], prepare: true }, prevOpTime: before });
  const commit = entryOf({
    op: 'c',
    ns: 'admin.$cmd',
    o: { commitTransaction: 1, commitTimestamp: new Timestamp({ t: 8, i: 4 }) },
    prevOpTime: before,
  });
  const retryable = entryOf({ op: 'i', ns: 'd.c', ui, o: { _id: 1 }, prevOpTime: before });
  const alone = entryOf({ op: 'c', ns: 'admin.$cmd', o: { applyOps: [] }, prevOpTime: none });
  const flags = (found: typeof last) => [
    mayCloseChain(found.buffer, found.entry),
    isUnfinishedTransactionEntry(found.buffer, found.entry),
  ];
  assert.deepEqual(flags(partial), [false, true]);
  assert.deepEqual(flags(last), [true, false]);
  assert.deepEqual(flags(prepare), [true, true]);
  assert.deepEqual(flags(commit), [true, false]);
  assert.deepEqual(flags(retryable), [false, false]);
  assert.deepEqual(flags(alone), [false, false]);
  assert.deepEqual(decisionOf(commit.buffer, commit.entry), { visibleAt: (8n << 32n) | 4n });
  const abort = entryOf({ op: 'c', ns: 'admin.$cmd', o: { abortTransaction: 1 }, prevOpTime: before });
  assert.deepEqual(decisionOf(abort.buffer, abort.entry), { visibleAt: null });
  for (const { buffer, entry } of [last, retryable]) assert.equal(decisionOf(buffer, entry), null);
  const marked = [partial, last, prepare, commit].map(({ buffer, entry }) => isPrepared(buffer, entry));
  assert.deepEqual(marked, [false, false, true, false]);
});

test('a vectored insert of 8.0 takes effect by itself, whatever entry is before it', () => {
  const inserts = [
    { op: 'i', ns: 'd.c', ui, o: { _id: 1 }, o2: { _id: 1 } },
    { op: 'i', ns: 'd.c', ui, o: { _id: 2 }, o2: { _id: 2 } },
  ];
  const session = { lsid: { id: ui, uid: new Binary(Buffer.alloc(32), 0) }, txnNumber: Long.fromNumber(5) };
  const fields = { op: 'c', ns: 'admin.$cmd', o: { applyOps: inserts }, ...session, stmtId: [0, 1] };
  const separate = entryOf({ ...fields, prevOpTime: before, multiOpType: 1 });
  assert.equal(mayCloseChain(separate.buffer, separate.entry), false);
  assert.equal(isUnfinishedTransactionEntry(separate.buffer, separate.entry), false);
  // Without the mark it is the last entry of a transaction.
  const last = entryOf({ ...fields, prevOpTime: before, multiOpType: 0 });
  assert.equal(mayCloseChain(last.buffer, last.entry), true);
});
