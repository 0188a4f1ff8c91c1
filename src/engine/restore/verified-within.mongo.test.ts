import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTruth } from '../../../test/support/compare.ts';
import { useReplicaSet, withReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotRig } from '../../../test/support/snapshot-rig.ts';
import { readTruth } from '../../../test/support/truth.ts';

const target = useReplicaSet({ name: 'target' });
const HOUR_MS = 3_600_000;

test('what was read whole within the time that is set is read once, and damage is found as it is loaded', async () => {
  await withReplicaSet({}, async (source) => {
    const rig = await SnapshotRig.create({ chunker: { minBytes: 2000, targetBytes: 8000, maxBytes: 16_000 } });
    const rows = Array.from({ length: 2000 }, (_, n) => ({ _id: n as never, text: `row ${n}` }));
    await source.client.db('app').collection('orders').insertMany(rows);
    const taken = await rig.take(source.uri);
    const truth = await readTruth(source.client, null);
    const { store } = rig.repository;
    const get = store.get.bind(store);
    let reads = new Map<string, number>();
    store.get = async (objectKey, options) => {
      const body = await get(objectKey, options);
      if (objectKey.startsWith('blobs/') && body[5] === 1) reads.set(objectKey, (reads.get(objectKey) ?? 0) + 1);
      return body;
    };
    const readsOf = async (verifiedWithinMs: number): Promise<Set<number>> => {
      reads = new Map();
      await rig.restore(taken, target().uri, { verifiedWithinMs });
      const app = ({ collections }: typeof truth) => [...collections].filter(([name]) => name.startsWith('app.'));
      const restored = await readTruth(target().client, null);
      assert.deepEqual(
        compareTruth(
          { ...truth, collections: new Map(app(truth)) },
          { ...restored, collections: new Map(app(restored)) },
        ),
        [],
      );
      assert.ok(reads.size > 5);
      return new Set(reads.values());
    };
    assert.deepEqual(await readsOf(HOUR_MS), new Set([2]), 'nobody had read it yet');
    assert.deepEqual(await readsOf(HOUR_MS), new Set([1]), 'the restore before had');
    assert.deepEqual(await readsOf(0), new Set([2]), 'nothing is taken on trust unless it is asked for');
    const [victim] = [...reads.keys()];
    const body = await get(victim as string);
    body[body.length - 5] = (body[body.length - 5] as number) ^ 1;
    await store.put(victim as string, body);
    await assert.rejects(rig.restore(taken, target().uri, { verifiedWithinMs: HOUR_MS }), (error) =>
      String(error).includes(victim as string),
    );
  });
});
