import type { Document } from 'mongodb';
import type { SeededRandom } from '../support/seeded-random.ts';
import { knownOptions } from '../support/server-version.ts';
import { type Operation, randomDocuments } from './document-writes.ts';
import {
  anyPlace,
  CAPPED,
  CHURNED,
  CLUSTERED,
  COLLATED,
  EXPIRING,
  FLEETING_DB,
  STEADY,
  STORED_FUNCTIONS,
  TIME_SERIES,
  VALIDATED,
  WITH_IMAGES,
} from './places.ts';
import { raw } from './raw-values.ts';
import type { Place, Writer } from './writer.ts';

const RENAME_LIMIT_MS = 2000;

const SET_UP: readonly { at: Place; options: Document }[] = [
  { at: COLLATED, options: { collation: { locale: 'de', strength: 2 } } },
  { at: CLUSTERED, options: { clusteredIndex: { key: { _id: 1 }, unique: true, name: 'by id' } } },
  {
    at: VALIDATED,
    options: { validator: { k: { $type: 'number' } }, validationLevel: 'moderate', validationAction: 'error' },
  },
  { at: WITH_IMAGES, options: { changeStreamPreAndPostImages: { enabled: true } } },
  { at: CAPPED[0] as Place, options: { capped: true, size: 20_000 } },
  { at: CAPPED[1] as Place, options: { capped: true, size: 1_000_000, max: 60 } },
  { at: TIME_SERIES, options: timeSeries() },
];

function timeSeries(): Document {
  return { timeseries: { timeField: 'at', metaField: 'from', granularity: 'minutes' } };
}

/** The collections that need options, the views, and the first documents. */
export async function setUp(writer: Writer): Promise<void> {
  for (const { at, options } of SET_UP) await writer.run(at.db, { create: at.name, ...knownOptions(options) });
  const views = {
    'view of orders': 'orders',
    'view of a view': 'view of orders',
    'view of nothing': 'not there',
    'view of times': TIME_SERIES.name,
  };
  for (const [name, viewOn] of Object.entries(views))
    await writer.run('app', { create: name, viewOn, pipeline: [{ $match: { k: { $gt: 3 } } }] });
  await writer.run(EXPIRING.db, {
    createIndexes: EXPIRING.name,
    indexes: [{ key: { dies: 1 }, name: 'ttl', expireAfterSeconds: 0 }],
  });
  await writer.run('app', { createIndexes: 'orders', indexes: INDEXES.slice(0, 5) });
  for (const at of [...STEADY, COLLATED, CLUSTERED, ...CHURNED])
    await writer.attempt('first documents', () => writer.insert(at, randomDocuments(writer.random, at, 80)));
}

const INDEXES: readonly Document[] = [
  { key: { k: 1 }, name: 'k_1' },
  { key: { k: -1, text: 1 }, name: 'k and text', sparse: true },
  { key: { 'counters.a': 1 }, name: 'partial', partialFilterExpression: { k: { $gt: 10 } } },
  { key: { list: 1 }, name: 'many keys', collation: { locale: 'fr', backwards: true } },
  { key: { text: 'text' }, name: 'words', default_language: 'german', weights: { text: 3 } },
  { key: { text: 'hashed' }, name: 'hashed' },
  { key: { '$**': 1 }, name: 'wild', wildcardProjection: { payload: 0 } },
  { key: { where: '2dsphere' }, name: 'sphere', '2dsphereIndexVersion': 3 },
  { key: { where: '2d' }, name: 'flat', bits: 20, min: -200, max: 200 },
  { key: { born: 1 }, name: 'hidden', hidden: true },
  { key: { z: 1 }, name: 'one of a kind', unique: true, sparse: true },
  { key: { dies: 1 }, name: 'ttl too', expireAfterSeconds: 1_000_000_000 },
  { key: { 'a.b': 1, _id: -1 }, name: 'with.dots' },
  { key: { v: 1 }, name: 'x'.repeat(300) },
];

function createOptions(random: SeededRandom): Document {
  const options = random.pick<Document>([
    {},
    {},
    {},
    { collation: { locale: 'en', strength: 1 } },
    { validator: { $expr: { $lt: ['$k', 1000] } }, validationAction: 'warn' },
    { clusteredIndex: { key: { _id: 1 }, unique: true } },
    { capped: true, size: 50_000 },
    { changeStreamPreAndPostImages: { enabled: true } },
    { storageEngine: { wiredTiger: { configString: 'block_compressor=zlib' } } },
    { indexOptionDefaults: { storageEngine: { wiredTiger: {} } } },
    timeSeries(),
    { ...timeSeries(), expireAfterSeconds: 1_000_000_000 },
    { viewOn: 'orders', pipeline: [{ $project: { k: 1 } }] },
  ]);
  return knownOptions(options);
}

async function reload(writer: Writer, at: Place, more: Document): Promise<void> {
  await writer.run(at.db, { drop: at.name }).catch(() => undefined);
  await writer.run(at.db, { create: at.name, ...more });
}

const churned = ({ random }: Writer) => random.pick(CHURNED);

/** Where indexes come and go: long-lived collections too. */
const indexed = ({ random }: Writer) => random.pick([...CHURNED, ...STEADY, COLLATED, CLUSTERED, VALIDATED]);

const name = (at: Place) => `${at.db}.${at.name}`;

/**
 * Two renames between databases, one each way, wait for each other's database for ever (6.0.5: each holds its source's
 * and wants its target's whole): the server sees no deadlock, so each gets a time after which it gives way.
 */
async function rename(writer: Writer, from: Place, to: Place, dropTarget: boolean): Promise<void> {
  const command = { renameCollection: name(from), to: name(to), dropTarget };
  await writer.run('admin', { ...command, maxTimeMS: RENAME_LIMIT_MS });
}

const COLLECTION_CHANGES: readonly Operation[] = [
  {
    kind: 'create',
    weight: 8,
    run: (writer) => {
      const at = churned(writer);
      return writer.run(at.db, { create: at.name, ...createOptions(writer.random) });
    },
  },
  {
    kind: 'drop',
    weight: 5,
    run: (writer) => {
      const at = churned(writer);
      return writer.run(at.db, { drop: at.name });
    },
  },
  {
    kind: 'drop and create again',
    weight: 4,
    run: async (writer) => {
      const at = churned(writer);
      const documents = randomDocuments(writer.random, at, 20);
      await reload(writer, at, createOptions(writer.random));
      await writer.insert(at, documents);
    },
  },
  { kind: 'drop database', weight: 1, run: (writer) => writer.run(FLEETING_DB, { dropDatabase: 1 }) },
  { kind: 'rename', weight: 5, run: (writer) => rename(writer, churned(writer), churned(writer), false) },
  { kind: 'rename over another', weight: 5, run: (writer) => rename(writer, churned(writer), churned(writer), true) },
  {
    kind: 'swap in a new one',
    weight: 3,
    run: async (writer) => {
      const at = churned(writer);
      const stage = { db: at.db, name: `${at.name}.stage` };
      const documents = randomDocuments(writer.random, at, 30);
      await writer.insert(stage, documents).catch(() => undefined);
      await rename(writer, stage, at, true);
    },
  },
  {
    kind: '$out',
    weight: 4,
    run: (writer) => {
      const [from, to] = [anyPlace(writer.random), churned(writer)];
      const pipeline = [{ $match: { k: { $gt: writer.random.below(50) } } }, { $out: { db: to.db, coll: to.name } }];
      return writer.run(from.db, { aggregate: from.name, pipeline, cursor: {} });
    },
  },
  {
    kind: '$merge',
    weight: 4,
    run: (writer) => {
      const [from, to] = [anyPlace(writer.random), churned(writer)];
      const merge = {
        into: { db: to.db, coll: to.name },
        whenMatched: writer.random.pick(['replace', 'merge', 'keepExisting']),
      };
      const pipeline = [
        { $match: { k: { $gt: writer.random.below(50) } } },
        { $set: { merged: true } },
        { $merge: merge },
      ];
      return writer.run(from.db, { aggregate: from.name, pipeline, cursor: {} });
    },
  },
  {
    kind: 'convert to capped',
    weight: 1,
    run: (writer) => {
      const at = churned(writer);
      return writer.run(at.db, { convertToCapped: at.name, size: 40_000 });
    },
  },
  {
    kind: 'clone as capped',
    weight: 1,
    run: (writer) =>
      writer.run('app', {
        cloneCollectionAsCapped: writer.random.pick(['orders', 't0']),
        toCollection: 't3',
        size: 30_000,
      }),
  },
  { kind: 'time series again', weight: 1, run: (writer) => reload(writer, TIME_SERIES, timeSeries()) },
];

const INDEX_CHANGES: readonly Operation[] = [
  {
    kind: 'create index',
    weight: 8,
    run: (writer) => {
      const at = indexed(writer);
      return writer.run(at.db, { createIndexes: at.name, indexes: [writer.random.pick(INDEXES)] });
    },
  },
  {
    kind: 'create indexes',
    weight: 2,
    run: (writer) => {
      const at = indexed(writer);
      return writer.run(at.db, {
        createIndexes: at.name,
        indexes: [writer.random.pick(INDEXES), writer.random.pick(INDEXES)],
      });
    },
  },
  {
    kind: 'drop index',
    weight: 6,
    run: (writer) => {
      const at = indexed(writer);
      return writer.run(at.db, {
        dropIndexes: at.name,
        index: writer.random.oneIn(8) ? '*' : writer.random.pick(INDEXES).name,
      });
    },
  },
  {
    kind: 'change index',
    weight: 4,
    run: (writer) => {
      const at = indexed(writer);
      const { random } = writer;
      const index = random.pick([
        { name: random.pick(INDEXES).name, hidden: random.oneIn(2) },
        { name: 'ttl too', expireAfterSeconds: 1_000_000_000 + random.below(10) },
        { name: 'k_1', prepareUnique: random.oneIn(2) },
      ]);
      return writer.run(at.db, { collMod: at.name, index });
    },
  },
  {
    kind: 'change validator',
    weight: 2,
    run: (writer) => {
      const at = writer.random.pick([VALIDATED, ...CHURNED]);
      return writer.run(at.db, {
        collMod: at.name,
        validator: { k: { $lt: 1_000_000 + writer.random.below(5) } },
        validationLevel: 'moderate',
      });
    },
  },
];

const OTHER_CHANGES: readonly Operation[] = [
  {
    kind: 'create view',
    weight: 2,
    run: (writer) => {
      const { random } = writer;
      const viewOn = random.pick(['orders', 'view 0', 'view 1', 'not there']);
      return writer.run('app', {
        create: `view ${random.below(3)}`,
        viewOn,
        pipeline: [{ $match: { k: random.below(50) } }],
      });
    },
  },
  {
    kind: 'change view',
    weight: 2,
    run: (writer) =>
      writer.run('app', {
        collMod: `view ${writer.random.below(3)}`,
        viewOn: 'orders',
        pipeline: [{ $limit: writer.random.between(1, 9) }],
      }),
  },
  { kind: 'drop view', weight: 1, run: (writer) => writer.run('app', { drop: `view ${writer.random.below(3)}` }) },
  {
    kind: 'stored function',
    weight: 2,
    run: (writer) => {
      const q = raw({ _id: `f${writer.random.below(4)}` });
      const value = Buffer.from(raw({ value: `function () { return ${writer.random.below(9)}; }` }));
      return writer.random.oneIn(4)
        ? writer.remove(STORED_FUNCTIONS, [{ q, limit: 1 }])
        : writer.update(STORED_FUNCTIONS, [{ q, u: { type: 0x03, value }, upsert: true }]);
    },
  },
  {
    kind: 'user',
    weight: 1,
    run: (writer) => {
      const { random } = writer;
      const user = `user ${random.below(3)}`;
      const db = random.pick(['admin', 'app']);
      const roles = random.oneIn(2) ? ['readWrite'] : [];
      const form = random.below(3);
      if (form === 0)
        return writer.run(db, { createUser: user, pwd: 'secret', roles, customData: { n: random.below(9) } });
      return writer.run(db, form === 1 ? { updateUser: user, roles } : { dropUser: user });
    },
  },
  {
    kind: 'role',
    weight: 1,
    run: (writer) => {
      const { random } = writer;
      const role = `role ${random.below(3)}`;
      const privileges = [{ resource: { db: 'app', collection: random.pick(['', 'orders']) }, actions: ['find'] }];
      const form = random.below(3);
      if (form === 0) return writer.run('app', { createRole: role, privileges, roles: [] });
      return writer.run('app', form === 1 ? { updateRole: role, privileges } : { dropRole: role });
    },
  },
  {
    kind: 'note',
    weight: 1,
    run: (writer) => writer.run('admin', { appendOplogNote: 1, data: { from: 'the workload' } }),
  },
];

export const CATALOG_CHANGES: readonly Operation[] = [...COLLECTION_CHANGES, ...INDEX_CHANGES, ...OTHER_CHANGES];
