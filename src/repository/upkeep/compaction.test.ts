import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { collect } from '../../../test/support/collect.ts';
import { applyChanges, contentOf, histories, writeChanges } from '../../../test/support/layer-history.ts';
import { documentWith, int32Id } from '../../../test/support/raw-documents.ts';
import { SeededRandom } from '../../../test/support/seeded-random.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
} from '../../../test/support/test-repository.ts';
import type { LayerRef, Manifest } from '../format/manifest.ts';
import { blobsOfLists } from '../reader.ts';
import type { Repository } from '../repository.ts';
import { SnapshotWriter } from '../writer.ts';
import { compactLayers, planCompaction } from './compaction.ts';

function writerOf(repository: Repository, n: number, parent: Manifest | null = null): SnapshotWriter {
  return new SnapshotWriter(repository, { clusterId: testClusterId, snapshotId: snapshotIdOf(n), parent });
}

const documents = (numbers: Iterable<number>, version = 0): Buffer =>
  Buffer.concat(Array.from(numbers, (n) => documentWith(int32Id(n), Buffer.alloc(30, version))));

describe('compaction', () => {
  test('never changes the content, whichever layers it merges', async () => {
    const repository = await testRepository();
    await fc.assert(
      fc.asyncProperty(histories, fc.boolean(), fc.nat(), async (history, hasBase, choice) => {
        fc.pre(history.length >= 2);
        const writer = writerOf(repository, 1);
        const model = new Map<string, string>();
        let layers: LayerRef[] = [];
        for (const [index, changes] of history.entries()) {
          layers.unshift(await writeChanges(writer, changes, hasBase && index === 0 ? 'base' : 'delta'));
          applyChanges(model, changes);
        }
        const merged = 2 + (choice % (layers.length - 1));
        const into = merged === layers.length && choice % 2 === 0 ? 'base' : 'delta';
        const entry = { ...collectionOf('x', layers), layers };
        const after = await compactLayers(repository, writer, entry, { layers: merged, into });
        assert.ok(after.length <= layers.length - merged + 1);
        layers = after;
        const read = await contentOf(repository, layers);
        assert.equal(read.length, model.size);
        assert.deepEqual(new Map(read), model);
        if (into === 'base') assert.ok(layers.every((layer) => layer.deleted === 0));
      }),
      { numRuns: 50 },
    );
  });

  test('a base keeps the blobs that nothing touched', async () => {
    const repository = await testRepository();
    const first = writerOf(repository, 1);
    const layer = first.openLayer({ kind: 'base' });
    await layer.add(documents(Array(1000).keys()));
    const base = await layer.close();
    const parent = manifestOf(repository, snapshotIdOf(1), [collectionOf('x', [base])]);

    const writer = writerOf(repository, 2, parent);
    const delta = writer.openLayer({ kind: 'delta' });
    await delta.add(documents([500, 2000], 1));
    await delta.addDeleted(int32Id(700));
    const layers = [await delta.close(), base];
    const entry = { ...collectionOf('x', layers), layers };
    const [merged, ...rest] = await compactLayers(repository, writer, entry, { layers: 2, into: 'base' });
    assert.deepEqual(rest, []);
    assert.equal(merged?.documents, 1000);
    const before = await collect(blobsOfLists(repository, testClusterId, base.documentLists, 1));
    const after = await collect(blobsOfLists(repository, testClusterId, merged?.documentLists ?? [], 1));
    const written = after.filter((ref) => ref.snapshotId === snapshotIdOf(2));
    assert.ok(written.length <= 8, `${written.length} of ${before.length} blobs were written`);
    assert.ok(after.length > 0.9 * before.length && after.length < 1.1 * before.length);
    assert.equal(
      merged?.storedBytes,
      after.reduce((sum, ref) => sum + ref.storedBytes, 0),
    );
  });

  test('a delta of which nothing is left goes', async () => {
    const repository = await testRepository();
    const writer = writerOf(repository, 1);
    const gone = writer.openLayer({ kind: 'delta' });
    await gone.addDeleted(int32Id(1));
    const was = writer.openLayer({ kind: 'base' });
    await was.add(documents([1]));
    const layers = [await gone.close(), await was.close()];
    const entry = { ...collectionOf('x', layers), layers };
    assert.deepEqual(await compactLayers(repository, writer, entry, { layers: 2, into: 'base' }), []);
  });

  test('a hundred incremental snapshots stay exact, and compaction writes a small multiple of what they change', async () => {
    const repository = await testRepository({ chunker: { minBytes: 1000, targetBytes: 4000, maxBytes: 8000 } });
    const random = new SeededRandom(5);
    const model = new Map<number, number>();
    const first = writerOf(repository, 1);
    const baseLayer = first.openLayer({ kind: 'base' });
    for (let n = 0; n < 2000; n++) model.set(n, 0);
    await baseLayer.add(documents(model.keys()));
    let layers = [await baseLayer.close()];
    let parent = manifestOf(repository, snapshotIdOf(1), [collectionOf('x', layers)]);
    await first.commit(parent);
    let [changed, written, highest] = [0, 0, 2000];

    for (let n = 2; n <= 101; n++) {
      const writer = writerOf(repository, n, parent);
      const delta = writer.openLayer({ kind: 'delta' });
      const touched = new Set(Array.from({ length: 40 }, () => random.below(highest)));
      for (const id of touched) {
        if (random.oneIn(5)) {
          model.delete(id);
          await delta.addDeleted(int32Id(id));
        } else {
          model.set(id, n);
          await delta.add(documents([id], n));
        }
      }
      for (let fresh = 0; fresh < 5; fresh++) {
        model.set(highest, n);
        await delta.add(documents([highest++], n));
      }
      layers = [await delta.close(), ...layers];
      await writer.flush();
      const before = writer.written.plainBytes;
      const plan = planCompaction(layers);
      const entry = { ...collectionOf('x', layers), layers };
      if (plan !== null) layers = await compactLayers(repository, writer, entry, plan);
      changed += before;
      await writer.flush();
      written += writer.written.plainBytes - before;
      parent = manifestOf(repository, snapshotIdOf(n), [collectionOf('x', layers)], snapshotIdOf(n - 1));
      await writer.commit(parent);
    }
    assert.ok(layers.length <= 9);
    const read = new Map(await contentOf(repository, layers));
    assert.equal(read.size, model.size);
    for (const [id, version] of model) {
      assert.equal(read.get(int32Id(id).toString('hex')), documents([id], version).toString('hex'));
    }
    assert.ok(written < 6 * changed, `${written} bytes written for ${changed} changed`);
  });
});
