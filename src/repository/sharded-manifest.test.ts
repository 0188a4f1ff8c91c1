import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { contentOf, writeChanges } from '../../test/support/layer-history.ts';
import { readStored, storedManifest } from '../../test/support/stored-manifest.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
} from '../../test/support/test-repository.ts';
import { Bug, must } from '../lib/assert.ts';
import { Damage } from '../lib/errors.ts';
import { MemoryStore } from '../storage/memory.ts';
import { copySnapshot, openCopyRepository } from './copy-snapshot.ts';
import type { CollectionEntry, LayerRef, Manifest, ManifestReplicaSet } from './format/manifest.ts';
import { assembleManifest, decodeManifest, orderedCollections } from './format/manifest-json.ts';
import { replicaSetsOf } from './format/manifest-replica-sets.ts';
import { decodeSealedLines, encodeSealedLines } from './format/sealed-lines.ts';
import { deleteManifest, readManifest } from './manifests.ts';
import type { Repository } from './repository.ts';
import { checkRepository } from './upkeep/check.ts';
import { executePrune, planPrune } from './upkeep/prune.ts';
import { SnapshotWriter } from './writer.ts';

const place = (n: number) => ({ clusterId: testClusterId, snapshotId: snapshotIdOf(n) });
const some = (from: number, content: string) =>
  Array.from({ length: 12 }, (_, id) => ({ id: from + id, content: Buffer.from(content), idLast: false }));

function replicaSetOf(index: number, own: readonly CollectionEntry[]): ManifestReplicaSet {
  return {
    id: snapshotIdOf(100 + index),
    shardName: index === 2 ? 'config' : `s${index}`,
    configServer: index === 2,
    replicaSetName: `rs${index}`,
    replicaSetId: null,
    position: { t: 1, i: index === 0 ? 0 : 1, term: 4 + index },
    mongodVersion: '6.0.5',
    featureCompatibilityVersion: '6.0',
    collections: own.length,
    documents: own.reduce((sum, entry) => sum + entry.documents, 0),
    bytes: own.reduce((sum, entry) => sum + entry.bytes, 0),
  };
}

/** Three replica sets that hold a collection of one name. */
function shardedManifest(repository: Repository, n: number, layers: readonly LayerRef[][], parent: number | null) {
  const collections = layers.map((own, replicaSet) => ({ ...collectionOf('orders', own), replicaSet }));
  const manifest = manifestOf(repository, snapshotIdOf(n), collections, parent === null ? null : snapshotIdOf(parent));
  const replicaSets = collections.map((entry, index) => replicaSetOf(index, [entry]));
  manifest.header = { ...manifest.header, type: 'sharded', replicaSets };
  return manifest;
}

/** A first sharded snapshot, and one that goes on from it replica set by replica set. */
async function twoSnapshots(repository: Repository): Promise<Manifest> {
  const first = [0, 1, 2].map(() => new SnapshotWriter(repository, { ...place(1), parent: null }));
  const bases = await Promise.all(
    // The config servers hold what shard 0 holds: two writers put one blob.
    first.map(async (writer, index) => [await writeChanges(writer, some(index === 2 ? 0 : index, 'first'), 'base')]),
  );
  const parent = shardedManifest(repository, 1, bases, null);
  await SnapshotWriter.commitTogether(first, parent);
  const parents = replicaSetsOf(parent).map((one) => one.manifest);
  const second = parents.map((own) => new SnapshotWriter(repository, { ...place(2), parent: own }));
  const layers = await Promise.all(
    second.map(async (writer, index) => [
      await writeChanges(writer, [{ id: 3, content: Buffer.from(`second ${index}`), idLast: false }], 'delta'),
      ...(bases[index] ?? []),
    ]),
  );
  await SnapshotWriter.commitTogether(second, shardedManifest(repository, 2, layers, 1));
  return parent;
}

test('each replica set of a sharded snapshot reads as the manifest of its replica set', async () => {
  const repository = await testRepository();
  await twoSnapshots(repository);
  const manifest = await readManifest(repository, place(2));
  const replicaSets = replicaSetsOf(manifest);
  assert.deepEqual(
    replicaSets.map(({ replicaSet }) => replicaSet?.shardName),
    ['s0', 's1', 'config'],
  );
  for (const [index, { manifest: own }] of replicaSets.entries()) {
    assert.equal(own.header.replicaSetName, `rs${index}`);
    assert.deepEqual(own.header.clusterTime, { t: 1, i: 1, term: 4 + index });
    assert.deepEqual(own.header.position, { t: 1, i: index === 0 ? 0 : 1, term: 4 + index });
    assert.equal(own.collections.length, 1);
    const content = await contentOf(repository, own.collections[0]?.layers ?? []);
    const changed = content.filter(([, document]) => document.includes(Buffer.from(`second ${index}`).toString('hex')));
    assert.equal(changed.length, 1);
  }
});

test('check, prune, copy and deletion handle a sharded snapshot as one', async () => {
  const clock = new FakeClock();
  const repository = await testRepository({ clock, store: new MemoryStore(clock) });
  await twoSnapshots(repository);
  const to = await openCopyRepository(repository, new MemoryStore(clock), {});
  await copySnapshot(repository, to, place(2));
  const copied = await checkRepository(to, { readData: true });
  assert.deepEqual([copied.snapshots, copied.problems], [1, []]);
  await deleteManifest(repository, place(1));
  await clock.advance(10_000);
  const prune = async () => {
    const plan = await planPrune(repository, { pinned: [], writing: [], graceMs: 1000 });
    await executePrune(repository, plan, {});
  };
  await prune();
  const left = await checkRepository(repository, { readData: true });
  assert.deepEqual([left.snapshots, left.problems], [1, []]);
  await deleteManifest(repository, place(2));
  await prune();
  for await (const { objectKey } of repository.store.list('blobs/')) assert.fail(`${objectKey} was left`);
});

test('a replica set may name only what its own writer wrote', async () => {
  const repository = await testRepository();
  const writers = [0, 1, 2].map(() => new SnapshotWriter(repository, { ...place(1), parent: null }));
  const layers = await Promise.all(
    writers.map(async (writer, index) => [await writeChanges(writer, some(0, `of ${index}`), 'base')]),
  );
  const swapped = shardedManifest(repository, 1, [layers[1] ?? [], layers[0] ?? [], layers[2] ?? []], null);
  await assert.rejects(SnapshotWriter.commitTogether(writers, swapped), Bug);
});

test('replica sets that contradict their collections are damage', async () => {
  const repository = await testRepository();
  const { header, collections } = await twoSnapshots(repository);
  const replicaSets = header.replicaSets ?? [];
  const broken: [string, Partial<Manifest['header']>][] = [
    ['no replica sets', { replicaSets: [] }],
    ['a name twice', { replicaSets: replicaSets.map((replicaSet) => ({ ...replicaSet, shardName: 's0' })) }],
    [
      'a count',
      { replicaSets: replicaSets.map((replicaSet) => ({ ...replicaSet, documents: replicaSet.documents + 1 })) },
    ],
    [
      'a late position',
      { replicaSets: replicaSets.map((replicaSet) => ({ ...replicaSet, position: { t: 2, i: 0, term: 1 } })) },
    ],
    ['two config servers', { replicaSets: replicaSets.map((replicaSet) => ({ ...replicaSet, configServer: true })) }],
  ];
  for (const [what, change] of broken) {
    assert.throws(() => orderedCollections({ header: { ...header, ...change }, collections }), Bug, what);
  }
  const stored = storedManifest({ header, collections });
  assert.deepEqual(readStored(stored, 'whole').header.replicaSets, replicaSets);
  const [head] = decodeSealedLines(stored.payload, 'whole') as [Record<string, unknown>];
  const [, line] = must([...stored.sections.values()][0], 'a section')
    .toString()
    .split('\n');
  const first = JSON.parse(line ?? '') as Record<string, unknown>;
  const named = Object.keys(header).map((name) => (name === 'replicaSets' ? 'members' : name));
  assert.deepEqual(Object.keys(head), ['kind', 'version', ...named], 'its name and place in the format');
  assert.deepEqual([head.replicaSets, first.replicaSet, first.member], [undefined, undefined, 0]);
  const stray = encodeSealedLines([{ kind: 'header', version: 1, ...header, type: 'replicaSet' }]);
  assert.throws(() => assembleManifest(decodeManifest(stray, 'stray'), [], 'stray'), Damage);
});
