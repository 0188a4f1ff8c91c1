import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize, Timestamp } from 'bson';
import { DomainWorld } from '../../../test/support/domain-world.ts';
import { manifestOf, snapshotIdOf, testClusterId, testRepository } from '../../../test/support/test-repository.ts';
import { deleteManifest } from '../../repository/manifests.ts';
import { writeGap, writeSlice } from '../../repository/slices.ts';
import { SnapshotWriter } from '../../repository/writer.ts';
import { collectCatalogCopy } from './catalog-copy.ts';
import { type ExpectedContent, expectedByCatalog, expectedByCopy } from './expected-content.ts';
import { findMissing } from './find-missing.ts';

const place = (n: number) => ({ clusterId: testClusterId, snapshotId: snapshotIdOf(n) });
const nothing: ExpectedContent = { toldBy: 'the catalog', snapshots: [], copies: [], captured: [] };
const none = new Map<string, never>();

async function withSnapshots(...ns: number[]) {
  const repository = await testRepository();
  for (const n of ns) {
    const writer = new SnapshotWriter(repository, { ...place(n), parent: null });
    await writer.commit(manifestOf(repository, snapshotIdOf(n), []));
  }
  return repository;
}

test('snapshots that are listed and have no manifest are counted and named; others are not', async () => {
  const repository = await withSnapshots(1, 2, 3);
  const expected = { ...nothing, snapshots: [place(1), place(2), place(3)] };
  assert.deepEqual((await findMissing({ repository, copyRepositories: none }, expected)).missing, []);
  for (const n of [1, 3]) await deleteManifest(repository, place(n));
  assert.deepEqual((await findMissing({ repository, copyRepositories: none }, expected)).missing, [
    {
      kind: 'manifest',
      message: '2 snapshots that the catalog lists have no manifest',
      snapshotIds: [snapshotIdOf(1), snapshotIdOf(3)],
    },
  ]);
});

test('copies are looked for where they are, and it is said where nobody could look', async () => {
  const [repository, second] = [await withSnapshots(1), await withSnapshots(1)];
  const copies = [1, 2].map((n) => ({ ...place(n), regionName: 'EU_WEST_1' }));
  const copyRepositories = new Map([['EU_WEST_1', second]]);
  const found = await findMissing({ repository, copyRepositories }, { ...nothing, copies });
  assert.deepEqual(
    found.missing.map(({ message }) => message),
    ['1 copy in EU_WEST_1 that the catalog lists has no manifest in memory'],
  );
  const unseen = await findMissing({ repository, copyRepositories: none }, { ...nothing, copies });
  assert.deepEqual([unseen.missing, unseen.notLookedFor.length], [[], 1]);
});

test('holes in the captured oplog, and an end before the one the catalog knows, are said; a gap that is explained is none', async () => {
  const repository = await withSnapshots();
  const source = { clusterId: testClusterId, replicaSetName: 'rs0' };
  const at = (t: number) => (BigInt(t) << 32n) | 1n;
  const slice = async (...times: number[]) =>
    await writeSlice(
      repository,
      source,
      Buffer.concat(times.map((t) => Buffer.from(serialize({ ts: new Timestamp({ t, i: 1 }), t: 1, op: 'n' })))),
    );
  const upTo = at(60);
  const captured = [{ clusterId: testClusterId, clusterName: 'Shop', replicaSetName: 'rs0', upTo }];
  const messages = async () =>
    (await findMissing({ repository, copyRepositories: none }, { ...nothing, captured })).missing.map(
      (one) => one.message,
    );
  assert.match((await messages()).join(), /Shop \(rs0\) is not there at all/);
  await slice(10, 20);
  await slice(30, 40);
  assert.match(
    (await messages()).join(),
    /is missing from .*20Z\.1 to .*30Z\.1.*ends at .*40Z\.1; the catalog says .*01:00Z\.1/s,
  );
  await slice(40, 60);
  await writeGap(repository, source, at(20), 'the oplog was overtaken');
  assert.deepEqual(await messages(), []);
});

test('with the data, a slice that is not what was written is named, and without it nobody looks', async () => {
  const repository = await withSnapshots();
  const source = { clusterId: testClusterId, replicaSetName: 'rs0' };
  const entries = [10, 20].map((t) => Buffer.from(serialize({ ts: new Timestamp({ t, i: 1 }), t: 1, op: 'n' })));
  await writeSlice(repository, source, Buffer.concat(entries));
  const captured = [{ clusterId: testClusterId, clusterName: 'Shop', replicaSetName: 'rs0', upTo: (20n << 32n) | 1n }];
  const expected = { ...nothing, captured };
  const look = async (readData: boolean) =>
    (await findMissing({ repository, copyRepositories: none, readData }, expected)).missing.map((one) => one.message);
  assert.deepEqual(await look(true), []);
  for await (const { objectKey } of repository.store.list('oplog/')) {
    const bytes = Buffer.from(await repository.store.get(objectKey));
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 9) ^ 1, bytes.length - 9);
    await repository.store.delete(objectKey);
    await repository.store.put(objectKey, bytes, { ifAbsent: true });
  }
  assert.deepEqual(await look(false), []);
  assert.match((await look(true)).join(), /captured oplog of Shop \(rs0\) is spoiled: /);
});

test('the catalog and the copy of it inside the repository list the same snapshots', async () => {
  const world = await DomainWorld.open();
  const { copiedAt, completedSnapshots } = await collectCatalogCopy(world.context, { withSecrets: false });
  const byCopy = expectedByCopy({ copiedAt, completedSnapshots });
  assert.deepEqual(byCopy.snapshots, (await expectedByCatalog(world.catalog.reader)).snapshots);
  assert.match(byCopy.toldBy, /^the catalog copy of 20/);
  assert.deepEqual(expectedByCopy({}).snapshots, []);
});
