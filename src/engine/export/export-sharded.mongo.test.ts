import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { BSON, type Document } from 'mongodb';
import { parseArchive } from '../../../test/support/archive-parser.ts';
import { collect } from '../../../test/support/collect.ts';
import { bucket, completed, prefix } from '../../../test/support/export-fixture.ts';
import { documentsOfLines, exportedLines, exportedObjects } from '../../../test/support/exported.ts';
import { fillRouted, routedCollections } from '../../../test/support/routed-collections.ts';
import { useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { ShardedFixture } from '../../../test/support/sharded-fixture.ts';
import { silentLogger } from '../../lib/logger.ts';
import { prepareDownload, readDownload } from '../archive/download.ts';
import { exportSnapshot } from './export-snapshot.ts';
import { InlineTranscoder } from './transcoding.ts';

const cluster = useShardedCluster({ setParameters: { orphanCleanupDelaySecs: 3600 } });
const { signal } = new AbortController();

const textOf = (document: Document) => BSON.EJSON.stringify(document, { relaxed: false });
/** With types as they are, not as the driver likes to have them. */
const asStored = (documents: readonly Document[], n: number) =>
  BSON.deserialize(BSON.serialize({ _id: n, ...documents[n] }), { promoteValues: false });
const idsOf = (documents: readonly Document[]) => documents.map((one) => Number(one._id)).toSorted((a, b) => a - b);

test('exports and downloads of a sharded cluster hold what its shards own, each document once, and no orphan', async () => {
  await fillRouted(cluster());
  const fixture = await ShardedFixture.create(cluster());
  const { header } = await fixture.take();
  const { repository, clusterId } = fixture;
  const place = { repository, clusterId, snapshotId: header.snapshotId, signal };

  const store = bucket();
  const exported = await exportSnapshot({
    ...{ ...place, store, prefix, resumed: false, completed, transcoder: new InlineTranscoder(), log: silentLogger },
    report: () => undefined,
  });
  const objects = await exportedObjects(store, prefix);
  const archives = new Map<string, ReturnType<typeof parseArchive>>();
  for (const { replicaSetName, isShard, bytes, writer } of await prepareDownload({
    ...place,
    report: () => undefined,
  })) {
    assert.equal(isShard, true);
    const file = Buffer.concat(await collect(readDownload({ ...place, replicaSetName, writer })));
    assert.equal(file.length, bytes);
    archives.set(replicaSetName, parseArchive(gunzipSync(file)));
  }
  assert.deepEqual(
    [...archives.keys()],
    cluster().shards.map(({ set }) => set.name),
  );

  let documentsOfAll = 0;
  for (const { name, documents } of routedCollections) {
    const routed = await cluster().findRouted('shop', name);
    let [both, orphans] = [0, 0];
    const met: Document[] = [];
    for (const { id, set } of cluster().shards) {
      const seen = idsOf(routed.get(id) ?? []);
      const ofShard = new Map([...objects].filter(([key]) => key.includes(`/${set.name}.`)));
      const fromFiles = documentsOfLines(exportedLines(ofShard, 'shop', name)).map((raw) =>
        BSON.deserialize(raw, { promoteValues: false }),
      );
      assert.deepEqual(idsOf(fromFiles), seen, `${name} of ${id}`);
      for (const one of fromFiles) assert.equal(textOf(one), textOf(asStored(documents, Number(one._id))));
      const raws = archives.get(set.name)?.collections.get(`shop.${name}`)?.documents ?? [];
      assert.deepEqual(idsOf(raws.map((raw) => BSON.deserialize(raw))), idsOf(fromFiles), `${name} of ${id}`);
      met.push(...fromFiles);
      if (seen.length > 0) both++;
      orphans += documents.length - seen.length;
    }
    assert.equal(both, 2, `${name} lies on both shards`);
    assert.equal(orphans, documents.length, `half of what both shards hold of ${name} are orphans`);
    assert.deepEqual(
      idsOf(met),
      documents.map((_, n) => n),
      `every document of ${name} is there once`,
    );
    documentsOfAll += documents.length;
  }
  assert.deepEqual([...objects.keys()].filter((key) => key.includes('/plain/')).toSorted(), [
    'shop/plain/metadata.json',
    `shop/plain/${cluster().shard(0).set.name}.0.json.gz`,
  ]);
  assert.equal(archives.get(cluster().shard(1).set.name)?.collections.get('shop.plain')?.documents.length, 0);
  assert.equal(exported.documents, documentsOfAll + 2);
});
