import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectionOf, manifestOf, testRepository } from '../../../test/support/test-repository.ts';
import type { ManifestReplicaSet } from '../../repository/format/manifest.ts';
import { exportParts } from './export-parts.ts';

const replicaSet = (shardName: string, configServer: boolean): ManifestReplicaSet => ({
  ...{ id: '1'.repeat(24), shardName, configServer, replicaSetName: `rs of ${shardName}`, replicaSetId: null },
  ...{ position: { t: 1, i: 1, term: 1 }, mongodVersion: '6.0.5', featureCompatibilityVersion: '6.0' },
  ...{ collections: 0, documents: 0, bytes: 0 },
});

test('every shard has its own part of a collection, and the config servers none', async () => {
  const of = (index: number, name: string) => ({ ...collectionOf(name, []), replicaSet: index });
  const collections = [of(0, 'orders'), of(0, 'only here'), of(1, 'orders'), of(2, 'orders')];
  const manifest = manifestOf(await testRepository(), '2'.repeat(24), collections);
  manifest.header.type = 'sharded';
  manifest.header.replicaSets = [replicaSet('a', false), replicaSet('b', false), replicaSet('config', true)];
  assert.deepEqual(
    exportParts(manifest, null).map(({ index, entry, replicaSetName }) => [index, entry.name, replicaSetName]),
    [
      [0, 'orders', 'rs of a'],
      [1, 'only here', 'rs of a'],
      [2, 'orders', 'rs of b'],
    ],
  );
});
