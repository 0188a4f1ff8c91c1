import assert from 'node:assert/strict';
import { test } from 'node:test';
import { must } from '../../src/lib/assert.ts';
import { objectOf, singleBlobsOf } from '../../src/repository/format/layer-blobs.ts';
import type { CollectionEntry, LayerRef, Manifest } from '../../src/repository/format/manifest.ts';
import { deleteManifest, manifestExists, readManifest } from '../../src/repository/manifests.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import { checkRepository } from '../../src/repository/upkeep/check.ts';
import { compactLayers, planCompaction } from '../../src/repository/upkeep/compaction.ts';
import { executePrune, planPrune } from '../../src/repository/upkeep/prune.ts';
import { repackShared } from '../../src/repository/upkeep/repack.ts';
import { SnapshotWriter } from '../../src/repository/writer.ts';
import { collect } from '../support/collect.ts';
import { clockOfEmptyStore, emptyStore } from '../support/empty-store.ts';
import { FaultyStore, writeFaults } from '../support/faulty-store.ts';
import { contentOf } from '../support/layer-history.ts';
import { documentWith, int32Id } from '../support/raw-documents.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { collectionOf, manifestOf, snapshotIdOf, testClusterId, testRepository } from '../support/test-repository.ts';

/*
 * Hundreds of tiny collections, and a few large ones, that are created, dropped, renamed and changed at random between
 * snapshots, whose writers die at any write; snapshots are deleted and the rest pruned in between. Each snapshot that
 * is there has exactly what it had, nothing is left that nothing names, and of shared blobs no more than half is dead.
 * A failure names its seed; `SEED=<seed>` has it again, `RUNS=<number>` tries for longer.
 */
const firstSeed = Number(process.env.SEED ?? 1);
const runs = Number(process.env.RUNS ?? 3);

/** A sequence of at most 500 bytes shares a blob of 4,000. */
const chunker = { minBytes: 4000, targetBytes: 6000, maxBytes: 12_000 };
const place = (n: number) => ({ clusterId: testClusterId, snapshotId: snapshotIdOf(n) });

/** Ids of documents, with what each holds. */
type Documents = Map<number, number>;

/** By a number of its own, which stays when a collection is renamed. */
interface Collection {
  name: string;
  documents: Documents;
}
type World = Map<number, Collection>;

const documentOf = (id: number, content: number): Buffer => documentWith(int32Id(id), Buffer.alloc(30, content));

function hexOf(documents: Documents): Map<string, string> {
  return new Map([...documents].map(([id, n]) => [int32Id(id).toString('hex'), documentOf(id, n).toString('hex')]));
}

/** The next state of the world, and what was touched in it by collection. */
function change(before: World, random: SeededRandom, next: { number: number; content: number }) {
  const world: World = new Map(
    [...before].map(([key, { name, documents }]) => [key, { name, documents: new Map(documents) }]),
  );
  const touched = new Map<number, Set<number>>();
  const touch = (key: number, id: number, content: number | null): void => {
    const { documents } = must(world.get(key), 'a collection that is there');
    if (content === null) documents.delete(id);
    else documents.set(id, content);
    touched.set(key, (touched.get(key) ?? new Set()).add(id));
  };
  for (let created = random.below(before.size === 0 ? 400 : 20) + 1; created > 0; created--) {
    const key = next.number++;
    world.set(key, { name: `c${key}`, documents: new Map() });
    const count = random.oneIn(40) ? 200 : random.below(7);
    for (let id = 0; id < count; id++) touch(key, id, next.content++ % 256);
  }
  for (const key of before.keys()) {
    const fate = random.below(30);
    if (fate === 0) world.delete(key);
    if (fate === 1) must(world.get(key), 'not dropped').name = `r${next.number++}`;
    if (!world.has(key) || !random.oneIn(6)) continue;
    for (let touches = random.below(4); touches > 0; touches--) {
      touch(key, random.below(8), random.oneIn(4) ? null : next.content++ % 256);
    }
  }
  return { world, touched };
}

/** As the engine takes a snapshot: layers, compaction, repacking, the manifest last. */
async function take(
  repository: Repository,
  n: number,
  parent: { manifest: Manifest; world: World } | null,
  { world, touched }: ReturnType<typeof change>,
): Promise<Manifest> {
  const writer = new SnapshotWriter(repository, { ...place(n), parent: parent?.manifest ?? null });
  const inherited = new Map(parent?.manifest.collections.map(({ uuid, layers }) => [uuid, layers]));
  const collections: CollectionEntry[] = [];
  try {
    for (const [key, { name, documents }] of world) {
      const uuid = key.toString(16).padStart(32, '0');
      const before = inherited.get(uuid);
      let layers: LayerRef[] = [...(before ?? [])];
      const ids = touched.get(key);
      if (ids !== undefined) {
        const layer = writer.openLayer({ kind: layers.length === 0 ? 'base' : 'delta' });
        for (const id of ids) {
          const content = documents.get(id);
          if (content !== undefined) await layer.add(documentOf(id, content));
          else if (layers.length > 0) await layer.addDeleted(int32Id(id));
        }
        layers = [await layer.close(), ...layers];
      }
      collections.push({ ...collectionOf(name, layers), uuid });
    }
    await writer.flush();
    for (const entry of collections) {
      const plan = planCompaction(entry.layers, { deltasMax: 2, baseShare: 2, idsMax: 1000 });
      if (plan !== null) entry.layers = await compactLayers(repository, writer, entry, plan);
    }
    await writer.flush();
    await repackShared(repository, writer, collections);
    const manifest = manifestOf(repository, snapshotIdOf(n), collections, parent?.manifest.header.snapshotId ?? null);
    return (await writer.commit(manifest)).manifest;
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

async function assertWhole(repository: Repository, worlds: ReadonlyMap<number, World>): Promise<void> {
  const report = await checkRepository(repository, { readData: true });
  assert.deepEqual(report.problems, []);
  assert.equal(report.snapshots, worlds.size);
  for (const [n, world] of worlds) {
    const { collections } = await readManifest(repository, place(n));
    assert.equal(collections.length, world.size);
    const byName = new Map(collections.map((entry) => [entry.name, entry.layers]));
    for (const { name, documents } of world.values()) {
      const read = await contentOf(repository, must(byName.get(name), `${name} in snapshot ${n}`));
      assert.equal(read.length, documents.size, `${name} in snapshot ${n}`);
      assert.deepEqual(new Map(read), hexOf(documents), `${name} in snapshot ${n}`);
    }
  }
}

/** Plain bytes of the shared blobs that a snapshot names, and of its extents in them. */
function sharedUse({ collections }: Manifest): { blobs: number; extents: number; count: number } {
  const blobs = new Map<string, number>();
  const extents = new Map<string, number>();
  for (const ref of collections.flatMap((entry) => entry.layers).flatMap(singleBlobsOf)) {
    if (ref.within === undefined) continue;
    const { snapshotId, id, plainBytes } = objectOf(ref);
    blobs.set(`${snapshotId}/${id}`, plainBytes);
    extents.set(`${snapshotId}/${id}/${ref.within.at}`, ref.plainBytes);
  }
  const sum = (sizes: Map<string, number>) => [...sizes.values()].reduce((total, size) => total + size, 0);
  return { blobs: sum(blobs), extents: sum(extents), count: blobs.size };
}

for (let run = 0; run < runs; run++) {
  const seed = firstSeed + run;
  test(`tiny collections, created, dropped, renamed and changed while writers die (seed ${seed})`, async () => {
    const random = new SeededRandom(seed);
    const clock = clockOfEmptyStore();
    const memory = await emptyStore(clock);
    const healthy = await testRepository({ store: memory, clock, chunker });
    const worlds = new Map<number, World>();
    const next = { number: 0, content: 0 };
    let parent: { manifest: Manifest; world: World } | null = null;
    for (let n = 1; n <= 12; n++) {
      const changed = change(parent?.world ?? new Map(), random, next);
      if (random.oneIn(2)) {
        const fault = must(writeFaults[random.below(writeFaults.length)], 'a fault');
        const store = new FaultyStore(memory, { faultyWrite: 1 + random.below(12), fault });
        const dying = await openRepository({ store, clock, random: new SeededRandom(seed + n) });
        await take(dying, n, parent, changed).catch(() => undefined);
      }
      // The manifest may have been written before its writer could hear of it.
      const manifest: Manifest = (await manifestExists(healthy, place(n)))
        ? await readManifest(healthy, place(n))
        : await take(healthy, n, parent, changed);
      parent = { manifest, world: changed.world };
      worlds.set(n, changed.world);
      for (const old of worlds.keys()) {
        if (old === n || !random.oneIn(4)) continue;
        await deleteManifest(healthy, place(old));
        worlds.delete(old);
      }
      await clock.advance(1000);
      const plan = await planPrune(healthy, { pinned: [], writing: [], graceMs: 0, leaseMs: 0 });
      await executePrune(healthy, plan);
      const { blobs } = await checkRepository(healthy);
      assert.equal((await collect(memory.list('blobs/'))).length, blobs, 'nothing is left that nothing names');
    }
    await assertWhole(healthy, worlds);
    const use = sharedUse(must(parent, 'a last snapshot').manifest);
    assert.ok(use.count > 2 && use.extents >= use.blobs / 2, `${use.extents} of ${use.blobs} bytes are alive`);
    assert.ok(use.count <= 32 + Math.ceil(use.extents / (chunker.minBytes / 8)), `${use.count} shared blobs`);
  });
}
