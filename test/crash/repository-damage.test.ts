import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Damage } from '../../src/lib/errors.ts';
import { hashesOf } from '../../src/repository/format/id-filter.ts';
import type { CollectionEntry } from '../../src/repository/format/manifest.ts';
import { blobsThatMayHold } from '../../src/repository/layers/filtered-blobs.ts';
import { readCollection } from '../../src/repository/layers/layers.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import { type CheckProblem, checkRepository, checkSnapshot } from '../../src/repository/upkeep/check.ts';
import { SnapshotWriter } from '../../src/repository/writer.ts';
import { MemoryStore } from '../../src/storage/memory.ts';
import { collect } from '../support/collect.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { documentWith, int32Id } from '../support/raw-documents.ts';
import { collectionOf, manifestOf, snapshotIdOf, testClusterId, testRepository } from '../support/test-repository.ts';

/*
 * Two snapshots of collections in lists, in a blob of their own and in a shared one; then every object in turn is
 * deleted, cut, changed by a bit or put in another's place. Each time `check` has to name the object, with the snapshot
 * and the namespace it is missing from, and reading has to refuse it.
 */

async function twoSnapshots(repository: Repository): Promise<void> {
  const first = new SnapshotWriter(repository, { clusterId: testClusterId, snapshotId: snapshotIdOf(1), parent: null });
  const bases = [];
  for (const [name, from, to] of [
    ['one', 0, 15],
    ['single', 500, 502],
    ['small', 600, 601],
    ['tiny', 700, 701],
    ['two', 1000, 1015],
  ] as const) {
    const layer = first.openLayer({ kind: 'base' });
    const bytes = to - from === 1 ? 20 : 60;
    for (let id = from; id < to; id++) await layer.add(documentWith(int32Id(id), Buffer.alloc(bytes, id)));
    bases.push(collectionOf(name, [await layer.close()]));
  }
  const { manifest: parent } = await first.commit(manifestOf(repository, snapshotIdOf(1), bases));

  const second = new SnapshotWriter(repository, { clusterId: testClusterId, snapshotId: snapshotIdOf(2), parent });
  const delta = second.openLayer({ kind: 'delta' });
  await delta.add(documentWith(int32Id(3), Buffer.alloc(60, 99)));
  for (const id of [4, 5]) await delta.addDeleted(int32Id(id));
  const [one, ...others] = parent.collections;
  const changed = [collectionOf('one', [await delta.close(), ...(one?.layers ?? [])]), ...others];
  await second.commit(manifestOf(repository, snapshotIdOf(2), changed, snapshotIdOf(1)));
}

/** What has one document of 20 bytes shares a blob. */
const chunker = { minBytes: 512, targetBytes: 700, maxBytes: 900 };

type Damaging = (store: MemoryStore, objectKey: string, others: readonly string[]) => Promise<void>;

/** Those that change no length are seen by `check` only in lists and manifests; in blobs by `check --read-data`. */
const damages: Record<string, { damage: Damaging; keepsLength: boolean }> = {
  deleted: { keepsLength: false, damage: async (store, objectKey) => await store.delete(objectKey) },
  cut: {
    keepsLength: false,
    damage: async (store, objectKey) => await store.put(objectKey, (await store.get(objectKey)).subarray(0, -1)),
  },
  emptied: { keepsLength: false, damage: async (store, objectKey) => await store.put(objectKey, Buffer.alloc(0)) },
  'changed by a bit': {
    keepsLength: true,
    damage: async (store, objectKey) => {
      const body = await store.get(objectKey);
      const at = body.length - 3;
      body[at] = (body[at] as number) ^ 4;
      await store.put(objectKey, body);
    },
  },
  'put in the place of another': {
    keepsLength: true,
    damage: async (store, objectKey, others) => {
      const other = others.find((each) => each !== objectKey && each.split('/')[0] === objectKey.split('/')[0]);
      await store.put(objectKey, await store.get(other as string));
    },
  },
};

for (const passphrase of [undefined, 'secret']) {
  describe(`damage to a repository, ${passphrase === undefined ? 'plain' : 'encrypted'}`, () => {
    const clock = new FakeClock();
    const store = new MemoryStore(clock);
    let repository: Repository;
    let reader: () => Promise<Repository>;
    let objectKeys: string[];
    /** By object: `snapshot/namespace` of everything that needs it. */
    const users = new Map<string, Set<string>>();
    before(async () => {
      const keys = passphrase === undefined ? {} : { passphrase };
      repository = await testRepository({ store, clock, chunker, ...keys });
      // What was read is kept in memory: a reader of its own for each reading sees what the store has then.
      reader = async () => await openRepository({ store, clock, random: repository.random }, keys);
      await twoSnapshots(repository);
      objectKeys = (await collect(store.list(''))).map((info) => info.objectKey);
      objectKeys = objectKeys.filter((objectKey) => !objectKey.startsWith('repository.'));
      await findUsers(reader, store, users);
    });

    test('there is none at first', async () => {
      const kinds = new Set<number | undefined>();
      for (const objectKey of objectKeys) kinds.add((await store.get(objectKey))[5]);
      assert.deepEqual([...kinds].sort(), [1, 10, 2, 3, 8, 9], 'every kind of object of a snapshot');
      for (const readData of [false, true]) {
        const report = await checkRepository(repository, { readData });
        assert.deepEqual([report.problems, report.snapshots, report.blobs], [[], 2, objectKeys.length - 2]);
        const sizes = (await collect(store.list('blobs/'))).map((info) => info.sizeBytes);
        assert.equal(
          report.bytes,
          sizes.reduce((sum, size) => sum + size, 0),
        );
      }
    });

    for (const [name, { damage, keepsLength }] of Object.entries(damages)) {
      test(`every object ${name} is named by check and refused by reading`, async () => {
        for (const objectKey of objectKeys) {
          const whole = await store.get(objectKey);
          await damage(store, objectKey, objectKeys);
          const refused = await refusedBy(await reader(), objectKey);
          const thorough = await checkRepository(repository, { readData: true });
          const quick = await checkRepository(repository);
          await store.put(objectKey, whole);
          if (objectKey.startsWith('manifests/')) {
            assertManifestNamed(quick.problems, objectKey, name === 'deleted');
            continue;
          }
          assert.deepEqual(namedFor(thorough.problems, objectKey), users.get(objectKey), objectKey);
          assert.ok(refused, `${objectKey} was read`);
          const isData = !(await isReadByEveryCheck(repository, objectKey));
          if (!(keepsLength && isData)) assert.deepEqual(namedFor(quick.problems, objectKey), users.get(objectKey));
        }
        assert.deepEqual((await checkRepository(repository, { readData: true })).problems, []);
      });
    }
  });
}

/**
 * Which snapshot and namespace need an object is found by taking it away: so it is not found by the code that names it.
 */
async function findUsers(
  reader: () => Promise<Repository>,
  store: MemoryStore,
  users: Map<string, Set<string>>,
): Promise<void> {
  for (const { objectKey } of await collect(store.list('blobs/'))) {
    const whole = await store.get(objectKey);
    await store.delete(objectKey);
    const needing = new Set<string>();
    const repository = await reader();
    for (const n of [1, 2]) {
      const place = { clusterId: testClusterId, snapshotId: snapshotIdOf(n) };
      const manifest = await readManifest(repository, place).catch((error: unknown) => {
        if (error instanceof Damage) return null;
        throw error;
      });
      // Without a section nothing of the snapshot can be read.
      if (manifest === null) needing.add(`${snapshotIdOf(n)}/null`);
      for (const entry of manifest?.collections ?? []) {
        const read = readEverything(repository, entry);
        if (
          await read.then(
            () => false,
            () => true,
          )
        )
          needing.add(`${snapshotIdOf(n)}/${entry.db}.${entry.name}`);
      }
    }
    assert.ok(needing.size > 0, `${objectKey} is needed`);
    users.set(objectKey, needing);
    await store.put(objectKey, whole);
  }
}

/** As a restore reads a collection, and as a document's history does. */
async function readEverything(repository: Repository, entry: CollectionEntry): Promise<void> {
  await collect(readCollection(repository, testClusterId, entry));
  const hashes = hashesOf(int32Id(1), { type: 0x10, start: 1, end: 5 }, repository.chunker.seed);
  for (const layer of entry.layers) {
    for (const kind of [1, 5] as const) await collect(blobsThatMayHold(repository, testClusterId, layer, kind, hashes));
  }
}

async function refusedBy(repository: Repository, objectKey: string): Promise<boolean> {
  let refused = false;
  for (const n of [1, 2]) {
    try {
      const manifest = await readManifest(repository, { clusterId: testClusterId, snapshotId: snapshotIdOf(n) });
      const problems = await checkSnapshot(repository, manifest, { readData: true });
      for (const entry of manifest.collections) {
        const damaged = await readEverything(repository, entry).then(
          () => false,
          (error: unknown) => error instanceof Damage && error.message.includes(objectKey),
        );
        if (damaged) assert.ok(problems.some((problem) => problem.objectKey === objectKey));
        refused ||= damaged;
      }
    } catch (error) {
      const told = error instanceof Damage && error.message.includes(objectKey);
      if (!told && !objectKey.startsWith('manifests/')) throw error;
      refused = true;
    }
  }
  return refused;
}

function namedFor(problems: readonly CheckProblem[], objectKey: string): Set<string> {
  const named = problems.filter((problem) => problem.objectKey === objectKey);
  for (const { problem } of named) assert.ok(problem.includes(objectKey), problem);
  return new Set(named.map(({ snapshotId, namespace }) => `${snapshotId}/${namespace}`));
}

function assertManifestNamed(problems: readonly CheckProblem[], objectKey: string, deleted: boolean): void {
  const [problem, ...others] = problems;
  if (deleted) assert.equal(problem, undefined); // a snapshot without its manifest is no snapshot
  if (deleted) return;
  assert.deepEqual(others, []);
  assert.equal(problem?.objectKey, objectKey);
  assert.equal(problem?.namespace, null);
  assert.ok(objectKey.endsWith(problem?.snapshotId ?? 'none'));
}

/** Lists, sections and filters. */
async function isReadByEveryCheck(repository: Repository, objectKey: string): Promise<boolean> {
  return [2, 9, 10].includes((await repository.store.get(objectKey))[5] as number);
}
