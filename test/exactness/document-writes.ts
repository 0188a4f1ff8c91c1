import { BSON, type Document } from 'mongodb';
import { documentOf } from '../../src/bson/raw-bson.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { anyPlace, CAPPED, COLLATED, EXPIRING, TIME_SERIES, VALIDATED } from './places.ts';
import {
  element,
  numberAs,
  ODD_IDS,
  type RawValue,
  randomElements,
  randomValue,
  raw,
  rawArray,
  rawValue,
} from './raw-values.ts';
import type { Place, Update, Writer } from './writer.ts';

const IDS = 300;
/** Ten of these pass the 16 MiB of one oplog entry. */
const BIG_BYTES = 1_750_000;

/** From a small set, so that operations meet; a fifth of them of every type there is. */
export function randomId(random: SeededRandom, at?: Place): RawValue {
  if (at === COLLATED && !random.oneIn(3))
    return rawValue(random.pick(['abc', 'ABC', 'aBc', 'é', 'É', 'e', 'x', 'X1', 'x1', 'ß', 'SS']));
  if (random.oneIn(5)) return random.pick(ODD_IDS);
  const form = random.oneIn(4) ? random.below(4) : 0;
  return numberAs(form, random.below(IDS));
}

function byId(random: SeededRandom, at: Place): Buffer {
  return documentOf([element('_id', randomId(random, at))]);
}

export function randomDocument(random: SeededRandom, id: RawValue, payloadBytes = 0): Buffer {
  const fields: Document = {
    k: random.below(50),
    counters: { a: random.below(9), b: random.below(9) },
    list: Array.from({ length: random.below(6) }, () => random.below(20)),
    rows: Array.from({ length: random.below(4) }, () => ({ x: random.below(5), y: random.below(100) })),
    text: random.bytes(random.below(60)).toString('base64'),
    at: new Date(1_700_000_000_000 + random.below(1_000_000)),
  };
  const elements = [
    element('_id', id),
    ...Object.entries(fields).map(([name, value]) => element(name, rawValue(value))),
  ];
  if (payloadBytes > 0)
    elements.push(element('payload', rawValue(new BSON.Binary(Buffer.alloc(payloadBytes, random.below(256))))));
  return documentOf([...elements, ...randomElements(random)]);
}

export function randomDocuments(random: SeededRandom, at: Place, count: number): Buffer[] {
  return Array.from({ length: count }, () => randomDocument(random, randomId(random, at)));
}

const operators: readonly ((random: SeededRandom) => Document)[] = [
  (random) => ({ $set: { text: random.bytes(12).toString('hex') } }),
  (random) => ({ $set: { [`deep.${random.below(5)}.name`]: random.below(100) } }),
  () => ({ $unset: { text: '', 'counters.a': '' } }),
  (random) => ({ $inc: { 'counters.a': random.below(7), n: BSON.Long.fromNumber(1) } }),
  (random) => ({ $mul: { 'counters.b': random.pick([0, 2, -1, 0.5]) } }),
  (random) => ({ $min: { k: random.below(50) }, $max: { m: random.below(50) } }),
  () => ({ $rename: { text: 'renamed', renamed: 'text2' } }),
  (random) => ({ $push: { list: { $each: [random.below(20), random.below(20)], $slice: -8, $sort: 1 } } }),
  (random) => ({ $push: { rows: { $each: [{ x: random.below(5), y: 0 }], $position: 0, $slice: 6 } } }),
  (random) => ({ $pull: { rows: { x: random.below(5) } } }),
  (random) => ({ $pullAll: { list: [random.below(20), random.below(20)] } }),
  (random) => ({ $pop: { list: random.pick([1, -1]) } }),
  (random) => ({ $addToSet: { list: { $each: [random.below(20), 1.5] } } }),
  (random) => ({ $bit: { k: { [random.pick(['and', 'or', 'xor'])]: random.below(64) } } }),
  () => ({ $currentDate: { at: true, stamp: { $type: 'timestamp' } } }),
  (random) => ({ $set: { 'rows.$[].y': random.below(100) } }),
  (random) => ({ $setOnInsert: { born: random.below(9) }, $set: { k: 1 } }),
  () => ({ $set: { 'list.12': 1, '': 1 } }),
];

function operatorUpdate(random: SeededRandom): Pick<Update, 'u' | 'more'> {
  if (random.oneIn(8)) {
    const u = { $set: { 'rows.$[row].y': random.below(100) } };
    return { u: { type: 0x03, value: raw(u) }, more: { arrayFilters: [{ 'row.x': { $gt: random.below(5) } }] } };
  }
  if (random.oneIn(6)) return { u: { type: 0x04, value: pipelineUpdate(random) } };
  if (random.oneIn(8)) {
    // A value of any type, byte for byte.
    const set = documentOf([element('odd', randomValue(random))]);
    return { u: { type: 0x03, value: documentOf([{ name: '$set', type: 0x03, value: set }]) } };
  }
  return { u: { type: 0x03, value: raw(random.pick(operators)(random)) } };
}

function pipelineUpdate(random: SeededRandom): Buffer {
  const stages: Document[] = random.pick([
    [{ $set: { k: { $add: [{ $ifNull: ['$k', 0] }, 1] }, was: '$k' } }, { $unset: 'text' }],
    [{ $replaceWith: { $mergeObjects: [{ first: random.below(9) }, '$$ROOT'] } }],
    [{ $set: { list: { $reverseArray: { $ifNull: ['$list', []] } } } }],
    [{ $set: { dollar: { $literal: '$k' }, nested: { $literal: { $x: 1, 'a.b': 2 } } } }],
  ]);
  return rawArray(stages.map(rawValue)).value;
}

function replacement(random: SeededRandom): Update['u'] {
  const elements = [
    element('k', rawValue(random.below(50))),
    ...randomElements(random).filter(({ name }) => !name.startsWith('$')),
  ];
  return { type: 0x03, value: documentOf(elements) };
}

export interface Operation {
  kind: string;
  weight: number;
  run: (writer: Writer) => Promise<unknown>;
}

/** Writes to documents: those that may also be part of a transaction, given the transaction's fields in `more`. */
export const DOCUMENT_WRITES: readonly {
  kind: string;
  weight: number;
  run: (writer: Writer, more?: Document) => Promise<unknown>;
}[] = [
  {
    kind: 'insert',
    weight: 30,
    run: (writer, more) => {
      const at = anyPlace(writer.random);
      return writer.insert(at, randomDocuments(writer.random, at, writer.random.between(1, 12)), more);
    },
  },
  {
    kind: 'update one',
    weight: 30,
    run: (writer, more) => {
      const at = anyPlace(writer.random);
      return writer.update(at, [{ q: byId(writer.random, at), ...operatorUpdate(writer.random) }], more);
    },
  },
  {
    kind: 'update many',
    weight: 8,
    run: (writer, more) => {
      const q = raw({ k: writer.random.below(50) });
      return writer.update(anyPlace(writer.random), [{ q, ...operatorUpdate(writer.random), multi: true }], more);
    },
  },
  {
    kind: 'replace',
    weight: 10,
    run: (writer, more) => {
      const at = anyPlace(writer.random);
      return writer.update(at, [{ q: byId(writer.random, at), u: replacement(writer.random) }], more);
    },
  },
  {
    kind: 'upsert',
    weight: 12,
    run: (writer, more) => {
      const at = anyPlace(writer.random);
      const { random } = writer;
      const change = random.oneIn(3) ? { u: replacement(random) } : operatorUpdate(random);
      return writer.update(at, [{ q: byId(random, at), ...change, upsert: true }], more);
    },
  },
  {
    kind: 'delete one',
    weight: 20,
    run: (writer, more) => {
      const at = anyPlace(writer.random);
      return writer.remove(at, [{ q: byId(writer.random, at), limit: 1 }], more);
    },
  },
  {
    kind: 'delete many',
    weight: 3,
    run: (writer, more) =>
      writer.remove(anyPlace(writer.random), [{ q: raw({ k: writer.random.below(50) }), limit: 0 }], more),
  },
  {
    kind: 'the same number as another type',
    weight: 8,
    run: async (writer, more) => {
      const at = anyPlace(writer.random);
      const number = writer.random.below(IDS);
      const document = randomDocument(writer.random, numberAs(writer.random.below(4), number));
      await writer.remove(at, [{ q: raw({ _id: number }), limit: 1 }], more);
      await writer.insert(at, [document], withoutStart(more));
    },
  },
];

/** Only the first operation of a transaction says that it starts. */
export function withoutStart(more: Document | undefined): Document {
  const { startTransaction: _, ...rest } = more ?? {};
  return rest;
}

/** Writes that stand alone. */
export const LONE_WRITES: readonly Operation[] = [
  {
    kind: 'retryable find and modify',
    weight: 12,
    run: (writer) => {
      const at = anyPlace(writer.random);
      const { random } = writer;
      const change = random.pick([
        { remove: true },
        { update: { $inc: { k: 1 } }, new: true },
        { update: { k: 1, z: 2 } },
        { update: { $set: { f: 1 } }, upsert: true },
      ]);
      return writer.findAndModify(at, byId(random, at), { ...change, ...writer.retryable() });
    },
  },
  {
    kind: 'retryable bulk',
    weight: 6,
    run: (writer) => {
      const at = anyPlace(writer.random);
      const { random } = writer;
      const updates = Array.from({ length: 20 }, () => ({
        q: byId(random, at),
        ...operatorUpdate(random),
        upsert: random.oneIn(3),
      }));
      return writer.update(at, updates, writer.retryable());
    },
  },
  {
    kind: 'retryable insert of many',
    weight: 4,
    run: (writer) => {
      const at = anyPlace(writer.random);
      return writer.insert(at, randomDocuments(writer.random, at, 60), writer.retryable());
    },
  },
  {
    kind: 'big document',
    weight: 1,
    run: (writer) => {
      const at = anyPlace(writer.random);
      return writer.insert(at, [
        randomDocument(writer.random, randomId(writer.random, at), writer.random.between(1, 5) * 300_000),
      ]);
    },
  },
  {
    kind: 'against the validator',
    weight: 3,
    run: (writer) => writer.insert(VALIDATED, [raw({ k: 'no number' })], { bypassDocumentValidation: true }),
  },
  {
    kind: 'capped insert',
    weight: 10,
    run: (writer) =>
      writer.insert(
        writer.random.pick(CAPPED),
        Array.from({ length: writer.random.between(1, 8) }, () =>
          randomDocument(writer.random, rawValue(new BSON.ObjectId())),
        ),
      ),
  },
  {
    kind: 'time series insert',
    weight: 10,
    run: (writer) => {
      const { random } = writer;
      const row = () =>
        raw({
          at: new Date(1_700_000_000_000 + random.below(10_000_000)),
          from: { room: random.below(5) },
          value: random.below(100),
        });
      return writer.insert(TIME_SERIES, Array.from({ length: random.between(1, 20) }, row));
    },
  },
  {
    kind: 'time series delete',
    weight: 1,
    run: (writer) => writer.remove(TIME_SERIES, [{ q: raw({ 'from.room': writer.random.below(5) }), limit: 0 }]),
  },
  {
    kind: 'expiring insert',
    weight: 4,
    run: (writer) =>
      writer.insert(EXPIRING, [
        raw({ dies: new Date(Date.UTC(writer.random.pick([2020, 2120]), 0)), k: writer.random.below(50) }),
      ]),
  },
];

export function bigDocument(random: SeededRandom): Buffer {
  return randomDocument(random, rawValue(new BSON.ObjectId()), BIG_BYTES);
}
