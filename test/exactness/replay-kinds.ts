import { BSON, type ClientSession, type Db, type Document, type MongoClient, Timestamp } from 'mongodb';
import { serverIs } from '../support/server-version.ts';

/** One kind of oplog entry: what is there before the snapshot, and what makes entries of that kind after it. */
export interface Kind {
  name: string;
  /** The release that brought what it is about. */
  since?: string;
  before?: (db: Db, client: MongoClient) => Promise<unknown>;
  after: (db: Db, client: MongoClient) => Promise<unknown>;
}

/** A document whose id is a number. */
export interface Row extends Document {
  _id: number;
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
const ZERO = new Timestamp(0n);

async function run(db: Db, ...commands: Document[]): Promise<void> {
  for (const command of commands) await db.command(command);
}

const insert = (name: string, ...documents: Document[]) => ({ insert: name, documents });
const update = (name: string, _id: unknown, u: Document | Document[]) => ({
  update: name,
  updates: [{ q: { _id }, u }],
});
const remove = (name: string, _id: unknown) => ({ delete: name, deletes: [{ q: { _id }, limit: 1 }] });
const index = (name: string, ...indexes: Document[]) => ({ createIndexes: name, indexes });
const series = { timeField: 't', metaField: 'm', granularity: 'seconds' };
const renaming = (db: Db, from: string, to: string, more: Document = {}) => ({
  renameCollection: `${db.databaseName}.${from}`,
  to: to.includes('.') ? to : `${db.databaseName}.${to}`,
  ...more,
});

async function transaction(client: MongoClient, work: (session: ClientSession) => Promise<unknown>): Promise<void> {
  const session = client.startSession();
  try {
    await session.withTransaction(() => work(session));
  } finally {
    await session.endSession();
  }
}

const some = (count: number) =>
  Array.from({ length: count }, (_, _id) => ({ _id, k: _id % 3, list: [1, 2, 3], deep: { x: 1, y: 2 } }));

export const DOCUMENT_KINDS: readonly Kind[] = [
  { name: 'inserts', before: (db) => run(db, { create: 'a' }), after: (db) => run(db, insert('a', ...some(50))) },
  {
    name: 'updates by diff',
    before: (db) => run(db, insert('a', ...some(20))),
    after: (db) =>
      run(
        db,
        update('a', 1, { $set: { k: 7, 'deep.z': 1 }, $unset: { 'deep.x': 1 } }),
        update('a', 2, { $push: { list: { $each: [9, 8], $slice: -3 } } }),
        update('a', 3, { $pop: { list: 1 } }),
        update('a', 4, [{ $set: { was: '$k' } }, { $unset: 'k' }]),
      ),
  },
  {
    name: 'replacements',
    before: (db) => run(db, insert('a', ...some(3))),
    after: (db) => run(db, update('a', 1, { n: 1 }), { findAndModify: 'a', query: { _id: 2 }, update: { n: 2 } }),
  },
  {
    name: 'deletions, and the same number as another type',
    before: (db) => run(db, insert('a', ...some(10))),
    after: (db) =>
      run(
        db,
        remove('a', 1),
        insert('a', { _id: new BSON.Double(1), n: 1 }),
        remove('a', 2),
        remove('a', 3),
        insert('a', { _id: BSON.Long.fromNumber(3) }),
      ),
  },
  {
    name: 'zero timestamps that the server would put the time into',
    before: (db) => run(db, insert('a', { _id: 1 }, { _id: 2 }, { _id: 3 }), update('a', 3, { $set: { in: ZERO } })),
    after: (db) =>
      run(
        db,
        update('a', 1, { $set: { z: ZERO, deep: { z: ZERO } } }),
        update('a', 2, [{ $replaceWith: { _id: 2, y: 1, z: ZERO } }]),
        update('a', 3, { $set: { k: 1 } }),
        { aggregate: 'a', pipeline: [{ $merge: 'merged' }], cursor: {} },
      ),
  },
  {
    name: 'what a validator refuses',
    before: (db) => run(db, { create: 'a', validator: { k: { $type: 'number' } } }),
    after: (db) => run(db, { ...insert('a', { _id: 1, k: 'x' }), bypassDocumentValidation: true }),
  },
  {
    name: 'ids equal under a collation',
    before: (db) =>
      run(
        db,
        { create: 'a', collation: { locale: 'en', strength: 1 } },
        insert('a', ...LETTERS.map((_id) => ({ _id }))),
      ),
    after: async (db) => {
      for (const letter of LETTERS) {
        const upper = letter.toUpperCase();
        await run(db, remove('a', letter), insert('a', { _id: upper, n: 1 }), update('a', letter, { $inc: { n: 1 } }));
      }
    },
  },
  {
    name: 'retryable writes with their images, many in a row',
    before: (db) => run(db, insert('a', ...some(5))),
    after: async (db, client) => {
      const session = client.startSession();
      await db.collection<Row>('a').insertMany(
        some(40).map((document) => ({ ...document, _id: document._id + 100 })),
        { session },
      );
      await db.collection<Row>('a').findOneAndUpdate({ _id: 1 }, { $inc: { k: 1 } }, { session });
      await db.collection<Row>('a').findOneAndDelete({ _id: 2 }, { session });
      await session.endSession();
    },
  },
  {
    name: 'applyOps of an operator, written as one entry and as many',
    before: (db) => run(db, insert('a', { _id: 1 })),
    after: async (db) => {
      const ns = `${db.databaseName}.a`;
      const idIndex = { v: 2, key: { _id: 1 }, name: '_id_' };
      const operations = [
        { op: 'i', ns, o: { _id: 2 } },
        { op: 'u', ns, o: { $v: 2, diff: { i: { n: 1 } } }, o2: { _id: 1 } },
        { op: 'd', ns, o: { _id: 2 } },
      ];
      await db.admin().command({ applyOps: operations });
      await db.admin().command({
        applyOps: [...operations, { op: 'c', ns: `${db.databaseName}.$cmd`, o: { create: 'b', idIndex } }],
      });
    },
  },
  {
    name: 'a clustered collection that is made capped, which none can be created as',
    since: '6.0',
    before: (db) => run(db, { create: 'old', clusteredIndex: { key: { _id: 1 }, unique: true } }),
    after: (db) =>
      run(
        db,
        { create: 'a', clusteredIndex: { key: { _id: 1 }, unique: true } },
        insert('a', ...some(5)),
        { convertToCapped: 'a', size: 20_000 },
        insert('a', { _id: 10 }, { _id: 9 }),
        { convertToCapped: 'old', size: 20_000 },
      ),
  },
  {
    name: 'a clustered collection',
    since: '6.0',
    before: (db) =>
      run(db, { create: 'a', clusteredIndex: { key: { _id: 1 }, unique: true } }, insert('a', ...some(5))),
    after: (db) => run(db, insert('a', { _id: 'x' }), remove('a', 2), update('a', 1, { $inc: { k: 1 } })),
  },
  {
    name: 'a capped collection that wraps, is emptied, and wraps again',
    before: (db) => run(db, { create: 'a', capped: true, size: 100_000, max: 5 }, insert('a', ...some(4))),
    after: (db) =>
      run(
        db,
        insert('a', ...[10, 11, 12, 13].map((_id) => ({ _id }))),
        { emptycapped: 'a' },
        insert('a', ...[20, 21, 22, 23, 24, 25, 26].map((_id) => ({ _id }))),
      ),
  },
  {
    name: 'limits of a capped collection that change between inserts',
    since: '6.0',
    before: (db) => run(db, { create: 'a', capped: true, size: 100_000, max: 3 }),
    after: (db) =>
      run(
        db,
        insert('a', ...some(5)),
        { collMod: 'a', cappedMax: 6 },
        insert('a', ...[10, 11, 12, 13, 14].map((_id) => ({ _id }))),
        { collMod: 'a', cappedMax: 2 },
        insert('a', { _id: 99 }),
      ),
  },
];

export const TRANSACTION_KINDS: readonly Kind[] = [
  {
    name: 'a transaction over collections and databases',
    before: (db) => run(db, insert('a', ...some(5)), insert('b', ...some(5))),
    after: (db, client) =>
      transaction(client, async (session) => {
        await db.collection<Row>('a').updateOne({ _id: 1 }, { $set: { k: 9 } }, { session });
        await db.collection<Row>('b').deleteOne({ _id: 1 }, { session });
        await client.db(`${db.databaseName}_other`).collection<Row>('new').insertOne({ _id: 1 }, { session });
      }),
  },
  {
    name: 'a transaction that creates a collection and an index',
    after: (db, client) =>
      transaction(client, async (session) => {
        await db.createCollection('made', { session, collation: { locale: 'de' } });
        await db.collection<Row>('made').createIndex({ k: 1 }, { session });
        await db.collection<Row>('made').insertOne({ _id: 1, k: 1 }, { session });
      }),
  },
  {
    name: 'an aborted transaction',
    before: (db) => run(db, insert('a', ...some(5))),
    after: async (db, client) => {
      const session = client.startSession();
      session.startTransaction();
      await db.collection<Row>('a').deleteMany({}, { session });
      await session.abortTransaction();
      await session.endSession();
      await run(db, insert('a', { _id: 'after' }));
    },
  },
  {
    name: 'a transaction of 28 MB',
    before: (db) => run(db, { create: 'a' }),
    after: (db, client) =>
      transaction(client, async (session) => {
        for (let _id = 0; _id < 28; _id++)
          await db.collection<Row>('a').insertOne({ _id, payload: Buffer.alloc(1_000_000, _id) }, { session });
        await db.collection<Row>('a').updateOne({ _id: 3 }, { $set: { k: 1 } }, { session });
      }),
  },
  {
    name: 'a document of 16 MiB, inserted and replaced',
    before: (db) => run(db, { create: 'a' }),
    after: async (db) => {
      const whole = (fill: number) => ({ _id: 1, b: Buffer.alloc(16 * 1024 * 1024 - 22, fill) });
      await db.collection<Row>('a').insertOne(whole(1));
      await db.collection<Row>('a').replaceOne({ _id: 1 }, whole(2));
    },
  },
];

export const CATALOG_KINDS: readonly Kind[] = [
  {
    name: 'create, drop, and create again under the same name',
    before: (db) => run(db, insert('a', ...some(5)), insert('b', ...some(5)), index('b', { key: { k: 1 }, name: 'k' })),
    after: (db) =>
      run(db, insert('new', { _id: 1 }), { drop: 'a' }, { drop: 'b' }, { create: 'b' }, insert('b', { _id: 'other' })),
  },
  {
    name: 'drop of a database, and its second life',
    before: (db) => run(db, insert('a', ...some(5)), { create: 'v', viewOn: 'a', pipeline: [] }),
    after: (db) => run(db, insert('a', { _id: 'x' }), { dropDatabase: 1 }, insert('a', { _id: 'second' })),
  },
  {
    name: 'renames: within a database, in a circle, over another, to another database',
    before: async (db) => {
      for (const name of ['a', 'b', 'c', 'd', 'e'])
        await run(db, insert(name, { _id: name }, { _id: 1 }), index(name, { key: { k: 1 }, name: `k of ${name}` }));
    },
    after: async (db) => {
      const admin = db.admin();
      await admin.command(renaming(db, 'a', 'tmp'));
      await admin.command(renaming(db, 'b', 'a'));
      await admin.command(renaming(db, 'tmp', 'b'));
      await run(db, update('a', 1, { $set: { now: 'a' } }), update('b', 1, { $set: { now: 'b' } }));
      await admin.command(renaming(db, 'c', 'd', { dropTarget: true }));
      await admin.command(renaming(db, 'e', `${db.databaseName}_moved.e`));
    },
  },
  {
    name: '$out and the conversion to a capped collection',
    before: (db) =>
      run(
        db,
        insert('a', ...some(5)),
        insert('out', { _id: 'old' }),
        index('out', { key: { k: 1 }, name: 'k' }),
        insert('cap', ...some(4)),
      ),
    after: (db) =>
      run(db, { aggregate: 'a', pipeline: [{ $out: 'out' }], cursor: {} }, { convertToCapped: 'cap', size: 20_000 }),
  },
  {
    name: 'indexes made, changed and dropped',
    before: (db) =>
      run(
        db,
        insert('a', ...some(5)),
        index('a', { key: { k: 1 }, name: 'k' }, { key: { list: 1 }, name: 'l' }, { key: { gone: 1 }, name: 'g' }),
      ),
    after: (db) =>
      run(
        db,
        index('a', { key: { deep: 1 }, name: 'd' }, { key: { t: 1 }, name: 't', expireAfterSeconds: 1_000_000 }),
        index('empty', { key: { x: 1 }, name: 'x', unique: true, partialFilterExpression: { x: { $gt: 1 } } }),
        { collMod: 'a', index: { name: 'l', hidden: true } },
        { collMod: 'a', index: { keyPattern: { t: 1 }, expireAfterSeconds: 2_000_000, hidden: true } },
        { collMod: 'a', index: { name: 't', hidden: false } },
        index('a', { key: { u: 1, _id: 1 }, name: 'u' }),
        ...(serverIs('6.0')
          ? [{ prepareUnique: true }, { unique: true }].map((change) => ({
              collMod: 'a',
              index: { name: 'u', ...change },
            }))
          : []),
        ...(serverIs('6.0') ? [{ collMod: 'a', index: { name: 'd', expireAfterSeconds: 3_000_000 } }] : []),
        { dropIndexes: 'a', index: 'g' },
        { dropIndexes: 'a', index: { k: 1 } },
      ),
  },
  {
    name: 'a unique index that is made an ordinary one',
    since: '6.0',
    before: (db) => run(db, insert('a', ...some(3)), index('a', { key: { k: 1 }, name: 'k', unique: true })),
    after: (db) =>
      run(
        db,
        { collMod: 'a', index: { name: 'k', forceNonUnique: true } },
        insert('a', { _id: 'x', k: 1 }, { _id: 'y', k: 1 }),
      ),
  },
  {
    name: 'options changed',
    before: (db) => run(db, { create: 'a' }, { create: 'b', validator: { x: 1 } }),
    after: (db) =>
      run(
        db,
        { collMod: 'a', validator: { k: { $gt: 1 } }, validationLevel: 'moderate' },
        { collMod: 'b', validator: {}, validationAction: 'warn' },
        ...(serverIs('6.0') ? [{ collMod: 'b', changeStreamPreAndPostImages: { enabled: true } }] : []),
      ),
  },
  {
    name: 'views made, changed and dropped',
    before: (db) =>
      run(
        db,
        { create: 'v1', viewOn: 'a', pipeline: [] },
        { create: 'v2', viewOn: 'v1', pipeline: [] },
        { create: 'v5', viewOn: 'a', pipeline: [], collation: { locale: 'de' } },
        { create: 'v3', viewOn: 'a', pipeline: [] },
      ),
    after: (db) =>
      run(
        db,
        { collMod: 'v1', viewOn: 'b', pipeline: [{ $limit: 1 }] },
        { drop: 'v3' },
        { create: 'v4', viewOn: 'v1', pipeline: [{ $match: { k: 1 } }] },
      ),
  },
  {
    name: 'time series: made, filled, changed, indexed, dropped and made again',
    before: (db) =>
      run(db, { create: 'kept', timeseries: series }, insert('kept', { t: new Date(0), m: 1, v: 1 }), {
        create: 'again',
        timeseries: series,
        expireAfterSeconds: 1_000_000_000,
      }),
    after: (db) =>
      run(
        db,
        insert('kept', { t: new Date(1000), m: 1, v: 2 }, { t: new Date(2000), m: 2, v: 3 }),
        { collMod: 'kept', timeseries: { granularity: 'hours' } },
        { collMod: 'kept', expireAfterSeconds: 1_000_000_000 },
        index('kept', { key: { m: 1, t: 1 }, name: 'm and t' }),
        { drop: 'again' },
        { create: 'again', timeseries: { timeField: 't' } },
        insert('again', { t: new Date(0), v: 1 }),
        { create: 'new', timeseries: { ...series, granularity: 'minutes' }, collation: { locale: 'de' } },
        insert('new', { t: new Date(0), m: { x: 'y' }, v: 1 }),
      ),
  },
  {
    name: 'users and roles',
    before: (db) =>
      run(
        db,
        { createUser: 'old', pwd: 'x', roles: [] },
        { createUser: 'gone', pwd: 'x', roles: [] },
        { createRole: 'r', privileges: [], roles: [] },
      ),
    after: (db) =>
      run(
        db,
        { grantRolesToUser: 'old', roles: ['read'] },
        { grantRolesToUser: 'old', roles: ['readWrite'] },
        { revokeRolesFromUser: 'old', roles: ['read'] },
        { updateUser: 'old', customData: { a: [1, 2] } },
        { updateUser: 'old', customData: { a: [1, 2, 3], b: 1 }, pwd: 'y' },
        { dropUser: 'gone' },
        { createUser: 'new', pwd: 'x', roles: ['r'] },
        {
          grantPrivilegesToRole: 'r',
          privileges: [{ resource: { db: db.databaseName, collection: '' }, actions: ['find'] }],
        },
        { createRole: 's', privileges: [], roles: ['r'] },
        { dropRole: 'r' },
      ),
  },
  {
    name: 'stored functions',
    before: (db) => run(db, insert('system.js', { _id: 'f', value: new BSON.Code('function () { return 1; }') })),
    after: (db) => run(db, update('system.js', 'f', { $set: { value: new BSON.Code('function () { return 2; }') } })),
  },
];
