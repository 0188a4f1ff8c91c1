import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, type Document, Long, serialize, Timestamp } from 'bson';
import { readOplogEntry } from '../../oplog/entry.ts';
import { DocumentTrails } from './document-trails.ts';
import { changesOf } from './entry-changes.ts';

const A = 'aa000000000000000000000000000000';
const B = 'bb000000000000000000000000000000';
const ui = (uuid: string) => new Binary(Buffer.from(uuid, 'hex'), 4);
const bytes = (document: Document) => Buffer.from(serialize(document));
const stored = bytes({ _id: 1, a: 0 });

/** What is told of the document of `d.c` when the entries follow the snapshot, in which A bears the name. */
async function told(...entries: Document[]): Promise<string[]> {
  const trails = new DocumentTrails('d.c');
  const found = await trails.begin(async () => stored, A, 1n);
  for (const [index, fields] of entries.entries()) {
    const entry = bytes({ ts: new Timestamp({ t: 10 + index, i: 1 }), t: Long.fromNumber(1), ...fields });
    for (const change of changesOf(entry, readOplogEntry(entry, 0), () => true))
      found.push(...(await trails.take(change, { at: BigInt(index), transaction: null })));
  }
  return found.map(({ operation, content, cause }) => `${operation} ${content}${cause === null ? '' : ` ${cause}`}`);
}

const renamed = { op: 'c', ns: 'd.$cmd', ui: ui(B), o: { renameCollection: 'd.b', to: 'd.c' } };
const diff = (uuid: string) => ({
  op: 'u',
  ns: 'd.c',
  ui: ui(uuid),
  o: { $v: 2, diff: { u: { a: 1 } } },
  o2: { _id: 1 },
});
const LOST = 'unknown `brandNew`, which this version cannot follow';

test('a command that nobody knows makes the document unknown, until it is written whole again', async () => {
  const command = { op: 'c', ns: 'd.$cmd', ui: ui(A), o: { brandNew: 'c' } };
  const whole = { op: 'i', ns: 'd.c', ui: ui(A), o: { _id: 1, a: 2 } };
  assert.deepEqual(await told(command, diff(A), whole), [
    'snapshot document',
    `update ${LOST}`,
    `update ${LOST}`,
    'insert document',
  ]);
});

test('one that names no collection makes the document of all of them unknown', async () => {
  const command = { op: 'c', ns: 'd.$cmd', o: { brandNew: 'x' } };
  assert.deepEqual(await told(command, renamed), ['snapshot document', `update ${LOST}`, `renameCollection ${LOST}`]);
});

test('one about a collection that gets the name later is not forgotten', async () => {
  const command = { op: 'c', ns: 'd.$cmd', ui: ui(B), o: { brandNew: 'b' } };
  assert.deepEqual(await told(renamed), ['snapshot document', 'renameCollection document']);
  assert.deepEqual(await told(command, renamed), ['snapshot document', `renameCollection ${LOST}`]);
  assert.deepEqual(await told({ ...diff(B), ns: 'd.b' }, command, renamed), [
    'snapshot document',
    `renameCollection ${LOST}`,
  ]);
});

test('an operation that nobody knows is not passed over either', async () => {
  const lost = 'update unknown `zz`, which this version cannot follow';
  assert.deepEqual(await told({ op: 'zz', ns: 'd.c', ui: ui(A), o: { _id: 1 } }), ['snapshot document', lost]);
  assert.deepEqual(await told({ op: 'ci', ns: 'd.c', ui: ui(A), o: {} }), ['snapshot document']);
});
