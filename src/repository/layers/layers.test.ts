import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { applyChanges, contentOf, histories, writeChanges } from '../../../test/support/layer-history.ts';
import { documentsIn, documentWith, int32Id } from '../../../test/support/raw-documents.ts';
import { collectionOf, snapshotIdOf, testClusterId, testRepository } from '../../../test/support/test-repository.ts';
import { documentOf } from '../../bson/raw-bson.ts';
import type { LayerRef } from '../format/manifest.ts';
import type { Repository } from '../repository.ts';
import { SnapshotWriter } from '../writer.ts';
import { mergeLayers, readCollection } from './layers.ts';

function newWriter(repository: Repository): SnapshotWriter {
  return new SnapshotWriter(repository, { clusterId: testClusterId, snapshotId: snapshotIdOf(1), parent: null });
}

describe('reading a collection', () => {
  const budgets = fc.constantFrom(undefined, 300, 1000, 3000);
  for (const passphrase of [undefined, 'secret']) {
    test(`equals a plain map, ${passphrase === undefined ? 'plain' : 'encrypted'}, whatever the layers and the budget`, async () => {
      const repository = await testRepository(passphrase === undefined ? {} : { passphrase });
      await fc.assert(
        fc.asyncProperty(
          histories,
          fc.boolean(),
          budgets,
          fc.nat({ max: 3 }),
          async (history, hasBase, idBudgetBytes, ahead) => {
            const writer = newWriter(repository);
            const model = new Map<string, string>();
            const layers: LayerRef[] = [];
            for (const [index, changes] of history.entries()) {
              layers.unshift(await writeChanges(writer, changes, hasBase && index === 0 ? 'base' : 'delta'));
              applyChanges(model, changes);
            }
            const options = { prefetch: ahead + 1, ...(idBudgetBytes === undefined ? {} : { idBudgetBytes }) };
            const read = await contentOf(repository, layers, options);
            assert.equal(read.length, model.size, 'every document once');
            assert.deepEqual(new Map(read), model);
          },
        ),
        { numRuns: passphrase === undefined ? 80 : 20 },
      );
    });
  }

  test('with one seed the order is the same whatever the repository, also where memory makes several passes', async () => {
    const orders: string[][] = [];
    for (const seed of [1, 2, 3]) {
      const repository = await testRepository({ seed });
      const writer = newWriter(repository);
      const layers: LayerRef[] = [];
      for (let layer = 0; layer < 3; layer++) {
        const changes = Array.from({ length: 40 }, (_, id) => ({ id, content: Buffer.alloc(9, layer), idLast: false }));
        const part = changes.slice(layer * 5, 40 - layer);
        layers.unshift(await writeChanges(writer, part, layer === 0 ? 'base' : 'delta'));
      }
      const read = await contentOf(repository, layers, { idBudgetBytes: 300, seed: 7 });
      orders.push(read.map(([id]) => id));
    }
    assert.equal(orders[0]?.length, 40);
    assert.deepEqual(orders[1], orders[0]);
    assert.deepEqual(orders[2], orders[0]);
  });

  test('a blob that nothing newer touched is given whole, another loses just what was touched', async () => {
    const repository = await testRepository();
    const writer = newWriter(repository);
    const base = writer.openLayer({ kind: 'base' });
    for (let n = 0; n < 100; n++) await base.add(documentWith(int32Id(n), Buffer.alloc(30)));
    const delta = writer.openLayer({ kind: 'delta' });
    await delta.addDeleted(int32Id(50));
    const layers = [await delta.close(), await base.close()];
    let [whole, parts, documents] = [0, 0, 0];
    for await (const run of mergeLayers(repository, testClusterId, layers, { deletions: true })) {
      if (run.kind === 5) continue;
      documents += run.documents;
      if (run.whole === null) parts++;
      else whole++;
      assert.equal(documentsIn(run.buffer).length, run.documents);
    }
    assert.equal(documents, 99);
    assert.equal(parts, 1);
    assert.ok(whole >= 5);
  });

  test('an ordered layer keeps its order, also where the budget is small', async () => {
    const repository = await testRepository();
    const writer = newWriter(repository);
    const order = Array.from({ length: 60 }, (_, n) => (n * 37) % 60);
    const base = writer.openLayer({ kind: 'base', ordered: true });
    for (const n of order) await base.add(documentWith(int32Id(n), Buffer.alloc(20)));
    const delta = writer.openLayer({ kind: 'delta' });
    for (const n of [3, 4, 5]) await delta.addDeleted(int32Id(n));
    const read = await contentOf(repository, [await delta.close(), await base.close()], { idBudgetBytes: 1 });
    const expected = order.filter((n) => ![3, 4, 5].includes(n)).map((n) => int32Id(n).toString('hex'));
    assert.deepEqual(
      read.map(([id]) => id),
      expected,
    );
  });

  test('documents without an id are all given, once', async () => {
    const repository = await testRepository();
    const writer = newWriter(repository);
    const nameless = documentOf([{ name: 'a', type: 0x0a, value: Buffer.alloc(0) }]);
    const base = writer.openLayer({ kind: 'base' });
    await base.add(Buffer.concat(Array.from({ length: 30 }, () => nameless)));
    const delta = writer.openLayer({ kind: 'delta' });
    for (let n = 0; n < 30; n++) await delta.add(documentWith(int32Id(n), Buffer.alloc(5)));
    const layers = [await delta.close(), await base.close()];
    for (const idBudgetBytes of [1 << 20, 100]) {
      assert.equal((await contentOf(repository, layers, { idBudgetBytes })).length, 60);
    }
  });

  test('a consumer may leave early, and a signal stops the reading', async () => {
    const repository = await testRepository();
    const writer = newWriter(repository);
    const base = writer.openLayer({ kind: 'base' });
    for (let n = 0; n < 100; n++) await base.add(documentWith(int32Id(n), Buffer.alloc(30)));
    const entry = collectionOf('x', [await base.close()]);
    for await (const buffer of readCollection(repository, testClusterId, entry)) {
      assert.ok(buffer.length > 0);
      break;
    }
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _ of readCollection(repository, testClusterId, entry, { signal: controller.signal })) {
        controller.abort(new Error('enough'));
      }
    })();
    await assert.rejects(reading, /enough/);
  });
});
