import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until, useReplicaSet } from '../../../test/support/replica-set.ts';
import { SeededRandom } from '../../../test/support/seeded-random.ts';
import { SnapshotRig } from '../../../test/support/snapshot-rig.ts';
import { BLOBS_PREFIX } from '../../repository/object-keys.ts';

const SMALL = 24;
const LARGE = 4;
/** More than what a collection may still hold when it gives its place among the readers up. */
const LARGE_BYTES = 400_000;
/** As often as somebody is asked, a reader that may go on has read the next collection long since. */
const ASKED = 50;

/** A rig of which blobs of so many bytes are put when they are let through. */
async function gatedRig(bytesMin: number) {
  const rig = await SnapshotRig.create();
  const { store } = rig.repository;
  const put = store.put.bind(store);
  const waiting: (() => void)[] = [];
  let open = false;
  store.put = async (objectKey, body, options) => {
    if (!open && objectKey.startsWith(BLOBS_PREFIX) && body.length >= bytesMin)
      await new Promise<void>((resolve) => void waiting.push(resolve));
    await put(objectKey, body, options);
  };
  const letThrough = () => {
    open = true;
    for (const go of waiting.splice(0)) go();
  };
  return { rig, waiting, letThrough };
}

describe('while the last objects of a collection are put', () => {
  const source = useReplicaSet();
  const limits = { scansAtOnce: 1, smallLayersAtOnce: 6 };

  test('others are read where it was small, as many as is said', async () => {
    const db = source().client.db('small');
    for (let n = 0; n < SMALL; n++) await db.collection(`c${n}`).insertOne({ n });
    const { rig, waiting, letThrough } = await gatedRig(0);
    const taking = rig.take(source().uri, { limits });
    const atOnce = limits.scansAtOnce + limits.smallLayersAtOnce;
    try {
      await until('all that may wait do', async () => (waiting.length >= atOnce ? true : null));
      for (let n = 0; n < ASKED; n++) await db.command({ ping: 1 });
      assert.equal(waiting.length, atOnce);
    } finally {
      letThrough();
    }
    const { header } = await taking;
    assert.ok(header.documents >= SMALL);
    await db.dropDatabase();
  });

  test('no other is read where it was large', async () => {
    const db = source().client.db('large');
    // Of a seed, and so that it cannot be compressed.
    const random = new SeededRandom(7);
    for (let n = 0; n < LARGE; n++) await db.collection(`c${n}`).insertOne({ bytes: random.bytes(LARGE_BYTES) });
    const { rig, waiting, letThrough } = await gatedRig(LARGE_BYTES);
    const taking = rig.take(source().uri, { limits });
    try {
      await until('the first one waits', async () => (waiting.length > 0 ? true : null));
      for (let n = 0; n < ASKED; n++) await db.command({ ping: 1 });
      assert.equal(waiting.length, 1);
    } finally {
      letThrough();
    }
    const { header } = await taking;
    assert.ok(header.bytes >= LARGE * LARGE_BYTES);
  });
});
