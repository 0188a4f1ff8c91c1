import { test } from 'node:test';
import { Binary, BSON } from 'mongodb';
import { attempt, play, rows, type Stage, useStage } from './scenario.ts';

/**
 * What breaks, loses data or restores wrongly in other tools when it happens during a backup (their known cases, one
 * test each), and must not here: each is played during a first and during an incremental snapshot, and the restored
 * cluster equals the source at the snapshot's time.
 */
const stage = useStage();

const MEGABYTE = Buffer.alloc(1_000_000, 7);

/**
 * Sorted before the collections of a scenario and big enough to keep a slow scan busy while something happens to them.
 */
async function fillFirst(on: Stage, db = 'app'): Promise<void> {
  await on
    .db(db)
    .collection('aaa')
    .insertMany(Array.from({ length: 4 }, () => ({ bytes: new Binary(MEGABYTE) })) as never);
}

const scanningTheFirst = ({ phase, subject }: { phase: string; subject?: string }) =>
  phase === 'scanning' && subject === 'app.aaa';

test('a collection dropped and created again under its name, all the time', async () => {
  await play(stage(), {
    prepare: (on) =>
      on
        .db('app')
        .collection('again')
        .insertMany(rows(300) as never),
    during: async (on, round) => {
      const again = on.db('app').collection('again');
      await again.drop();
      await again.insertMany(rows(20, { round }) as never);
      await again.createIndex({ n: 1 });
    },
  });
});

test('a database dropped and filled again', async () => {
  await play(stage(), {
    prepare: (on) =>
      on
        .db('fleeting')
        .collection('a')
        .insertMany(rows(100) as never),
    during: async (on, round) => {
      await on.db('fleeting').dropDatabase();
      await on
        .db('fleeting')
        .collection('a')
        .insertMany(rows(20, { round }) as never);
      await on
        .db('fleeting')
        .collection(`b${round % 3}`)
        .insertOne({ round });
    },
  });
});

test('a collection renamed when it is listed but not yet read', async () => {
  await play(stage(), {
    prepare: async (on) => {
      await fillFirst(on);
      await on
        .db('app')
        .collection('live')
        .insertMany(rows(300) as never);
      await on.db('app').collection('live').createIndex({ n: 1 }, { hidden: true });
    },
    once: { at: scanningTheFirst, act: (on) => on.db('app').collection('live').rename('renamed') },
    between: (on) => on.db('app').collection('renamed').rename('live'),
  });
});

test('a collection renamed after it was read', async () => {
  await play(stage(), {
    prepare: async (on) => {
      await on
        .db('app')
        .collection('aaa')
        .insertMany(rows(300) as never);
      await on.db('app').collection('aaa').createIndex({ n: -1 }, { unique: true });
      await on
        .db('app')
        .collection('bbb')
        .insertMany(Array.from({ length: 4 }, () => ({ bytes: new Binary(MEGABYTE) })) as never);
    },
    once: {
      at: ({ phase, subject }) => phase === 'scanning' && subject === 'app.bbb',
      act: async (on) => {
        await on.db('app').collection('aaa').rename('renamed');
        await on
          .db('app')
          .collection('renamed')
          .insertOne({ _id: 1000 as never, n: 1000 });
      },
    },
    between: (on) =>
      on
        .db('app')
        .collection('renamed')
        .updateMany({ n: { $lt: 10 } }, { $set: { later: true } }),
  });
});

test('a new collection swapped in over the live one while it is read', async () => {
  await play(stage(), {
    prepare: async (on) => {
      await fillFirst(on);
      await on
        .db('app')
        .collection('live')
        .insertMany(rows(250) as never);
    },
    once: {
      at: scanningTheFirst,
      act: async (on, snapshot) => {
        await on
          .db('app')
          .collection('new')
          .insertMany(rows(250, { snapshot }) as never);
        await on.db('app').collection('new').rename('live', { dropTarget: true });
      },
    },
    during: (on, round) =>
      on
        .db('app')
        .collection('live')
        .updateOne({ _id: (round % 250) as never }, { $inc: { seen: 1 } }),
  });
});

test('swaps without a pause', async () => {
  await play(stage(), {
    prepare: (on) =>
      on
        .db('app')
        .collection('live')
        .insertMany(rows(250) as never),
    during: async (on, round) => {
      await on
        .db('app')
        .collection('new')
        .insertMany(rows(50, { round }) as never);
      await on.db('app').collection('new').createIndex({ round: 1 });
      await on.db('app').collection('new').rename('live', { dropTarget: true });
    },
  });
});

test('an $out ten times a second', async () => {
  await play(stage(), {
    prepare: (on) =>
      on
        .db('app')
        .collection('orders')
        .insertMany(rows(2000) as never),
    during: async (on, round) => {
      await on
        .db('app')
        .collection('orders')
        .aggregate([{ $set: { round } }, { $out: 'report' }])
        .toArray();
    },
  });
});

test('a time series dropped and created again', async () => {
  const options = { timeseries: { timeField: 'at', metaField: 'from' } };
  await play(stage(), {
    prepare: (on) => on.db('app').createCollection('measurements', options),
    during: async (on, round) => {
      const row = (n: number) => ({ at: new Date(1_700_000_000_000 + n * 1000), from: n % 3, round, n });
      await on
        .db('app')
        .collection('measurements')
        .insertMany(Array.from({ length: 30 }, (_, n) => row(n)));
      if (round % 4 !== 3) return;
      await on.db('app').collection('measurements').drop();
      await on.db('app').createCollection('measurements', options);
    },
  });
});

test('documents that their validator refuses', async () => {
  const insert = (on: Stage, count: number, from: number) =>
    on
      .db('app')
      .collection('strict')
      .insertMany(rows(count, { kind: 'wrong' }, from) as never, { bypassDocumentValidation: true });
  await play(stage(), {
    prepare: async (on) => {
      await on.db('app').createCollection('strict', { validator: { kind: 'right' } });
      await insert(on, 10, 0);
    },
    during: (on, round) => insert(on, 2, 100 + round * 2),
  });
});

test('names as long as they may be, that look like paths, that differ by case, and that are the peers own', async () => {
  const names = [
    'a/..',
    'x/../../../../f',
    'l'.repeat(251),
    'L'.repeat(251),
    ' ',
    '.b'.repeat(10).slice(1),
    'наборы-😀',
    'a\nb',
    'CON',
    'oplog.bson',
    'metadata.json',
    'enxcol_.x.ecoc',
  ];
  await play(stage(), {
    prepare: async (on) => {
      for (const name of names) await on.db('app').collection(name).insertOne({ name });
      await on.db('meta').collection('pbm').insertOne({ a: 1 });
      await on.db('d'.repeat(63)).collection('c').insertOne({ a: 1 });
    },
    during: (on, round) =>
      on
        .db('app')
        .collection(names[round % names.length] as string)
        .insertOne({ round }),
  });
});

test('indexes made, dropped, hidden and changed', async () => {
  await play(stage(), {
    prepare: (on) =>
      on
        .db('app')
        .collection('orders')
        .insertMany(rows(500) as never),
    during: async (on, round) => {
      const db = on.db('app');
      const name = `index ${round % 5}`;
      await attempt(db, {
        createIndexes: 'orders',
        indexes: [{ key: { n: 1, [`f${round % 5}`]: 1 }, name, collation: { locale: 'de' } }],
      });
      await attempt(db, { collMod: 'orders', index: { name, hidden: round % 2 === 0 } });
      await attempt(db, { collMod: 'orders', validator: { n: { $lt: 1_000_000 + round } } });
      if (round % 3 === 0) await attempt(db, { dropIndexes: 'orders', index: `index ${(round + 2) % 5}` });
    },
  });
});

test('a capped collection that wraps, and one that becomes capped', async () => {
  await play(stage(), {
    prepare: async (on) => {
      await on.db('app').createCollection('log', { capped: true, size: 50_000, max: 200 });
      await on
        .db('app')
        .collection('log')
        .insertMany(rows(150) as never);
      await on
        .db('app')
        .collection('plain')
        .insertMany(rows(400) as never);
    },
    during: async (on, round) => {
      await on
        .db('app')
        .collection('log')
        .insertMany(rows(7, { round }, 1_000_000 + round * 7) as never);
      if (round % 30 === 5) await attempt(on.db('app'), { convertToCapped: 'plain', size: 30_000 });
    },
  });
});

test('unique values that change places, in transactions', async () => {
  await play(stage(), {
    prepare: async (on) => {
      await on
        .db('app')
        .collection('seats')
        .insertMany(rows(100) as never);
      await on.db('app').collection('seats').createIndex({ n: 1 }, { unique: true });
    },
    during: async (on, round) => {
      const seats = on.db('app').collection<{ _id: number; n: number }>('seats');
      const [a, b] = [round % 100, (round * 7 + 1) % 100];
      if (a === b) return;
      await on.source.client.withSession((session) =>
        session.withTransaction(async () => {
          const [first, second] = [
            await seats.findOne({ _id: a }, { session }),
            await seats.findOne({ _id: b }, { session }),
          ];
          await seats.updateOne({ _id: a }, { $set: { n: -1 } }, { session });
          await seats.updateOne({ _id: b }, { $set: { n: first?.n ?? 0 } }, { session });
          await seats.updateOne({ _id: a }, { $set: { n: second?.n ?? 0 } }, { session });
        }),
      );
    },
  });
});

test('transactions larger than an oplog entry, committed and aborted', async () => {
  await play(stage(), {
    prepare: (on) =>
      on
        .db('app')
        .collection('orders')
        .insertMany(rows(50) as never),
    during: async (on, round) => {
      const big = on.db('app').collection('big');
      await on.source.client.withSession(async (session) => {
        session.startTransaction();
        // Several entries of several documents: none of them reaches 16 MiB, all together pass it.
        for (let i = 0; i < 11; i++)
          await big.insertOne(
            { round, i, bytes: new Binary(Buffer.concat([MEGABYTE, MEGABYTE.subarray(0, 700_000)])) },
            { session },
          );
        await on
          .db('app')
          .collection('orders')
          .updateMany({ n: { $lt: 40 } }, { $set: { round } }, { session });
        if (round % 2 === 0) await session.commitTransaction();
        else await session.abortTransaction();
      });
      await big.deleteMany({ round: { $lt: round - 1 } });
    },
  });
});

test('views over views, over nothing, and over a time series, created and changed', async () => {
  await play(stage(), {
    prepare: async (on) => {
      const db = on.db('app');
      await db.createCollection('z view', { viewOn: 'a view', pipeline: [{ $match: { a: 1 } }] });
      await db
        .createCollection('a view', { viewOn: 'm view', pipeline: [], collation: { locale: 'fr' } })
        .catch(() => undefined);
      await db.createCollection('m view', { viewOn: 'nothing', pipeline: [{ $project: { x: 1 } }] });
      await db.createCollection('times', { timeseries: { timeField: 'at' } });
      await db.createCollection('b view', { viewOn: 'times', pipeline: [] });
    },
    during: async (on, round) => {
      await attempt(on.db('app'), { create: `view ${round % 4}`, viewOn: 'm view', pipeline: [{ $limit: 5 }] });
      await attempt(on.db('app'), {
        collMod: `view ${(round + 1) % 4}`,
        viewOn: 'nothing',
        pipeline: [{ $limit: round + 1 }],
      });
      if (round % 5 === 4) await attempt(on.db('app'), { drop: `view ${round % 4}` });
    },
  });
});

test('users, roles and stored functions', async () => {
  await play(stage(), {
    prepare: async (on) => {
      await attempt(on.db('admin'), { dropAllUsersFromDatabase: 1 });
      await on
        .db('app')
        .collection('system.js')
        .insertOne({ _id: 'f' as never, value: new BSON.Code('function () { return 1; }') });
      await on.target.client
        .db('app')
        .command({ createUser: 'intruder', pwd: 'x', roles: [] })
        .catch(() => undefined);
      await on.target.client.db('intruded').collection('c').insertOne({});
    },
    during: async (on, round) => {
      const db = on.db(round % 2 === 0 ? 'app' : 'admin');
      await attempt(db, { createUser: `user ${round % 3}`, pwd: 'secret', roles: [], mechanisms: ['SCRAM-SHA-256'] });
      await attempt(on.db('app'), { createRole: `role ${round % 3}`, privileges: [], roles: ['read'] });
      await attempt(db, { updateUser: `user ${(round + 1) % 3}`, roles: ['read'], customData: { round } });
      await attempt(db, { dropUser: `user ${(round + 2) % 3}` });
      await on
        .db('app')
        .collection('system.js')
        .replaceOne({ _id: 'f' as never }, { value: new BSON.Code(`function () { return ${round}; }`) });
    },
  });
  const intruders = await stage().target.client.db('app').command({ usersInfo: 'intruder' });
  if (intruders.users.length > 0) throw new Error('a user of the target that the source did not have is still there');
});
