import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, type Document, Long, serialize, Timestamp } from 'bson';
import { readOplogEntry } from './entry.ts';
import { visitEntry } from './touches.ts';

const A = '000102030405060708090a0b0c0d0e0f';
const ui = new Binary(Buffer.from(A, 'hex'), 4);

function entryOf(fields: Document): { buffer: Buffer; entry: ReturnType<typeof readOplogEntry> } {
  const buffer = Buffer.from(serialize({ ts: new Timestamp({ t: 10, i: 2 }), t: Long.fromNumber(3), ...fields }));
  return { buffer, entry: readOplogEntry(buffer, 0) };
}

interface Seen {
  touched: string[];
  inserted: number;
  deleted: number;
  updated: number;
  catalog: string[];
  reread: string[];
}

function visit(fields: Document): Seen {
  const { buffer, entry } = entryOf(fields);
  const seen: Seen = { touched: [], inserted: 0, deleted: 0, updated: 0, catalog: [], reread: [] };
  visitEntry(buffer, entry, {
    touched: (uuid, bytes, id) =>
      seen.touched.push(`${uuid === A ? 'A' : uuid}:${id.type}:${bytes.toString('hex', id.start, id.end)}`),
    inserted: () => seen.inserted++,
    deleted: () => seen.deleted++,
    updated: () => seen.updated++,
    catalogChanged: (name, db, uuid) => seen.catalog.push(`${name} ${db} ${uuid === A ? 'A' : uuid}`),
    rereadNeeded: (name, uuid) => seen.reread.push(`${name} ${uuid === A ? 'A' : uuid}`),
  });
  return seen;
}

const nothing: Seen = { touched: [], inserted: 0, deleted: 0, updated: 0, catalog: [], reread: [] };
const one = 'A:16:01000000';
const two = 'A:16:02000000';

const cases: [string, Document, Partial<Seen>][] = [
  ['insert', { op: 'i', ns: 'd.c', ui, o: { _id: 1, a: 1 } }, { touched: [one], inserted: 1 }],
  [
    'update by diff',
    { op: 'u', ns: 'd.c', ui, o: { $v: 2, diff: { u: { a: 1 } } }, o2: { _id: 1 } },
    { touched: [one], updated: 1 },
  ],
  [
    'replacement names the new id too',
    { op: 'u', ns: 'd.c', ui, o: { _id: 2, a: 1 }, o2: { _id: 1 } },
    { touched: [one, two], updated: 1 },
  ],
  ['delete', { op: 'd', ns: 'd.c', ui, o: { _id: 1 } }, { touched: [one], deleted: 1 }],
  ['no-op', { op: 'n', ns: '', o: { msg: 'periodic noop' } }, {}],
  ['container operation of 8.x', { op: 'ci', ns: 'd.c', ui, o: {} }, {}],
  ['operation nobody knows', { op: 'zz', ns: 'd.c', ui, o: {} }, { reread: ['op zz A'] }],
  ['create', { op: 'c', ns: 'd.$cmd', ui, o: { create: 'c' } }, { catalog: ['create d A'] }],
  [
    'rename',
    { op: 'c', ns: 'd.$cmd', ui, o: { renameCollection: 'd.c', to: 'd.e' } },
    { catalog: ['renameCollection d A'] },
  ],
  ['drop of a database', { op: 'c', ns: 'd.$cmd', o: { dropDatabase: 1 } }, { catalog: ['dropDatabase d null'] }],
  ['index build started', { op: 'c', ns: 'd.$cmd', ui, o: { startIndexBuild: 'c' } }, {}],
  [
    'index build committed',
    { op: 'c', ns: 'd.$cmd', ui, o: { commitIndexBuild: 'c' } },
    { catalog: ['commitIndexBuild d A'] },
  ],
  [
    'command nobody knows',
    { op: 'c', ns: 'd.$cmd', ui, o: { brandNew: 'c' } },
    { catalog: ['brandNew d A'], reread: ['brandNew A'] },
  ],
  [
    'range of record ids truncated',
    { op: 'c', ns: 'd.$cmd', ui, o: { truncateRange: 'd.c', minRecordId: 1, maxRecordId: 9 } },
    { catalog: ['truncateRange d A'], reread: ['truncateRange A'] },
  ],
  [
    'range of pre-images truncated',
    { op: 'c', ns: 'config.$cmd', ui, o: { truncateRange: 'config.system.preimages', minRecordId: 1, maxRecordId: 9 } },
    {},
  ],
  [
    'the same, named without its database',
    { op: 'c', ns: 'config.$cmd', ui, o: { truncateRange: 'system.preimages' } },
    {},
  ],
  ['routing metadata of a shard', { op: 'c', ns: 'd.$cmd', ui, o: { invalidateCollectionMetadata: 'c' } }, {}],
  [
    'insert whose record id is replicated',
    { op: 'i', ns: 'd.c', ui, o: { _id: 1 }, o2: { _id: 1 }, rid: Long.fromNumber(7) },
    { touched: [one], inserted: 1 },
  ],
  [
    'container operations among inserts',
    {
      op: 'c',
      ns: 'admin.$cmd',
      o: {
        applyOps: [
          {
            op: 'ci',
            ns: 'd.c',
            container: 'internal-x',
            o: { k: Long.fromNumber(1), v: new Binary(Buffer.from('a')) },
          },
          { op: 'i', ns: 'd.c', ui, o: { _id: 1 }, o2: { _id: 1 }, rid: Long.fromNumber(8) },
          { op: 'cd', ns: 'd.c', container: 'internal-x', o: { k: Long.fromNumber(1) } },
        ],
      },
      multiOpType: 1,
    },
    { touched: [one], inserted: 1 },
  ],
  ['key material of an encrypted oplog', { op: 'km', ns: '', o: { keyId: 1 } }, {}],
  [
    'time series converted',
    { op: 'c', ns: 'd.$cmd', ui, o: { upgradeDowngradeViewlessTimeseries: 's' } },
    { catalog: ['upgradeDowngradeViewlessTimeseries d A'] },
  ],
  [
    'view defined',
    { op: 'i', ns: 'd.system.views', ui, o: { _id: 'd.v' } },
    { catalog: ['system.views d null'], inserted: 1, touched: ['A:2:04000000642e7600'] },
  ],
  [
    'applyOps, nested',
    {
      op: 'c',
      ns: 'admin.$cmd',
      o: {
        applyOps: [
          { op: 'i', ns: 'd.c', ui, o: { _id: 1 } },
          { op: 'c', ns: 'd.$cmd', o: { applyOps: [{ op: 'd', ns: 'd.c', ui, o: { _id: 2 } }] } },
          { op: 'c', ns: 'd.$cmd', ui, o: { create: 'x' } },
        ],
      },
    },
    { touched: [one, two], inserted: 1, deleted: 1, catalog: ['create d A'] },
  ],
  [
    'write without a UUID in a taken collection',
    { op: 'i', ns: 'd.c', o: { _id: 1 } },
    { reread: ['op i on d.c without a UUID null'] },
  ],
  ['write without a UUID in a collection of the node', { op: 'i', ns: 'local.c', o: { _id: 1 } }, {}],
];

for (const [name, fields, expected] of cases) {
  test(`an entry says what it touched: ${name}`, () => {
    assert.deepEqual(visit(fields), { ...nothing, ...expected });
  });
}
