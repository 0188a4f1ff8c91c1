import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ClusterTailing } from '../../../test/support/cluster-tailing.ts';
import { compareTruth } from '../../../test/support/compare.ts';
import { asDocumentedUser } from '../../../test/support/documented-target.ts';
import { MemoryJournal } from '../../../test/support/memory-journal.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { besides, type CollectionRun, renamed, restoreChosen } from '../../../test/support/restored-collections.ts';
import { RoutedMoments } from '../../../test/support/routed-moments.ts';
import { useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { readTruth, type Truth } from '../../../test/support/truth.ts';
import type { Timestamp64 } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { describeError } from '../../lib/errors.ts';

after(() => ClusterTailing.stopAll());

describe('chosen collections of a sharded cluster at a point in time', () => {
  /** What was moved stays where it was, as orphans that nobody writes to any more. */
  const source = useShardedCluster({ setParameters: { orphanCleanupDelaySecs: 3600 } });
  /** By the user that the documentation gives, which may do no more than it has to. */
  const target = useReplicaSet({ name: 'target', cacheGb: 1, auth: true });
  let uri: string;
  let routed: RoutedMoments;

  before(async () => {
    uri = await asDocumentedUser(target());
    routed = await RoutedMoments.make(source());
  });

  const seen = (what: string) => must(routed.moments.get(what), `noted: ${what}`);

  const restore = async (point: Timestamp64, wanted: Record<string, string>, run: CollectionRun = {}) =>
    await restoreChosen(
      routed.fixture,
      routed.taken,
      { collections: wanted },
      {
        uri,
        pointInTime: { end: { ts: point, inclusive: true }, slices: routed.fixture.repository },
        ...run,
      },
    );

  const namesOf = (truth: Truth, db: string) =>
    Object.fromEntries([...truth.collections.values()].map(({ name }) => [`shop.${name}`, `${db}.${name}`]));
  const askedFor = (names: Record<string, string>) =>
    Object.fromEntries(Object.entries(names).filter(([from]) => !from.includes('system.')));

  test('is what its clients saw then, byte for byte, whatever was moved, written, sharded or changed since', async () => {
    assert.equal(routed.moments.size, 4);
    for (const [what, { ts, together: truth }] of routed.moments) {
      const before = await readTruth(target().client, null);
      const db = `at${[...routed.moments.keys()].indexOf(what)}`;
      const names = namesOf(truth, db);
      const { result, journal } = await restore(ts, askedFor(names));
      assert.equal(result.leftOut.count, 0, what);
      assert.ok((result.replayed?.operations ?? 0) > 100, `${what}: ${result.replayed?.operations} operations`);
      const found = await readTruth(target().client, null);
      assert.deepEqual(compareTruth(besides(before, renamed(truth, names)), found), [], what);
      for (const record of journal.records) {
        const name = record.source.replace('shop.series', 'shop.system.buckets.series');
        const count = must(truth.collections.get(name)?.documents, `${name} has documents`).size;
        assert.equal(record.restoredDocuments, count, `${what}: ${name}`);
      }
    }
  });

  test('replaces what is there, and leaves nothing of its own names behind', async () => {
    const { ts, together: truth } = seen('moved and made');
    const names = namesOf(truth, 'at0');
    const before = await readTruth(target().client, null);
    await restore(ts, askedFor(names), { writeStrategy: 'overwriteExisting' });
    const found = await readTruth(target().client, null);
    assert.deepEqual(compareTruth(besides(before, renamed(truth, names)), found), []);
  });

  test('a failure half way takes away every part, and so does the attempt after a crash', async () => {
    const { ts, together: truth } = seen('written');
    const before = await readTruth(target().client, null);
    for (const phase of ['loading documents', 'replaying the oplog', 'bringing together what the shards own']) {
      const stop = new AbortController();
      let reached = false;
      const run = {
        signal: stop.signal,
        report: (progress: { phase: string }) => {
          if (progress.phase !== phase) return;
          reached = true;
          stop.abort();
        },
      };
      await assert.rejects(restore(ts, askedFor(namesOf(truth, 'undone')), run));
      assert.ok(reached, phase);
      assert.deepEqual(compareTruth(before, await readTruth(target().client, null)), [], phase);
    }
    // A process that dies takes nothing away: what it had made is there, and its journal names it.
    const journal = new MemoryJournal();
    const name = 'tidemark_restore_aaaaaaaaaaaaaaaaaaaaaaaa_1_0';
    for (const made of [name, `${name}_1`]) await target().client.db('undone').createCollection(made);
    await journal.begin([
      {
        ...{ source: 'shop.moving', target: 'undone.moving', effectiveTarget: 'undone.moving', state: 'IN_PROGRESS' },
        ...{ stagedName: name, stagedUuid: null, totalDocuments: 0, restoredDocuments: 0 },
        ...{ indexState: 'NOT_STARTED', indexError: null },
      },
    ]);
    await restore(ts, { 'shop.moving': 'undone.moving' }, { journal, attempt: 2 });
    const left = await target().client.db('undone').listCollections().toArray();
    assert.deepEqual(
      left.map(({ name }) => name).filter((one) => one !== 'system.views'),
      ['moving'],
    );
  });

  test('two documents of one _id on two shards, neither an orphan at the point, are said before anything is in its place', async () => {
    await source().shardCollection('shop', 'twice', { k: 1 });
    await source().moveRange('shop', 'twice', 1, { k: 5 });
    const tail = new ClusterTailing(source(), routed.fixture);
    await tail.mark();
    const base = await routed.fixture.take({ parent: null });
    for (const shard of [0, 1])
      await source()
        .shard(shard)
        .set.client.db('shop')
        .collection('twice')
        .insertOne({ _id: 1 as never, k: shard * 10 }, { writeConcern: { w: 'majority' } });
    const ts = await tail.mark();
    await tail.stop();
    const before = await readTruth(target().client, null);
    const point = { end: { ts, inclusive: true }, slices: routed.fixture.repository };
    const run = { uri, pointInTime: point };
    await assert.rejects(
      restoreChosen(routed.fixture, base, { collections: { 'shop.twice': 'fresh.twice' } }, run),
      (error) => /shop\.twice.* on several shards .*same _id/.test(describeError(error)),
    );
    assert.deepEqual(compareTruth(before, await readTruth(target().client, null)), []);
  });
});
