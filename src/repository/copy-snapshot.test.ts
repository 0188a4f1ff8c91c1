import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { contentOf, writeChanges } from '../../test/support/layer-history.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
} from '../../test/support/test-repository.ts';
import { Damage, Fault } from '../lib/errors.ts';
import { MemoryStore } from '../storage/memory.ts';
import { copySnapshot, deleteSnapshotCopy, openCopyRepository } from './copy-snapshot.ts';
import { manifestExists, readManifest } from './manifests.ts';
import type { Repository } from './repository.ts';
import { checkRepository } from './upkeep/check.ts';
import { SnapshotWriter } from './writer.ts';

const place = (n: number) => ({ clusterId: testClusterId, snapshotId: snapshotIdOf(n) });

/** Two snapshots, the second a small change of the first: it is made of the first one's blobs too. */
async function twoSnapshots(repository: Repository): Promise<void> {
  const changes = Array.from({ length: 40 }, (_, id) => ({ id, content: Buffer.alloc(30, id), idLast: false }));
  const first = new SnapshotWriter(repository, { ...place(1), parent: null });
  const base = await writeChanges(first, changes, 'base');
  const parent = manifestOf(repository, snapshotIdOf(1), [collectionOf('orders', [base])]);
  await first.commit(parent);
  const second = new SnapshotWriter(repository, { ...place(2), parent });
  const delta = await writeChanges(second, [{ id: 3, content: null, idLast: false }], 'delta');
  const manifest = manifestOf(repository, snapshotIdOf(2), [collectionOf('orders', [delta, base])], snapshotIdOf(1));
  await second.commit(manifest);
}

const contentIn = async (repository: Repository, n: number) => {
  const { collections } = await readManifest(repository, place(n));
  return await contentOf(repository, collections[0]?.layers ?? []);
};

for (const passphrase of [undefined, 'open sesame']) {
  test(`a copy holds what the original holds, and is a repository of its own (${passphrase ?? 'plain'})`, async () => {
    const clock = new FakeClock();
    const from = await testRepository({ clock, ...(passphrase === undefined ? {} : { passphrase }) });
    await twoSnapshots(from);
    const options = passphrase === undefined ? {} : { passphrase };
    const store = new MemoryStore(clock);
    const to = await openCopyRepository(from, store, options);
    const second = await copySnapshot(from, to, place(2));
    assert.equal(await manifestExists(to, place(1)), false);
    assert.deepEqual(await contentIn(to, 2), await contentIn(from, 2));
    // What the first is made of is there already, but for its manifest.
    const first = await copySnapshot(from, to, place(1));
    assert.ok(first.storedBytes < second.storedBytes / 2, `${first.storedBytes} of ${second.storedBytes}`);
    // Opened again it is the same, without what it was copied from.
    const alone = await openCopyRepository(from, store, options);
    const report = await checkRepository(alone, { readData: true });
    assert.deepEqual([report.snapshots, report.problems], [2, []]);
  });
}

test('a copy that was cut off is finished, whatever is missing of it', async () => {
  const clock = new FakeClock();
  const from = await testRepository({ clock });
  await twoSnapshots(from);
  const whole = new MemoryStore(clock);
  await copySnapshot(from, await openCopyRepository(from, whole), place(2));
  const objects: string[] = [];
  for await (const { objectKey } of whole.list('')) if (objectKey !== 'repository.json') objects.push(objectKey);
  assert.ok(objects.length > 5);
  for (const lost of objects) {
    const store = new MemoryStore(clock);
    const to = await openCopyRepository(from, store);
    for (const objectKey of objects) if (objectKey !== lost) await store.put(objectKey, await whole.get(objectKey));
    await copySnapshot(from, to, place(2));
    const report = await checkRepository(to, { readData: true });
    assert.deepEqual([report.snapshots, report.problems], [1, []], lost);
  }
});

test('damage is not copied', async () => {
  const clock = new FakeClock();
  const from = await testRepository({ clock });
  await twoSnapshots(from);
  const to = await openCopyRepository(from, new MemoryStore(clock));
  for await (const { objectKey } of from.store.list('blobs/')) {
    const object = await from.store.get(objectKey);
    object.writeUInt8(object.readUInt8(object.length - 1) ^ 1, object.length - 1);
    await from.store.put(objectKey, object);
    break;
  }
  await assert.rejects(copySnapshot(from, to, place(2)), (error) => error instanceof Damage);
  assert.equal(await manifestExists(to, place(2)), false);
});

test('deleting a copy frees what no other copy is made of', async () => {
  const clock = new FakeClock();
  const from = await testRepository({ clock });
  await twoSnapshots(from);
  const store = new MemoryStore(clock);
  const to = await openCopyRepository(from, store);
  await copySnapshot(from, to, place(1));
  await copySnapshot(from, to, place(2));
  await clock.leap(2 * 3_600_000);
  await deleteSnapshotCopy(to, place(1));
  assert.deepEqual(await contentIn(to, 2), await contentIn(from, 2));
  await deleteSnapshotCopy(to, place(2));
  for await (const { objectKey } of store.list('blobs/')) assert.fail(`${objectKey} is left`);
  // And the original never noticed.
  assert.deepEqual((await checkRepository(from, { readData: true })).problems, []);
});

test('the copy store of another repository is refused', async () => {
  const clock = new FakeClock();
  const from = await testRepository({ clock });
  const other = await testRepository({ clock, seed: 2 });
  await assert.rejects(openCopyRepository(from, other.store), (error) => error instanceof Fault);
});
