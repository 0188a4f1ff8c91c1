import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { manifestOf, snapshotIdOf, testClusterId, testRepository } from '../../test/support/test-repository.ts';
import { Fault } from '../lib/errors.ts';
import { MemoryStore } from '../storage/memory.ts';
import { deleteManifest } from './manifests.ts';
import { openRepository } from './repository.ts';
import { checkRepository } from './upkeep/check.ts';
import { noteVerified, tryToNoteAllVerified, wasVerifiedWithin } from './verifications.ts';
import { SnapshotWriter } from './writer.ts';

const place = { clusterId: testClusterId, snapshotId: snapshotIdOf(1) };

async function oneSnapshot() {
  const clock = new FakeClock();
  const store = new MemoryStore(clock);
  const repository = await testRepository({ clock, store });
  const writer = new SnapshotWriter(repository, { ...place, parent: null });
  await writer.commit(manifestOf(repository, place.snapshotId, []));
  return { clock, store, repository };
}

test('a note is good for the time that is asked for, by the clock of the store, and goes with its snapshot', async () => {
  const { clock, store, repository } = await oneSnapshot();
  assert.equal(await wasVerifiedWithin(repository, place, 1000), false);
  await noteVerified(repository, place);
  await clock.advance(900);
  assert.equal(await wasVerifiedWithin(repository, place, 1000), true);
  assert.equal(await wasVerifiedWithin(repository, place, 0), false, 'nothing was asked for');
  const skewed = await openRepository({
    store,
    clock: new FakeClock(clock.nowMs() - 3_600_000),
    random: new SeededRandom(3),
  });
  assert.equal(await wasVerifiedWithin(skewed, place, 1000), false, 'the clocks disagree');
  await clock.advance(200);
  assert.equal(await wasVerifiedWithin(repository, place, 1000), false);
  await noteVerified(repository, place);
  assert.equal(await wasVerifiedWithin(repository, place, 1000), true, 'noted anew');
  await deleteManifest(repository, place);
  assert.equal(await wasVerifiedWithin(repository, place, 1000), false);
});

test('a check says which snapshots it has read whole, and only where it has', async () => {
  const { store, repository } = await oneSnapshot();
  const second = { ...place, snapshotId: snapshotIdOf(2) };
  const writer = new SnapshotWriter(repository, { ...second, parent: null });
  await writer.commit(manifestOf(repository, second.snapshotId, []));
  assert.deepEqual((await checkRepository(repository)).verified, []);
  assert.deepEqual((await checkRepository(repository, { readData: true })).verified, [place, second]);
  const manifest = `manifests/${testClusterId}/${snapshotIdOf(2)}`;
  await store.put(manifest, (await store.get(manifest)).subarray(0, -1));
  assert.deepEqual((await checkRepository(repository, { readData: true })).verified, [place]);
});

test('where nothing can be written the reason is told, and nothing else happens', async () => {
  const { store, repository } = await oneSnapshot();
  const message = 'the medium is mounted read-only';
  store.put = async () => {
    throw new Fault({ op: 'put', subject: 'x', message });
  };
  assert.equal(await tryToNoteAllVerified(repository, [place]), message);
  store.put = async () => {
    throw new Error('a bug');
  };
  await assert.rejects(tryToNoteAllVerified(repository, [place]), /a bug/);
});
