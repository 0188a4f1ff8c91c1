import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collect } from '../../../test/support/collect.ts';
import { documentsIn, documentWith, int32Id } from '../../../test/support/raw-documents.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
} from '../../../test/support/test-repository.ts';
import { must } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import { hashesOf } from '../format/id-filter.ts';
import type { LayerRef } from '../format/manifest.ts';
import { readManifest } from '../manifests.ts';
import { readBlob } from '../reader.ts';
import type { Repository } from '../repository.ts';
import { checkRepository } from '../upkeep/check.ts';
import { compactLayers } from '../upkeep/compaction.ts';
import { SnapshotWriter } from '../writer.ts';
import { blobsThatMayHold } from './filtered-blobs.ts';

/** Blobs of some 60 documents; what has at most 3 shares a blob. */
const chunker = { minBytes: 1600, targetBytes: 3200, maxBytes: 6400 };
const place = (n: number) => ({ clusterId: testClusterId, snapshotId: snapshotIdOf(n) });
const document = (n: number): Buffer => documentWith(int32Id(n), Buffer.alloc(30, n));

async function written(repository: Repository, count: number, deleted = 0): Promise<LayerRef> {
  const writer = new SnapshotWriter(repository, { ...place(1), parent: null });
  const layer = writer.openLayer({ kind: deleted === 0 ? 'base' : 'delta' });
  for (let n = 0; n < count; n++) await layer.add(document(n));
  for (let n = 0; n < deleted; n++) await layer.addDeleted(int32Id(10_000 + n));
  const layers = [await layer.close()];
  await writer.commit(manifestOf(repository, snapshotIdOf(1), [collectionOf('x', layers)]));
  const { collections } = await readManifest(repository, place(1));
  return must(collections[0]?.layers[0], 'its layer');
}

async function found(repository: Repository, layer: LayerRef, kind: 1 | 5, n: number) {
  const id = int32Id(n);
  const hashes = hashesOf(id, { type: id[0] as number, start: 1, end: id.length }, repository.chunker.seed);
  const blobs = await collect(blobsThatMayHold(repository, testClusterId, layer, kind, hashes));
  const payloads = await Promise.all(blobs.map(async (ref) => await readBlob(repository, testClusterId, ref)));
  const ids = payloads.flatMap((payload) => documentsIn(payload).map(([each]) => each));
  return { blobs: blobs.length, holds: ids.includes(id.toString('hex')) };
}

describe('a look-up by _id', () => {
  for (const [name, count, deleted] of [
    ['an extent', 2, 0],
    ['an extent of deletions', 0, 4],
    ['a single blob', 20, 0],
    ['lists of blobs', 1000, 0],
    ['lists of blobs and of deletions', 500, 1000],
  ] as const) {
    test(`reads the blob that holds it, and hardly another: ${name}`, async () => {
      const repository = await testRepository({ chunker });
      const layer = await written(repository, count, deleted);
      for (const [kind, from, held] of [
        [1, 0, count],
        [5, 10_000, deleted],
      ] as const) {
        let read = 0;
        for (let n = from; n < from + held; n++) {
          const { blobs, holds } = await found(repository, layer, kind, n);
          assert.ok(holds, `${n}`);
          read += blobs;
        }
        assert.ok(read <= 1.5 * held, `${read} blobs for ${held} ids`);
        let vain = 0;
        for (let n = 50_000; n < 50_200; n++) vain += (await found(repository, layer, kind, n)).blobs;
        assert.ok(vain <= 100, `${vain} blobs for 200 ids that are not there`);
      }
      assert.deepEqual((await checkRepository(repository, { readData: true })).problems, []);
    });
  }

  test('a base that was compacted has the filters of the blobs that it took over', async () => {
    const repository = await testRepository({ chunker });
    const base = await written(repository, 1000);
    const parent = await readManifest(repository, place(1));
    const writer = new SnapshotWriter(repository, { ...place(2), parent });
    const delta = writer.openLayer({ kind: 'delta' });
    await delta.add(document(5000));
    const layers = [await delta.close(), base];
    await writer.flush();
    const entry = { ...collectionOf('x', layers), layers };
    const merged = must((await compactLayers(repository, writer, entry, { layers: 2, into: 'base' }))[0], 'a base');
    await writer.flush();
    for (const n of [0, 500, 999, 5000]) assert.ok((await found(repository, merged, 1, n)).holds, `${n}`);
  });

  test('a layer without filters, as version 1 has them, is looked through whole', async () => {
    const repository = await testRepository({ chunker });
    const { documentFilters, ...bare } = await written(repository, 1000);
    assert.ok(must(documentFilters, 'it has filters').length > 0);
    const { holds, blobs } = await found(repository, bare, 1, 7);
    assert.ok(holds && blobs > 10);
  });

  test('fewer filters than blobs are damage, not an id that is nowhere', async () => {
    const repository = await testRepository({ chunker });
    const layer = await written(repository, 1000);
    const short = await written(await testRepository({ chunker, seed: 1 }), 300);
    const filters = must(short.documentFilters, 'it has filters');
    for (const ref of filters) {
      const other = await testRepository({ chunker, seed: 1 });
      await written(other, 300);
      const key = `blobs/${testClusterId}/${ref.snapshotId}/${ref.id}`;
      await repository.store.put(key, await other.store.get(key));
    }
    await assert.rejects(found(repository, { ...layer, documentFilters: filters }, 1, 999_999), Damage);
  });
});
