import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, type Document, deserialize, Long, serialize, Timestamp } from 'bson';
import { Fault } from '../../lib/errors.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import { type PlanReplayOptions, planReplay, type ReplayPlan } from './plan-replay.ts';
import { createReplayState, listState, type ReplayedSource } from './replay-state.ts';

const A = 'aa000000000000000000000000000000';
const B = 'bb000000000000000000000000000000';
const C = 'cc000000000000000000000000000000';
/** The snapshot's T. */
const T = 100;

const ui = (uuid: string) => new Binary(Buffer.from(uuid, 'hex'), 4);
const at = (seconds: number) => new Timestamp({ t: seconds, i: 1 });
const ts = (seconds: number) => (BigInt(seconds) << 32n) | 1n;
const bytes = (document: Document) => Buffer.from(serialize(document, { ignoreUndefined: true }));

/** An entry at that second; `previous` links it to an earlier one of its transaction. */
function entry(seconds: number, fields: Document, previous?: number): Buffer {
  const prevOpTime = previous === undefined ? undefined : { ts: at(previous), t: Long.fromNumber(1) };
  return bytes({ ts: at(seconds), t: Long.fromNumber(1), prevOpTime, ...fields });
}

const command = (seconds: number, db: string, o: Document, uuid?: string) =>
  entry(seconds, { op: 'c', ns: `${db}.$cmd`, ...(uuid === undefined ? {} : { ui: ui(uuid) }), o });
const insert = (uuid: string, ns: string, o: Document) => ({ op: 'i', ns, ui: ui(uuid), o });
const part = (seconds: number, operations: Document[], flags: Document, previous?: number) =>
  entry(seconds, { op: 'c', ns: 'admin.$cmd', o: { applyOps: operations, ...flags } }, previous);
const commit = (seconds: number, visibleFrom: number, previous: number) =>
  entry(
    seconds,
    { op: 'c', ns: 'admin.$cmd', o: { commitTransaction: 1, commitTimestamp: at(visibleFrom) } },
    previous,
  );
const abort = (seconds: number, previous: number) =>
  entry(seconds, { op: 'c', ns: 'admin.$cmd', o: { abortTransaction: 1 } }, previous);

function collection(uuid: string, db: string, name: string, more: Partial<CollectionEntry> = {}): CollectionEntry {
  const info = bytes({ name, type: 'collection', options: {} });
  const indexes = [bytes({ v: 2, key: { _id: 1 }, name: '_id_' })];
  return { db, name, type: 'collection', uuid, info, indexes, documents: 1, bytes: 1, layers: [], ...more };
}

interface Given {
  entries: Buffer[];
  collections?: CollectionEntry[];
  held?: Record<string, Document[]>;
  /** At or before T. */
  earlier?: Record<number, Buffer>;
  until?: number;
  inclusive?: boolean;
  of?: ReplayedSource;
  more?: Pick<PlanReplayOptions, 'decisions' | 'searchTo' | 'progress'>;
}

async function plan(given: Given): Promise<ReplayPlan> {
  const held = Object.entries(given.held ?? {}).map(([name, documents]) => [name, documents.map(bytes)] as const);
  return await planReplay({
    state: createReplayState(given.collections ?? [collection(A, 'app', 'a')], new Map(held), given.of),
    from: ts(T),
    end: { ts: ts(given.until ?? 200), inclusive: given.inclusive ?? true },
    source: {
      async *entries() {
        for (const buffer of given.entries) yield buffer;
      },
      earlier: async (time) => given.earlier?.[Number(time >> 32n)] ?? null,
    },
    signal: new AbortController().signal,
    ...given.more,
  });
}

/** `db.name` and UUID of what there is at the end. */
async function listed(given: Given): Promise<string[]> {
  return listState((await plan(given)).state)
    .map((found) => `${found.db}.${found.name} ${found.uuid?.slice(0, 2) ?? found.type}`)
    .sort();
}

async function indexNames(given: Given): Promise<Document[]> {
  const found = listState((await plan(given)).state).find(({ uuid }) => uuid === A);
  return (found?.indexes ?? []).map((index) => deserialize(index)).filter(({ name }) => name !== '_id_');
}

const catalog: [string, Buffer[], string[]][] = [
  ['create', [command(101, 'app', { create: 'b' }, B)], ['app.a aa', 'app.b bb']],
  ['drop', [command(101, 'app', { drop: 'a' }, A)], []],
  [
    'drop and create again: another collection',
    [command(101, 'app', { drop: 'a' }, A), command(102, 'app', { create: 'a' }, B)],
    ['app.a bb'],
  ],
  ['drop of the database', [command(101, 'app', { dropDatabase: 1 })], []],
  ['rename', [command(101, 'app', { renameCollection: 'app.a', to: 'app.z.z' }, A)], ['app.z.z aa']],
  [
    'rename over another, by UUID',
    [
      command(101, 'app', { create: 'b' }, B),
      command(102, 'app', { renameCollection: 'app.b', to: 'app.a', dropTarget: ui(A) }, B),
    ],
    ['app.a bb'],
  ],
  [
    'rename over another, as older servers said it',
    [
      command(101, 'app', { create: 'b' }, B),
      command(102, 'app', { renameCollection: 'app.b', to: 'app.a', dropTarget: true }, B),
    ],
    ['app.a bb'],
  ],
  ['a collection that is never taken', [command(101, 'config', { create: 'transactions' }, B)], ['app.a aa']],
  ['an index build that is not committed', [command(101, 'app', { startIndexBuild: 'a' }, A)], ['app.a aa']],
  [
    'a view',
    [entry(101, insert(C, 'app.system.views', { _id: 'app.v', viewOn: 'a', pipeline: [] }))],
    ['app.a aa', 'app.v view'],
  ],
  [
    'a view and its database dropped',
    [
      entry(101, insert(C, 'app.system.views', { _id: 'app.v', viewOn: 'a', pipeline: [] })),
      command(102, 'app', { drop: 'system.views' }, C),
    ],
    ['app.a aa'],
  ],
  [
    'a time series is a bucket collection and a view',
    [
      command(101, 'app', { create: 'system.buckets.s', timeseries: { timeField: 't' }, clusteredIndex: true }, B),
      entry(102, insert(C, 'app.system.views', { _id: 'app.s', viewOn: 'system.buckets.s', pipeline: [] })),
    ],
    ['app.a aa', 'app.s timeseries', 'app.system.buckets.s bb'],
  ],
  [
    'a transaction that creates',
    [part(101, [{ op: 'c', ns: 'app.$cmd', ui: ui(B), o: { create: 'b' } }, insert(B, 'app.b', { _id: 1 })], {})],
    ['app.a aa', 'app.b bb'],
  ],
];

for (const [name, entries, expected] of catalog) {
  test(`catalog: ${name}`, async () => {
    assert.deepEqual(await listed({ entries }), expected);
  });
}

test('the index on _id keeps its version through creations and renames', async () => {
  const idIndex = { v: 2, key: { _id: 1 }, name: '_id_' };
  const entries = [
    command(101, 'app', { create: 'b', idIndex }, B),
    command(102, 'app', { renameCollection: 'app.b', to: 'app.c' }, B),
  ];
  const { state } = await plan({ entries });
  const created = listState(state).find((one) => one.uuid === B);
  assert.deepEqual(deserialize(created?.info ?? bytes({})), {
    ...{ name: 'c', type: 'collection', options: {} },
    idIndex,
  });
});

test('the end is where it was said to be, with or without the entry at it', async () => {
  const entries = [command(101, 'app', { create: 'b' }, B), command(150, 'app', { create: 'c' }, C)];
  assert.deepEqual(await listed({ entries, until: 150 }), ['app.a aa', 'app.b bb', 'app.c cc']);
  assert.deepEqual(await listed({ entries, until: 150, inclusive: false }), ['app.a aa', 'app.b bb']);
  const read = await plan({ entries: [Buffer.concat(entries)], until: 150, inclusive: false });
  assert.deepEqual([read.entries, read.lastTs], [1, ts(101)]);
});

test('a point before the snapshot is refused', async () => {
  for (const end of [{ until: 99 }, { until: 100, inclusive: false }])
    await assert.rejects(
      plan({ entries: [], ...end }),
      (error) => error instanceof Fault && /later than/.test(error.message),
    );
  assert.deepEqual(await listed({ entries: [], until: 100 }), ['app.a aa']);
});

test('entries at or before T are passed over', async () => {
  assert.deepEqual(await listed({ entries: [command(100, 'app', { drop: 'a' }, A)] }), ['app.a aa']);
});

test('a temporary collection becomes a lasting one when it is renamed', async () => {
  const entries = [
    command(101, 'app', { create: 'tmp', temp: true, size: 5, idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } }, B),
    command(102, 'app', { renameCollection: 'app.tmp', to: 'app.b', stayTemp: false }, B),
  ];
  const found = listState((await plan({ entries })).state).find(({ uuid }) => uuid === B);
  assert.deepEqual(deserialize(found?.info ?? Buffer.alloc(0)), {
    name: 'b',
    type: 'collection',
    options: { size: 5 },
    idIndex: { v: 2, key: { _id: 1 }, name: '_id_' },
  });
});

test('a collection of which the oplog does not say what index on _id it has, has one of version 1', async () => {
  const entries = [
    command(101, 'app', { create: 'old', collation: { locale: 'en' } }, B),
    command(102, 'app', { create: 'clustered', clusteredIndex: true }, C),
  ];
  const found = listState((await plan({ entries })).state);
  const infoOf = (uuid: string) => deserialize(found.find((entry) => entry.uuid === uuid)?.info ?? Buffer.alloc(0));
  assert.deepEqual(infoOf(B).idIndex, { v: 1, key: { _id: 1 }, name: '_id_' });
  assert.equal(infoOf(C).idIndex, undefined);
});

test('the indexes follow every change', async () => {
  const build = command(
    101,
    'app',
    {
      commitIndexBuild: 'a',
      indexes: [
        { v: 2, key: { k: 1 }, name: 'k' },
        { v: 2, key: { t: 1 }, name: 't', expireAfterSeconds: 5 },
      ],
    },
    A,
  );
  const modify = (seconds: number, index: Document) => command(seconds, 'app', { collMod: 'a', index }, A);
  assert.deepEqual(
    await indexNames({
      entries: [
        build,
        command(102, 'app', { createIndexes: 'a', v: 2, key: { z: 1 }, name: 'z' }, A),
        modify(103, { name: 'k', hidden: true, prepareUnique: true }),
        modify(104, { keyPattern: { k: 1 }, unique: true }),
        modify(105, { name: 't', expireAfterSeconds: 9 }),
        command(106, 'app', { dropIndexes: 'a', index: 'z' }, A),
      ],
    }),
    [
      { v: 2, key: { k: 1 }, name: 'k', hidden: true, unique: true },
      { v: 2, key: { t: 1 }, name: 't', expireAfterSeconds: 9 },
    ],
  );
  assert.deepEqual(
    await indexNames({
      entries: [build, modify(102, { name: 'k', hidden: true }), modify(103, { name: 'k', hidden: false })],
    }),
    [
      { v: 2, key: { k: 1 }, name: 'k' },
      { v: 2, key: { t: 1 }, name: 't', expireAfterSeconds: 5 },
    ],
  );
  assert.deepEqual(
    await indexNames({ entries: [build, command(102, 'app', { dropIndexes: 'a', index: '*' }, A)] }),
    [],
  );
});

test('users are held as documents through inserts, replacements, diffs and deletions', async () => {
  const users = 'admin.system.users';
  const given: Given = {
    held: { [users]: [{ _id: 'app.u', roles: [] }, { _id: 'app.v', n: 1 }, { _id: 'app.w' }] },
    entries: [
      entry(101, {
        op: 'u',
        ns: users,
        ui: ui(B),
        o: { $v: 2, diff: { u: { roles: ['read'] } } },
        o2: { _id: 'app.u' },
      }),
      entry(102, { op: 'u', ns: users, ui: ui(B), o: { _id: 'app.v', n: 2 }, o2: { _id: 'app.v' } }),
      entry(103, { op: 'd', ns: users, ui: ui(B), o: { _id: 'app.w' } }),
      entry(104, insert(B, users, { _id: 'app.x' })),
    ],
  };
  const held = (await plan(given)).state.held.get(users);
  assert.deepEqual(
    [...(held?.values() ?? [])].map((document) => deserialize(document)),
    [{ _id: 'app.u', roles: ['read'] }, { _id: 'app.v', n: 2 }, { _id: 'app.x' }],
  );
});

const write = insert(A, 'app.a', { _id: 1 });
const prepared = part(110, [write], { prepare: true });
const parts = [
  part(110, [write], { partialTxn: true }),
  part(111, [write], { partialTxn: true }, 110),
  part(112, [write], {}, 111),
];

const transactions: [string, Partial<Given>, { skipped?: number[]; before?: number[]; undecided?: number }][] = [
  ['of several entries', { entries: parts }, {}],
  ['of several entries, the end among them', { entries: parts, until: 111 }, { skipped: [110, 111] }],
  ['prepared and committed', { entries: [prepared, commit(120, 115, 110)] }, {}],
  ['prepared and aborted', { entries: [prepared, abort(120, 110)] }, { skipped: [110] }],
  ['committed past the end, visible before it', { entries: [prepared, commit(120, 115, 110)], until: 117 }, {}],
  ['committed past the end, visible at it', { entries: [prepared, commit(120, 117, 110)], until: 117 }, {}],
  [
    'committed past the end, visible at it, which is left out',
    { entries: [prepared, commit(120, 117, 110)], until: 117, inclusive: false },
    { skipped: [110] },
  ],
  ['visible only past the end', { entries: [prepared, commit(120, 118, 110)], until: 117 }, { skipped: [110] }],
  ['never decided', { entries: [prepared] }, { skipped: [110], undecided: 1 }],
  [
    'begun before T in several entries',
    {
      entries: [part(101, [write], {}, 99)],
      earlier: { 98: part(98, [write], { partialTxn: true }), 99: part(99, [write], { partialTxn: true }, 98) },
    },
    { before: [98, 99] },
  ],
  [
    'prepared before T',
    { entries: [commit(120, 115, 99)], earlier: { 99: part(99, [write], { prepare: true }) } },
    { before: [99] },
  ],
  [
    'prepared before T and visible at it: in the snapshot',
    { entries: [commit(120, 100, 99)], earlier: { 99: part(99, [write], { prepare: true }) } },
    {},
  ],
  [
    'not a transaction: retryable inserts, linked like one',
    { entries: [part(101, [write], { multiOpType: 1 }, 99)], earlier: { 99: part(99, [write], {}) } },
    {},
  ],
];

for (const [name, given, expected] of transactions) {
  test(`transaction ${name}`, async () => {
    const found = await plan({ entries: [], ...given });
    assert.deepEqual(
      [...found.skipped].map(Number),
      (expected.skipped ?? []).map((second) => Number(ts(second))),
    );
    assert.deepEqual(
      found.before.map(Number),
      (expected.before ?? []).map((second) => Number(ts(second))),
    );
    assert.equal(found.undecided.length, expected.undecided ?? 0);
  });
}

test('a collection created by a transaction that is never committed is not there', async () => {
  const create = { op: 'c', ns: 'app.$cmd', ui: ui(B), o: { create: 'b' } };
  const entries = [part(101, [create], { partialTxn: true }), part(102, [insert(B, 'app.b', { _id: 1 })], {}, 101)];
  assert.deepEqual(await listed({ entries }), ['app.a aa', 'app.b bb']);
  assert.deepEqual(await listed({ entries, until: 101 }), ['app.a aa']);
});

const refusals: [string, Buffer[], RegExp][] = [
  ['a command nobody knows', [command(101, 'app', { importCollection: 'x' }, A)], /`importCollection`/],
  ['an operation nobody knows', [entry(101, { op: 'zz', ns: 'app.a', o: {} })], /`zz`/],
  ['one inside a transaction', [part(101, [{ op: 'c', ns: 'app.$cmd', o: { brandNew: 1 } }], {})], /`brandNew`/],
  ['a write to a collection nobody knows', [entry(101, insert(B, 'app.b', { _id: 1 }))], /app\.b \(bb/],
  ['a write without a UUID', [entry(101, { op: 'i', ns: 'app.b', o: { _id: 1 } })], /no UUID/],
  ['a drop of a collection nobody knows', [command(101, 'app', { drop: 'b' }, B)], /`drop` for app\.b/],
  [
    'a rename from what is never taken',
    [command(101, 'app', { renameCollection: 'app.system.resharding.x', to: 'app.b' }, B)],
    /app\.b/,
  ],
  [
    'an index that is not there',
    [command(101, 'app', { dropIndexes: 'a', index: 'k' }, A)],
    /`dropIndexes` of an index/,
  ],
  ['entries out of order', [command(102, 'app', { create: 'b' }, B), command(101, 'app', { create: 'c' }, C)], /order/],
  ['a transaction whose beginning is gone', [commit(120, 115, 99)], /beginning of a transaction/],
];

for (const [name, entries, message] of refusals) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(plan({ entries }), (error) => error instanceof Fault && message.test(error.message));
  });
}

const index = (seconds: number, name: string) =>
  command(seconds, 'app', { createIndexes: 'a', v: 2, key: { [name]: 1 }, name, unique: true }, A);
const modify = (seconds: number, o: Document, of = A) => command(seconds, 'app', { collMod: 'a', ...o }, of);

test('a unique index can be made an ordinary one', async () => {
  const entries = [index(101, 'k'), modify(102, { index: { name: 'k', forceNonUnique: true } })];
  assert.deepEqual(await indexNames({ entries }), [{ v: 2, key: { k: 1 }, name: 'k' }]);
});

/** Names of what is left out, and of the indexes that are there. */
async function leftOutOf(entries: Buffer[]): Promise<{ leftOut: string[]; indexes: string[] }> {
  const leftOut = (await plan({ entries })).leftOut.map(
    ({ namespace, kind, name }) => `${kind} ${name} of ${namespace}`,
  );
  return { leftOut, indexes: (await indexNames({ entries })).map(({ name }) => String(name)) };
}

test('an index of which something unknown was changed is left out by name, and no other', async () => {
  const entries = [index(101, 'k'), index(102, 'l'), modify(103, { index: { name: 'k', hidden: true, glow: 1 } })];
  assert.deepEqual(await leftOutOf(entries), { leftOut: ['index k of app.a'], indexes: ['l'] });
  const renamed = command(104, 'app', { renameCollection: 'app.a', to: 'app.b' }, A);
  assert.deepEqual((await leftOutOf([...entries, renamed])).leftOut, ['index k of app.b']);
  const again = modify(104, { index: { name: 'k', hidden: false } });
  assert.deepEqual((await leftOutOf([...entries, again])).leftOut, ['index k of app.a'], 'it stays unknown');
  const { leftOut } = await plan({ entries: [...entries, modify(104, { index: { name: 'k', shine: 1 } })] });
  assert.match(leftOut[0]?.problem ?? '', /glow, shine/);
});

test('an index that was made again, or is gone in the end, is none that is left out', async () => {
  const entries = [index(101, 'k'), modify(102, { index: { name: 'k', glow: 1 } })];
  const dropped = [...entries, command(103, 'app', { dropIndexes: 'a', index: 'k' }, A)];
  assert.deepEqual(await leftOutOf(dropped), { leftOut: [], indexes: [] });
  assert.deepEqual(await leftOutOf([...dropped, index(104, 'k')]), { leftOut: [], indexes: ['k'] });
  assert.deepEqual(await leftOutOf([...entries, command(103, 'app', { drop: 'a' }, A)]), { leftOut: [], indexes: [] });
});

test('of the index on _id a change that is not known is told, and the index kept', async () => {
  const { leftOut, state } = await plan({ entries: [modify(101, { index: { name: '_id_', glow: 1 } })] });
  assert.deepEqual(
    leftOut.map(({ name }) => name),
    ['_id_'],
  );
  assert.equal(state.collections.get(A)?.indexes.length, 1);
});

test('unknown options are left out by name, once, also those of a time series', async () => {
  const entries = [
    modify(101, { validator: { a: 1 }, shine: 1 }),
    modify(102, { shine: 2, timeseries: { granularity: 'hours', glitter: 1 } }),
    modify(103, { timeseries: { glitter: 2 } }),
  ];
  assert.deepEqual((await leftOutOf(entries)).leftOut, ['option shine of app.a', 'option timeseries.glitter of app.a']);
});

test('what is never taken may do as it likes', async () => {
  const entries = [
    entry(101, insert(B, 'config.transactions', { _id: 1 })),
    entry(102, { op: 'i', ns: 'local.x', o: { _id: 1 } }),
    entry(103, { op: 'n', ns: '', o: { msg: 'periodic noop' } }),
  ];
  assert.deepEqual(await listed({ entries }), ['app.a aa']);
});

test('planning says how far it is', async () => {
  const told: [number, bigint][] = [];
  const entries = [101, 102].map((seconds) => entry(seconds, insert(A, 'app.a', { _id: seconds })));
  await planReplay({
    state: createReplayState([collection(A, 'app', 'a')], new Map()),
    from: ts(T),
    end: { ts: ts(200), inclusive: true },
    source: {
      async *entries() {
        yield* entries;
      },
      earlier: async () => null,
    },
    signal: new AbortController().signal,
    progress: (count, lastTs) => told.push([count, lastTs]),
  });
  assert.deepEqual(told, [
    [1, ts(101)],
    [2, ts(102)],
  ]);
});

/** Entries of one transaction of a session, as every shard that takes part in it logs them. */
const session = { lsid: { id: ui(C) }, txnNumber: Long.fromNumber(7) };
const ofSession = (seconds: number, o: Document, previous?: number) =>
  entry(seconds, { op: 'c', ns: 'admin.$cmd', ...session, o }, previous);
const preparedAt = (seconds: number) =>
  ofSession(seconds, { applyOps: [{ op: 'c', ns: 'app.$cmd', ui: ui(B), o: { create: 'b' } }], prepare: true });
const SESSION = `${bytes(session.lsid).toString('hex')}/0700000000000000`;

test('a replica set of a sharded cluster takes the word of another for a transaction that it does not know the end of', async () => {
  const entries = [preparedAt(110)];
  const alone = await plan({ entries });
  assert.deepEqual(alone.undecided, [{ transaction: SESSION, preparedAt: ts(110) }]);
  const outcomes: [bigint | null, string[]][] = [
    [ts(115), ['app.a', 'app.b']],
    [ts(200), ['app.a', 'app.b']],
    [ts(201), ['app.a']],
    [null, ['app.a']],
  ];
  for (const [visibleAt, expected] of outcomes) {
    const found = await plan({ entries, more: { decisions: new Map([[SESSION, visibleAt]]) } });
    assert.deepEqual(
      listState(found.state).map(({ db, name }) => `${db}.${name}`),
      expected,
      String(visibleAt),
    );
    assert.deepEqual([found.skipped.has(ts(110)), found.undecided], [expected.length === 1, []]);
  }
});

test('beyond the point is read no further than needed: as far as asked, and until every prepared transaction is decided', async () => {
  const note = (seconds: number) => entry(seconds, { op: 'n', ns: '', o: { msg: 'noop' } });
  const readUpTo = async (entries: Buffer[], searchTo: number) => {
    let read = 0n;
    const progress = (_: number, lastTs: bigint) => {
      read = lastTs;
    };
    await plan({ entries, until: 120, more: { searchTo: ts(searchTo), progress } });
    return read;
  };
  const quiet = [note(119), note(121), note(130), note(140), note(150)];
  assert.equal(await readUpTo(quiet, 120), ts(121));
  assert.equal(await readUpTo(quiet, 130), ts(130));
  const open = [preparedAt(110), note(121), note(130), ofSession(140, { abortTransaction: 1 }, 110), note(150)];
  assert.equal(await readUpTo(open, 120), ts(140));
});

test("a replica set keeps its ledgers as documents, also through upserts of applyOps, and the rest of its config is nobody's", async () => {
  const chunk = (id: number, shard: string) => ({ _id: id, uuid: ui(A), shard });
  const upsert = (id: number, shard: string) => ({
    ...{ op: 'u', b: true, ns: 'config.chunks', o: chunk(id, shard), o2: { _id: id } },
  });
  const entries = [
    part(101, [upsert(1, 's1'), upsert(2, 's0'), { op: 'd', ns: 'config.chunks', o: { _id: 3 } }], {}),
    entry(102, { op: 'i', ns: 'config.version', ui: ui(C), o: { _id: 9 } }),
    entry(103, { op: 'i', ns: 'config.system.sharding_ddl_coordinators', ui: ui(B), o: { _id: 5 } }),
  ];
  const { state } = await plan({ entries, of: 'ofShardedCluster' });
  // Chunks are not held, but what is to become of them.
  const base = [chunk(1, 's0'), chunk(3, 's0'), chunk(4, 's0')].map((one) => Buffer.from(serialize(one)));
  const found: unknown[] = [];
  const missing = (): never => assert.fail('all are there');
  for await (const one of state.chunks.over(ReadableStream.from(base), missing)) {
    const { _id, shard } = deserialize(one);
    found.push([_id, shard]);
  }
  assert.deepEqual(found, [
    [1, 's1'],
    [4, 's0'],
    [2, 's0'],
  ]);
  assert.equal(state.held.get('config.system.sharding_ddl_coordinators')?.size, 1);
  const held = { 'config.chunks': [chunk(1, 's0'), chunk(3, 's0')] };
  await assert.rejects(plan({ entries, held }), /config\.chunks/, 'of a replica set they are collections like others');
});
