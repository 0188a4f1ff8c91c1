import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Binary, UUID } from 'mongodb';
import { oplogAfter } from '../../src/engine/replay/slice-oplog.ts';
import { compareTruth } from '../support/compare.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { needsServer } from '../support/server-version.ts';
import { SnapshotFixture } from '../support/snapshot-fixture.ts';
import { Tailing } from '../support/tailing.ts';
import { readTruth } from '../support/truth.ts';

/** What a client that encrypts leaves in a document: the value, and the tags that queries look for. */
const encrypted = (n: number) => ({
  _id: n as never,
  ssn: new Binary(Buffer.from([7, n, 2, 3]), Binary.SUBTYPE_ENCRYPTED),
  __safeContent__: [new Binary(Buffer.alloc(32, n), 0)],
});

describe('collections of queryable encryption', () => {
  const source = useReplicaSet({ name: 'source' });
  const target = useReplicaSet({ name: 'target' });
  after(() => Tailing.stopAll());

  test('come back with their state collections and the tags of their documents, at a later point too', {
    skip: needsServer('6.0'),
  }, async () => {
    const db = source().client.db('x');
    const fields = [{ path: 'ssn', keyId: new UUID(), bsonType: 'string', queries: { queryType: 'equality' } }];
    await db.command({ create: 'people', encryptedFields: { fields } });
    const clusteredIndex = { key: { _id: 1 }, unique: true };
    for (const name of ['esc', 'ecoc']) await db.command({ create: `enxcol_.people.${name}`, clusteredIndex });
    const add = async (n: number) => {
      // Whoever does not encrypt is refused the field otherwise.
      await db.command({ insert: 'people', documents: [encrypted(n)], bypassDocumentValidation: true });
      await db.collection('enxcol_.people.esc').insertOne({ _id: new Binary(Buffer.alloc(32, n)) as never });
      await db.collection('enxcol_.people.ecoc').insertOne({ fieldName: 'ssn', value: new Binary(Buffer.alloc(8, n)) });
    };
    await add(1);
    const fixture = await SnapshotFixture.create(source().uri);
    const tailing = new Tailing(source(), fixture);
    await tailing.begun();
    const taken = await fixture.take();
    const atSnapshot = await readTruth(source().client, null);
    await add(2);
    const atPoint = await readTruth(source().client, null);
    const point = await tailing.mark();
    await tailing.stop();
    await fixture.restore(target().uri, taken);
    assert.deepEqual(compareTruth(atSnapshot, await readTruth(target().client, null)), []);
    const oplog = await oplogAfter(fixture.repository, taken.header, point, new AbortController().signal);
    const pointInTime = { end: { ts: point, inclusive: true }, source: oplog };
    await fixture.restore(target().uri, taken, { pointInTime });
    assert.deepEqual(compareTruth(atPoint, await readTruth(target().client, null)), []);
    assert.equal(
      await target()
        .client.db('x')
        .collection('people')
        .countDocuments({ __safeContent__: { $size: 1 } }),
      2,
    );
  });
});
