import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareTruth } from '../../../test/support/compare.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { must } from '../../lib/assert.ts';
import { envelopeKind } from '../../repository/format/envelope.ts';

describe('a snapshot whose parent is damaged', () => {
  const source = useReplicaSet({ name: 'source' });
  const target = useReplicaSet({ name: 'target' });

  /** Of documents: without a section the whole parent is lost, and nothing of it can be used again. */
  const blobsOf = async ({ repository: { store } }: SnapshotFixture): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { objectKey } of store.list('blobs/')) {
      if ((await store.get(objectKey))[5] === envelopeKind.documents) keys.push(objectKey);
    }
    return keys;
  };

  const damages: [string, (fixture: SnapshotFixture, objectKey: string) => Promise<void>][] = [
    ['by a blob that is missing', async (fixture, objectKey) => await fixture.repository.store.delete(objectKey)],
    [
      'by a blob that is cut off',
      async (fixture, objectKey) => {
        const whole = await fixture.repository.store.get(objectKey);
        await fixture.repository.store.delete(objectKey);
        await fixture.repository.store.put(objectKey, whole.subarray(0, whole.length - 1));
      },
    ],
  ];

  for (const [how, damage] of damages) {
    test(`${how} is whole: what the repository lost is read from the source again`, async () => {
      const { client, uri } = source();
      await client.db('shop').dropDatabase();
      const rows = Array.from({ length: 8_000 }, (_, i) => ({ _id: i, pad: `${i}`.repeat(60) }));
      await client.db('shop').collection<{ _id: number; pad: string }>('docs').insertMany(rows);
      const fixture = await SnapshotFixture.create(uri, { blobBytes: 1 << 17 });
      await fixture.take();
      const blobs = await blobsOf(fixture);
      assert.ok(blobs.length > 5);
      await damage(fixture, must(blobs[2], 'a blob'));
      await client
        .db('shop')
        .collection<{ _id: number }>('docs')
        .updateOne({ _id: 1 }, { $set: { pad: 'new' } });
      const next = await fixture.take();
      assert.ok(next.statistics.scannedCollections > 0, 'it did not build on the parent');
      assert.ok(next.statistics.reusedBytes > 0, 'what is sound is not stored again');
      await fixture.restore(target().uri);
      assert.deepEqual(compareTruth(await readTruth(client, null), await readTruth(target().client, null)), []);
    });
  }
});
