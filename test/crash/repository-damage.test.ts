import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Damage } from '../../src/lib/errors.ts';
import { readCollection } from '../../src/repository/layers/layers.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { type CheckProblem, checkRepository, checkSnapshot } from '../../src/repository/upkeep/check.ts';
import { SnapshotWriter } from '../../src/repository/writer.ts';
import { MemoryStore } from '../../src/storage/memory.ts';
import { collect } from '../support/collect.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { documentWith, int32Id } from '../support/raw-documents.ts';
import { collectionOf, manifestOf, snapshotIdOf, testClusterId, testRepository } from '../support/test-repository.ts';

/*
 * Two snapshots of two collections; then every object in turn is deleted, cut, changed by a bit or put in another's
 * place. Each time `check` has to name the object, with the snapshot and the namespace it is missing from, and reading
 * has to refuse it.
 */

async function twoSnapshots(repository: Repository): Promise<void> {
  const first = new SnapshotWriter(repository, { clusterId: testClusterId, snapshotId: snapshotIdOf(1), parent: null });
  const bases = [];
  for (const [name, from] of [
    ['one', 0],
    ['two', 1000],
  ] as const) {
    const layer = first.openLayer({ kind: 'base' });
    for (let id = from; id < from + 15; id++) await layer.add(documentWith(int32Id(id), Buffer.alloc(60, id)));
    bases.push(collectionOf(name, [await layer.close()]));
  }
  const parent = manifestOf(repository, snapshotIdOf(1), bases);
  await first.commit(parent);

  const second = new SnapshotWriter(repository, { clusterId: testClusterId, snapshotId: snapshotIdOf(2), parent });
  const delta = second.openLayer({ kind: 'delta' });
  await delta.add(documentWith(int32Id(3), Buffer.alloc(60, 99)));
  for (const id of [4, 5]) await delta.addDeleted(int32Id(id));
  const [one, two] = parent.collections.map((entry) => entry.layers);
  const changed = [collectionOf('one', [await delta.close(), ...(one ?? [])]), collectionOf('two', two ?? [])];
  await second.commit(manifestOf(repository, snapshotIdOf(2), changed, snapshotIdOf(1)));
}

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
    let objectKeys: string[];
    /** By object: `snapshot/namespace` of everything that needs it. */
    const users = new Map<string, Set<string>>();
    before(async () => {
      repository = await testRepository({ store, clock, ...(passphrase === undefined ? {} : { passphrase }) });
      await twoSnapshots(repository);
      objectKeys = (await collect(store.list(''))).map((info) => info.objectKey);
      objectKeys = objectKeys.filter((objectKey) => !objectKey.startsWith('repository.'));
      await findUsers(repository, store, users);
    });

    test('there is none at first', async () => {
      assert.ok(objectKeys.length > 15);
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
          const refused = await refusedBy(repository, objectKey);
          const thorough = await checkRepository(repository, { readData: true });
          const quick = await checkRepository(repository);
          await store.put(objectKey, whole);
          if (objectKey.startsWith('manifests/')) {
            assertManifestNamed(quick.problems, objectKey, name === 'deleted');
            continue;
          }
          assert.deepEqual(namedFor(thorough.problems, objectKey), users.get(objectKey), objectKey);
          assert.ok(refused, `${objectKey} was read`);
          const isData = !(await isList(repository, objectKey));
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
async function findUsers(repository: Repository, store: MemoryStore, users: Map<string, Set<string>>): Promise<void> {
  for (const { objectKey } of await collect(store.list('blobs/'))) {
    const whole = await store.get(objectKey);
    await store.delete(objectKey);
    const needing = new Set<string>();
    for (const n of [1, 2]) {
      const manifest = await readManifest(repository, { clusterId: testClusterId, snapshotId: snapshotIdOf(n) });
      for (const entry of manifest.collections) {
        const read = collect(readCollection(repository, testClusterId, entry));
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

async function refusedBy(repository: Repository, objectKey: string): Promise<boolean> {
  let refused = false;
  for (const n of [1, 2]) {
    try {
      const manifest = await readManifest(repository, { clusterId: testClusterId, snapshotId: snapshotIdOf(n) });
      const problems = await checkSnapshot(repository, manifest, { readData: true });
      for (const entry of manifest.collections) {
        const damaged = await collect(readCollection(repository, testClusterId, entry)).then(
          () => false,
          (error: unknown) => error instanceof Damage && error.message.includes(objectKey),
        );
        if (damaged) assert.ok(problems.some((problem) => problem.objectKey === objectKey));
        refused ||= damaged;
      }
    } catch (error) {
      if (!objectKey.startsWith('manifests/')) throw error;
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

async function isList(repository: Repository, objectKey: string): Promise<boolean> {
  return (await repository.store.get(objectKey))[5] === 2;
}
