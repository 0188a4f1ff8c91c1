import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Db, Document } from 'mongodb';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { needsServer } from '../../../test/support/server-version.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';

/**
 * What the server looks at for an increment, by its own profiler: in collections of every kind the price follows what
 * was touched, and is never more than that of going through the collection once.
 */

const NEIGHBORS = 100;
const DAY_MS = 86_400_000;

interface Kind {
  name: string;
  /** Why there is none on this server. */
  skip?: string | false;
  /** What is read of it. */
  namespace: string;
  fill(db: Db, documents: number): Promise<void>;
  /** Changes the documents with these numbers. */
  touch(db: Db, numbers: number[]): Promise<void>;
  /** For the documents that the server looks at beside those that it gives back: the ends of a range. */
  examinedPerTouched: number;
}

const rows = (documents: number): Document[] => Array.from({ length: documents }, (_, n) => ({ _id: n, n: 0 }));
const setN = async (db: Db, name: string, numbers: number[]) =>
  void (await db.collection<{ _id: number }>(name).updateMany({ _id: { $in: numbers } }, { $inc: { n: 1 } }));

const kinds: Kind[] = [
  {
    name: 'ordinary',
    namespace: 'ordinary',
    fill: async (db, documents) => void (await db.collection('ordinary').insertMany(rows(documents))),
    touch: async (db, numbers) => await setN(db, 'ordinary', numbers),
    examinedPerTouched: 1,
  },
  {
    name: 'clustered',
    skip: needsServer('6.0'),
    namespace: 'clustered',
    fill: async (db, documents) => {
      await db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true } });
      await db.collection('clustered').insertMany(rows(documents));
    },
    touch: async (db, numbers) => await setN(db, 'clustered', numbers),
    // Every third of its neighbors was touched, and those between are looked at.
    examinedPerTouched: 3,
  },
  {
    name: 'time series',
    // Before, nothing in a time series can be updated.
    skip: needsServer('6.0'),
    namespace: 'system.buckets.series',
    fill: async (db, documents) => {
      await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' } });
      // Measurements that lie a day apart share no bucket.
      const times = Array.from({ length: documents }, (_, n) => ({ t: new Date(n * DAY_MS), m: { n } }));
      await db.collection('series').insertMany(times, { ordered: false });
    },
    touch: async (db, numbers) =>
      void (await db.collection('series').updateMany({ 'm.n': { $in: numbers } }, { $set: { 'm.touched': true } })),
    examinedPerTouched: 3,
  },
];

describe('an increment looks at', () => {
  const source = useReplicaSet();
  let made = 0;

  /** Documents that the server looked at in reads of the collection, while a snapshot was taken after the touch. */
  async function examined(kind: Kind, documents: number, numbers: number[]): Promise<number> {
    const db = source().client.db(`examined${made++}`);
    const fixture = await SnapshotFixture.create(source().uri);
    await kind.fill(db, documents);
    await fixture.take();
    await kind.touch(db, numbers);
    await db.command({ profile: 2 });
    const taken = await fixture.take();
    await db.command({ profile: 0 });
    assert.equal(taken.header.documents >= documents, true);
    const reads = db.collection('system.profile').find({
      ns: `${db.databaseName}.${kind.namespace}`,
      op: { $in: ['query', 'getmore'] },
    });
    let total = 0;
    for await (const { docsExamined } of reads) total += Number(docsExamined);
    return total;
  }

  for (const kind of kinds) {
    const { skip = false } = kind;
    for (const documents of [2_000, 8_000]) {
      test(`${kind.name}, ${documents} documents: what lies among those touched`, { skip }, async () => {
        const numbers = Array.from({ length: NEIGHBORS }, (_, n) => 500 + n * 3);
        const count = await examined(kind, documents, numbers);
        assert.ok(count >= NEIGHBORS, `${count} documents were looked at: the reads were not seen`);
        assert.ok(count <= NEIGHBORS * kind.examinedPerTouched + 10, `${count} documents were looked at`);
      });
    }

    test(`${kind.name}, touched all over in several reads: no more than all of it once`, { skip }, async () => {
      const documents = 10_000;
      const numbers = Array.from({ length: documents / 2 }, (_, n) => n * 2);
      const count = await examined(kind, documents, numbers);
      assert.ok(count >= numbers.length && count <= documents + 10, `${count} documents were looked at`);
    });
  }
});
