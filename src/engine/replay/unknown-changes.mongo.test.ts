import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON, type Document, Long, Timestamp, UUID } from 'mongodb';
import { SourceOplog } from '../../../test/exactness/source-oplog.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { forEachDocument } from '../../bson/raw-bson.ts';
import { type Timestamp64, timestampParts } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { archiveOplog } from '../archive/archive-oplog.ts';
import { planArchivePoint } from '../archive/archive-point.ts';
import { requireArchivable } from '../archive/require-archivable.ts';
import { describeLeftOut } from '../left-out.ts';
import type { OplogSource } from './replay-interval.ts';

const { signal } = new AbortController();

describe('changes that a newer server logs and this version does not know', () => {
  const source = useReplicaSet({ name: 'source', setParameters: { ttlMonitorEnabled: false } });
  const target = useReplicaSet({ name: 'target', setParameters: { ttlMonitorEnabled: false } });

  /** The source's oplog with `collMod` entries behind its last that no server of today would take. */
  async function oplogWith(
    changes: { name: string; o: Document; command?: string }[],
  ): Promise<{ oplog: OplogSource; last: Timestamp64 }> {
    const { client } = source();
    const db = client.db('shop');
    const real = await SourceOplog.read(client);
    let last = must(real.moments.at(-1), 'an entry').ts;
    const more: Buffer[] = [];
    for (const { name, o, command = 'collMod' } of changes) {
      const [listed] = (await db.listCollections({ name }).toArray()) as Document[];
      last++;
      const entry = {
        ...{ op: 'c', ns: 'shop.$cmd', ui: listed?.info.uuid ?? new UUID(), o: { [command]: name, ...o } },
        ...{ ts: new Timestamp(timestampParts(last)), t: Long.fromNumber(1), v: Long.fromNumber(2), wall: new Date(0) },
      };
      more.push(Buffer.from(BSON.serialize(entry)));
    }
    const oplog: OplogSource = {
      async *entries() {
        yield* real.entries();
        yield* more;
      },
      earlier: async (ts) => await real.earlier(ts),
    };
    return { oplog, last };
  }

  test('cost what they are about, by name, wherever they are met', async () => {
    const db = source().client.db('shop');
    await db.collection<{ _id: number; a: number; b: number }>('items').insertMany([{ _id: 1, a: 1, b: 1 }]);
    await db.collection('items').createIndexes([
      { key: { a: 1 }, name: 'a' },
      { key: { b: 1 }, name: 'b' },
    ]);
    await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm', granularity: 'seconds' } });
    const fixture = await SnapshotFixture.create(source().uri);
    const taken = await fixture.take();
    await db.collection('items').updateOne({ _id: 1 as never }, { $set: { later: true } });
    const { oplog, last } = await oplogWith([
      { name: 'items', o: { index: { name: 'a', hidden: true, glow: 1 } } },
      { name: 'items', o: { index: { name: 'b', hidden: true } } },
      { name: 'items', o: { validator: { a: 1 }, shine: { bright: 1 } } },
      { name: 'system.buckets.series', o: { timeseries: { granularity: 'hours', glitter: 1 } } },
    ]);
    const end = { ts: last, inclusive: true };
    const expected = [
      'index a of shop.items (the unknown glow of it was changed)',
      'option shine of shop.items (a change that this version does not know)',
      'option timeseries.glitter of shop.series (a change that this version does not know)',
    ];

    const { leftOut } = await fixture.restore(target().uri, taken, { pointInTime: { end, source: oplog } });
    assert.deepEqual(leftOut.named.map(describeLeftOut).sort(), expected);
    const restored = target().client.db('shop');
    const indexes = await restored.collection('items').indexes();
    assert.deepEqual(
      indexes.map(({ name, hidden }) => [name, hidden ?? false]),
      [
        ['_id_', false],
        ['b', true],
      ],
    );
    const [items] = (await restored.listCollections({ name: 'items' }).toArray()) as Document[];
    assert.deepEqual(items?.options.validator, { a: 1 });
    const [series] = (await restored.listCollections({ name: 'series' }).toArray()) as Document[];
    assert.equal(series?.options.timeseries.granularity, 'hours');
    assert.deepEqual(await restored.collection('items').find().toArray(), [{ _id: 1, a: 1, b: 1, later: true }]);

    const manifest = await fixture.manifest(taken.header.snapshotId);
    const point = await planArchivePoint(fixture.repository, manifest, { end, source: oplog, signal });
    assert.deepEqual((await requireArchivable({ manifest, point, signal })).map(describeLeftOut).sort(), expected);
    const entries: Document[] = [];
    for await (const run of archiveOplog({ ...point, diffs: true, mongodVersion: '6.0.5', signal }))
      forEachDocument(run, (offset, length) => {
        entries.push(BSON.deserialize(run.subarray(offset, offset + length)).o);
      });
    const changed = entries.filter(({ collMod }) => collMod !== undefined);
    assert.deepEqual(changed, [{ collMod: 'items', validator: { a: 1 } }]);
    const listed = point.collections.find(({ name }) => name === 'items');
    assert.equal(listed?.indexes.length, 2);
  });

  test('an option that the target refuses is left out by name, and those beside it are honored', async () => {
    const fixture = await SnapshotFixture.create(source().uri);
    await source().client.db('shop').collection('items').insertOne({ n: 1 });
    const taken = await fixture.take();
    const { oplog, last } = await oplogWith([
      { name: 'new', o: { sparkle: 1 }, command: 'create' },
      { name: 'items', o: { validationLevel: 'somewhat', validationAction: 'warn' } },
    ]);
    const pointInTime = { end: { ts: last, inclusive: true }, source: oplog };
    const { leftOut } = await fixture.restore(target().uri, taken, { pointInTime });
    assert.deepEqual(leftOut.named.map(({ kind, name, namespace }) => `${kind} ${name} of ${namespace}`).sort(), [
      'option sparkle of shop.new',
      'option validationLevel of shop.items',
    ]);
    const [items] = (await target().client.db('shop').listCollections({ name: 'items' }).toArray()) as Document[];
    assert.equal(items?.options.validationAction, 'warn');
  });
});
