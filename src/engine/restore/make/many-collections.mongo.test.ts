import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { CreateCollectionOptions, Db, Document, IndexDescription } from 'mongodb';
import { altered } from '../../../../test/support/altered-manifest.ts';
import { compareTruth } from '../../../../test/support/compare.ts';
import { until, useReplicaSet } from '../../../../test/support/replica-set.ts';
import { SeededRandom } from '../../../../test/support/seeded-random.ts';
import { knownOptions } from '../../../../test/support/server-version.ts';
import { SnapshotFixture } from '../../../../test/support/snapshot-fixture.ts';
import { readTruth } from '../../../../test/support/truth.ts';
import { must } from '../../../lib/assert.ts';
import { forEachConcurrently } from '../../../lib/bounded.ts';
import { systemClock } from '../../../lib/clock.ts';
import { Cancelled, CancelledHalfway } from '../../../lib/errors.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { systemRandom } from '../../../lib/random.ts';
import { indexesToBuild } from '../../index-specifications.ts';
import { type RestoredSnapshot, type RestoreSnapshotOptions, restoreSnapshot } from '../restore-snapshot.ts';

const COLLECTIONS = 120;
const PLAIN = 20;
/** Operations of the restore that wait for a majority. */
const ofMajority = { appName: 'tidemark', 'command.writeConcern.w': 'majority' };
const setParameters = { ttlMonitorEnabled: false };

const indexes: readonly IndexDescription[] = [
  { key: { n: 1 }, name: 'n' },
  { key: { tags: 1, n: -1 }, name: 'tags_n', sparse: true },
  { key: { text: 1 }, name: 'collated', collation: { locale: 'de', strength: 1 } },
  { key: { n: 1 }, name: 'part', partialFilterExpression: { n: { $gt: 5 } } },
  { key: { number: 1 }, name: 'unique', unique: true },
  { key: { at: 1 }, name: 'ttl', expireAfterSeconds: 3600 },
  { key: { text: 'text' }, name: 'words' },
  { key: { n: 'hashed' }, name: 'hashed' },
  { key: { '$**': 1 }, name: 'all' },
];

const shapes: readonly CreateCollectionOptions[] = [
  ...Array.from({ length: 6 }, () => ({})),
  { collation: { locale: 'fr' } },
  { validator: { n: { $lt: 5 } }, validationLevel: 'off' },
  { capped: true, size: 1_000_000, max: 30 },
  { clusteredIndex: { key: { _id: 1 }, unique: true } },
  { changeStreamPreAndPostImages: { enabled: true } },
];

async function makeOne(db: Db, name: string, random: SeededRandom): Promise<void> {
  const shape = random.pick(shapes);
  await db.createCollection(name, knownOptions(shape));
  const chosen = indexes.filter(
    ({ name: of }) =>
      random.below(3) === 0 && !(shape.collation && of === 'words') && !(shape.capped === true && of === 'ttl'),
  );
  if (chosen.length > 0) await db.collection(name).createIndexes([...chosen]);
  const count = random.pick([0, 1, 10, 10, 10, 60]);
  const documents = Array.from({ length: count }, (_, number) => ({
    _id: number,
    number,
    n: random.below(100),
    text: random.pick(['Öl', 'ol', 'Ohr', 'ähre']),
    at: new Date(number),
    tags: random.below(2) === 0 ? random.pick(['a', 'b']) : ['a', 'b', random.below(9)],
  }));
  if (count > 0) await db.collection<{ _id: number }>(name).insertMany(documents);
}

describe('many small collections', () => {
  const source = useReplicaSet({ name: 'source', setParameters });
  const target = useReplicaSet({ name: 'target', members: 3, setParameters });
  const seed = Number(process.env.SEED ?? systemRandom.bytes(4).readUInt32LE(0));
  let fixture: SnapshotFixture;

  before(async () => {
    const random = new SeededRandom(seed);
    await forEachConcurrently(Array.from({ length: COLLECTIONS }).keys(), 8, async (number) => {
      const db = source().client.db(`tenant${number % 7}`);
      await makeOne(db, `c${number}`, random.fork(number));
      if (number % 40 === 0) await db.createCollection(`v${number}`, { viewOn: `c${number}`, pipeline: [] });
      if (number % 50 === 0) {
        await db.createCollection(`t${number}`, { timeseries: { timeField: 'at' } });
        await db.collection(`t${number}`).insertOne({ at: new Date(0), v: 1 });
      }
    });
    const plain = source().client.db('plain');
    for (let number = 0; number < PLAIN; number++) {
      await plain.collection(`c${number}`).createIndex({ n: 1 });
      await plain.collection(`c${number}`).insertMany([{ n: 1 }, { n: 2 }]);
    }
    await plain.collection('odd').createIndexes([
      { key: { a: 1 }, name: 'a' },
      { key: { c: 1 }, name: 'c' },
    ]);
    await plain.collection('odd').insertMany([{ c: 1 }, { a: [1, 2], b: [3, 4] }, { c: 2 }]);
    fixture = await SnapshotFixture.create(source().uri);
    await fixture.take();
    // A second layer, for some.
    for (let number = 0; number < COLLECTIONS; number += 9) {
      const docs = source()
        .client.db(`tenant${number % 7}`)
        .collection<{ _id: number }>(`c${number}`);
      await docs.updateMany({ _id: { $lt: 3 } }, { $set: { text: 'changed' } });
    }
    await fixture.take();
  });

  test('are restored as they were, with every index, also where a restore was cut off half way', async () => {
    const message = `again with SEED=${seed}`;
    const expected = await readTruth(source().client, null);
    for (const wanted of ['creating collections', 'loading documents', null]) {
      const cancel = new AbortController();
      const report = ({ phase }: { phase: string }) => {
        if (phase === wanted) cancel.abort(new Cancelled());
      };
      const restoring = fixture.restore(target().uri, fixture.last, { signal: cancel.signal, report });
      if (wanted !== null) {
        await assert.rejects(restoring, CancelledHalfway, message);
        continue;
      }
      const { leftOut, indexes: built } = await restoring;
      assert.equal(leftOut.count, 0, message);
      const { collections } = await fixture.manifest(must(fixture.last, 'a snapshot').header.snapshotId);
      const wantedIndexes = collections.flatMap(({ indexes: of, info }) => indexesToBuild(of, info));
      assert.equal(built, wantedIndexes.length, message);
    }
    assert.deepEqual(compareTruth(expected, await readTruth(target().client, null)), [], message);
  });

  test('are acknowledged only once a majority has them, which is waited for at the end', async () => {
    await dropAll();
    const primary = await target().primary();
    const secondaries = target().members.filter((member) => member !== primary);
    const pause = async (mode: 'alwaysOn' | 'off') => {
      for (const member of secondaries)
        await target().command(member, { configureFailPoint: 'stopReplProducer', mode });
    };
    let restored: RestoredSnapshot | null = null;
    let paused = false;
    const clearing = async () => {
      await pause('alwaysOn');
      paused = true;
    };
    const restoring = restorePlain({}, { clearing }).then((done) => {
      restored = done;
    });
    restoring.catch(() => undefined);
    try {
      const { operation } = await until('the restore waits for a majority, or has ended', async () => {
        if (restored !== null) return { operation: null };
        if (!paused) return null;
        const command = { aggregate: 1, pipeline: [{ $currentOp: {} }, { $match: ofMajority }], cursor: {} };
        const { cursor } = await target().command(primary, command);
        return cursor.firstBatch.length > 0 ? { operation: cursor.firstBatch[0] } : null;
      });
      assert.notEqual(operation, null, 'a restore that no majority has is not over');
      const names = await target().client.db('plain').listCollections({}, { nameOnly: true }).toArray();
      assert.equal(names.length, PLAIN + 1, 'nothing waited before everything was there');
    } finally {
      await pause('off');
    }
    await restoring;
    assert.equal(must<RestoredSnapshot>(restored, 'it is over').indexes, PLAIN + 2);
  });

  test('an index that refuses a document costs no document, and no other index', async () => {
    const parallel = {
      'plain.odd': {
        indexes: (index: Document) => {
          if (index.name === 'a') index.key = { a: 1, b: 1 };
        },
      },
    };
    const { leftOut, indexes: built } = await restorePlain(parallel);
    assert.deepEqual(
      leftOut.named.map(({ namespace, kind, name }) => `${kind} ${name} of ${namespace}`),
      ['index a of plain.odd'],
    );
    assert.match(leftOut.named[0]?.problem ?? '', /cannot index parallel arrays/);
    assert.equal(built, PLAIN + 1);
    const skip = (namespace: string) => !namespace.startsWith('plain.');
    const [expected, found] = [await readTruth(source().client, null), await readTruth(target().client, null)];
    const differences = compareTruth(expected, found, { skip });
    assert.equal(differences.length, 1, differences.join('\n'));
    assert.match(differences[0] ?? '', /^plain\.odd: lacks the index .*"name":"a"/);
  });

  test('what somebody else makes under the name of one, sooner than the restore, is named as that', async () => {
    const admin = target().client.db('admin');
    const waits = { failCommands: ['createIndexes'], blockConnection: true, blockTimeMS: 400, appName: 'tidemark' };
    const data = { ...waits, namespace: 'plain.c1' };
    await admin.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
    let intrusion: Promise<unknown> | null = null;
    const report = ({ phase }: { phase: string }) => {
      if (phase === 'creating collections')
        intrusion ??= target().client.db('plain').collection('c1').insertOne({ n: 1 });
    };
    try {
      await assert.rejects(restorePlain({}, { report }), /something else writes to plain\.c1 on the target/);
      await intrusion;
    } finally {
      await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
    }
  });

  async function dropAll(): Promise<void> {
    const { databases } = await target().client.db().admin().listDatabases();
    for (const { name } of databases)
      if (name === 'plain' || name.startsWith('tenant')) await target().client.db(name).dropDatabase();
  }

  /** Of the snapshot nothing but one database of plain collections. */
  async function restorePlain(
    changes: Parameters<typeof altered>[1],
    options: Partial<RestoreSnapshotOptions> = {},
  ): Promise<RestoredSnapshot> {
    const { repository, clusterId } = fixture;
    const { snapshotId } = must(fixture.last, 'a snapshot').header;
    const manifest = altered(await fixture.manifest(snapshotId), changes);
    const collections = manifest.collections.filter(({ db }) => db === 'plain');
    const tools = { clock: systemClock, log: silentLogger, report: () => undefined };
    const asked = { repository, clusterId, snapshotId, uri: target().uri, verifyContent: true, ...tools, ...options };
    return await restoreSnapshot({ signal: new AbortController().signal, ...asked }, { ...manifest, collections });
  }
});
