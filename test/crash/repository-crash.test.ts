import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Fault } from '../../src/lib/errors.ts';
import type { LayerRef, Manifest } from '../../src/repository/format/manifest.ts';
import { deleteManifest, findManifest, manifestExists, readManifest } from '../../src/repository/manifests.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import { checkRepository } from '../../src/repository/upkeep/check.ts';
import { compactLayers, planCompaction } from '../../src/repository/upkeep/compaction.ts';
import { executePrune, planPrune } from '../../src/repository/upkeep/prune.ts';
import { SnapshotWriter } from '../../src/repository/writer.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { collect } from '../support/collect.ts';
import { clockOfEmptyStore, emptyStore } from '../support/empty-store.ts';
import { FaultyStore, writeFaults } from '../support/faulty-store.ts';
import { applyChanges, type Change, contentOf, histories, writeChanges } from '../support/layer-history.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { collectionOf, manifestOf, snapshotIdOf, testClusterId, testRepository } from '../support/test-repository.ts';

/*
 * Never a hole: whatever is interrupted wherever, a snapshot is whole or it is not there, and prune takes garbage only.
 * A failure prints its seed; `SEED=<seed>` has it again, `RUNS=<number>` tries for longer.
 */
const seed = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };
const numRuns = Number(process.env.RUNS ?? 40);

type Content = Map<string, string>;
const place = (n: number) => ({ clusterId: testClusterId, snapshotId: snapshotIdOf(n) });

/**
 * Takes a snapshot of the collection as the engine does: the parent's layers, one layer of changes, compaction, the
 * manifest last.
 */
async function take(
  repository: Repository,
  n: number,
  parent: Manifest | null,
  changes: readonly Change[],
  beforeCommit: () => Promise<void> = async () => undefined,
): Promise<Manifest> {
  const writer = new SnapshotWriter(repository, { ...place(n), parent });
  const inherited: readonly LayerRef[] = parent?.collections[0]?.layers ?? [];
  const layer = await writeChanges(writer, changes, inherited.length === 0 ? 'base' : 'delta');
  const entry = collectionOf('x', [layer, ...inherited]);
  const plan = planCompaction(entry.layers, { deltasMax: 2, baseShare: 2, idsMax: 1000 });
  if (plan !== null) entry.layers = await compactLayers(repository, writer, entry, plan);
  const manifest = manifestOf(repository, snapshotIdOf(n), [entry], parent?.header.snapshotId ?? null);
  await beforeCommit();
  await writer.commit(manifest);
  return manifest;
}

async function assertWhole(repository: Repository, contents: ReadonlyMap<number, Content>): Promise<void> {
  const report = await checkRepository(repository, { readData: true });
  assert.deepEqual(report.problems, []);
  assert.deepEqual((await checkRepository(repository)).problems, []);
  assert.equal(report.snapshots, contents.size);
  for (const [n, content] of contents) {
    const manifest = await readManifest(repository, place(n));
    const read = await contentOf(repository, manifest.collections[0]?.layers ?? []);
    assert.equal(read.length, content.size, `snapshot ${n}`);
    assert.deepEqual(new Map(read), content, `snapshot ${n}`);
  }
}

async function prune(repository: Repository, pinned: number[] = [], writing: number[] = []): Promise<number> {
  const options = { pinned: pinned.map(place), writing: writing.map(place), graceMs: 0, leaseMs: 0 };
  return (await executePrune(repository, await planPrune(repository, options))).deleted;
}

async function blobKeys(store: ObjectStore): Promise<string[]> {
  return (await collect(store.list('blobs/'))).map((info) => info.objectKey);
}

function nextContent(before: Content | undefined, changes: readonly Change[]): Content {
  const content = new Map(before);
  applyChanges(content, changes);
  return content;
}

const runs = histories.filter((history) => history.length >= 2);

describe('a repository after a crash', () => {
  test('has each snapshot whole or not at all, and prune then leaves exactly what is needed', async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.nat({ max: 60 }), fc.constantFrom(...writeFaults), async (history, at, fault) => {
        const clock = clockOfEmptyStore();
        const memory = await emptyStore(clock);
        const healthy = await testRepository({ store: memory, clock });
        const store = new FaultyStore(memory, { faultyWrite: at + 1, fault });
        const faulty = await openRepository({ store, clock, random: new SeededRandom(2) });

        const contents = new Map<number, Content>();
        let [parent, failedAt, content]: [Manifest | null, number, Content] = [null, 0, new Map()];
        for (const [index, changes] of history.entries()) {
          content = nextContent(contents.get(index), changes);
          try {
            parent = await take(faulty, index + 1, parent, changes);
          } catch {
            failedAt = index + 1;
            break;
          }
          contents.set(index + 1, content);
        }
        // The manifest may have been written before the process could hear of it: then the snapshot is there, whole.
        if (failedAt > 0 && (await manifestExists(healthy, place(failedAt)))) contents.set(failedAt, content);
        await assertWhole(healthy, contents);

        await clock.advance(1000);
        await prune(healthy);
        await assertWhole(healthy, contents);
        const { blobs } = await checkRepository(healthy);
        assert.equal((await blobKeys(memory)).length, blobs, 'nothing is left that nothing names');
      }),
      { numRuns, ...seed },
    );
  });

  test('goes on: the next attempt under the same id completes on what the last one left', async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.nat({ max: 15 }), fc.constantFrom(...writeFaults), async (history, at, fault) => {
        const clock = clockOfEmptyStore();
        const memory = await emptyStore(clock);
        const healthy = await testRepository({ store: memory, clock });
        const [first, second] = history as [Change[], Change[]];
        const parent = await take(healthy, 1, null, first);
        const store = new FaultyStore(memory, { faultyWrite: at + 1, fault });
        const faulty = await openRepository({ store, clock, random: new SeededRandom(2) });
        await take(faulty, 2, parent, second).catch(() => undefined);
        if (!(await manifestExists(healthy, place(2)))) await take(healthy, 2, parent, second);
        const before = nextContent(undefined, first);
        await assertWhole(
          healthy,
          new Map([
            [1, before],
            [2, nextContent(before, second)],
          ]),
        );
      }),
      { numRuns, ...seed },
    );
  });

  test('a prune that dies midway has taken garbage only, and the next one finishes', async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.nat({ max: 10 }), fc.nat(), async (history, at, deleted) => {
        const clock = clockOfEmptyStore();
        const memory = await emptyStore(clock);
        const healthy = await testRepository({ store: memory, clock });
        const contents = new Map<number, Content>();
        let parent: Manifest | null = null;
        for (const [index, changes] of history.entries()) {
          parent = await take(healthy, index + 1, parent, changes);
          contents.set(index + 1, nextContent(contents.get(index), changes));
        }
        for (const n of [...contents.keys()].filter((each) => (deleted >> each) % 2 === 1)) {
          await deleteManifest(healthy, place(n));
          contents.delete(n);
        }
        await clock.advance(1000);
        const store = new FaultyStore(memory, { faultyWrite: at + 1, fault: 'killed after' });
        const faulty = await openRepository({ store, clock, random: new SeededRandom(2) });
        await prune(faulty).catch(() => undefined);
        await assertWhole(healthy, contents);
        await prune(healthy);
        await assertWhole(healthy, contents);
        assert.equal((await blobKeys(memory)).length, (await checkRepository(healthy)).blobs);
      }),
      { numRuns, ...seed },
    );
  });
});

describe('a prune beside a writer', () => {
  test('takes nothing of a snapshot that is being written, and nothing of its pinned parent', async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.nat({ max: 12 }), async (history, at) => {
        const clock = clockOfEmptyStore();
        const memory = await emptyStore(clock);
        const healthy = await testRepository({ store: memory, clock });
        const [first, second] = history as [Change[], Change[]];
        const garbage = await take(healthy, 7, null, second);
        await deleteManifest(healthy, garbage.header);
        const parent = await take(healthy, 1, null, first);
        let writes = 0;
        // Time passes with every write, so that no grace period helps: the pin and the list of writers must.
        const store = new FaultyStore(memory, {
          beforeWrite: async () => {
            await clock.advance(1000);
            if (writes++ === at) await prune(healthy, [1], [2]);
          },
        });
        const writing = await openRepository({ store, clock, random: new SeededRandom(2) });
        await take(writing, 2, parent, second);
        const before = nextContent(undefined, first);
        await assertWhole(
          healthy,
          new Map([
            [1, before],
            [2, nextContent(before, second)],
          ]),
        );
      }),
      { numRuns, ...seed },
    );
  });

  test('refuses while the manifest of a pinned parent is gone, and the child stays whole', async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.nat({ max: 12 }), async (history, at) => {
        const clock = clockOfEmptyStore();
        const memory = await emptyStore(clock);
        const healthy = await testRepository({ store: memory, clock });
        const [first, second] = history as [Change[], Change[]];
        const parent = await take(healthy, 1, null, first);
        const refusals: unknown[] = [];
        let writes = 0;
        const store = new FaultyStore(memory, {
          beforeWrite: async () => {
            await clock.advance(1000);
            if (writes++ !== at) return;
            await deleteManifest(healthy, place(1));
            await prune(healthy, [1], [2]).catch((error: unknown) => refusals.push(error));
          },
        });
        const writing = await openRepository({ store, clock, random: new SeededRandom(2) });
        await take(writing, 2, parent, second);
        for (const refusal of refusals) assert.ok(refusal instanceof Fault);
        if (writes > at) assert.equal(refusals.length, 1);
        await clock.advance(1000);
        await prune(healthy);
        const contents = new Map([[2, nextContent(nextContent(undefined, first), second)]]);
        if ((await findManifest(healthy, place(1))) !== null) contents.set(1, nextContent(undefined, first));
        await assertWhole(healthy, contents);
      }),
      { numRuns, ...seed },
    );
  });
});
