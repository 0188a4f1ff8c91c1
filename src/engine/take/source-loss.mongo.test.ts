import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Document, Timestamp } from 'mongodb';
import { compareTruth } from '../../../test/support/compare.ts';
import { type ReplicaSet, useReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { must } from '../../lib/assert.ts';
import { readManifest } from '../../repository/manifests.ts';
import { SnapshotWriter } from '../../repository/writer.ts';
import type { TakenSnapshot } from './take-snapshot.ts';

const SLOW = { readBytesPerSecondMax: 6 << 20 };

async function fill(set: ReplicaSet, db: string, documents: number): Promise<void> {
  const rows = Array.from({ length: documents }, (_, i) => ({ _id: i, pad: 'z'.repeat(900) }));
  await set.client
    .db(db)
    .collection<{ _id: number; pad: string }>('docs')
    .insertMany(rows, { writeConcern: { w: 'majority' } });
}

describe('a source of three members', () => {
  const source = useReplicaSet({
    name: 'source',
    members: 3,
    setParameters: { minSnapshotHistoryWindowInSeconds: 3600 },
  });
  const target = useReplicaSet({ name: 'target' });

  async function expectExact(fixture: SnapshotFixture, taken: TakenSnapshot): Promise<void> {
    const expected = await readTruth(source().client, new Timestamp(taken.header.clusterTime));
    await fixture.restore(target().uri, taken);
    assert.deepEqual(compareTruth(expected, await readTruth(target().client, null)), []);
  }

  test('with a secondary present the primary serves no scan, and an incremental snapshot reads as many documents as changed', async () => {
    await fill(source(), 'light', 20_000);
    const fixture = await SnapshotFixture.create(source().uri);
    const primary = await source().primary();
    const scannedBefore = await scannedObjects(source(), primary.address);
    const first = await fixture.take();
    assert.notEqual(first.sourceHost, primary.address);
    const scannedDuringFirst = (await scannedObjects(source(), primary.address)) - scannedBefore;
    assert.ok(scannedDuringFirst < 200, `the primary scanned ${scannedDuringFirst} documents`);

    const docs = source().client.db('light').collection<{ _id: number; n?: number }>('docs');
    await docs.updateMany({ _id: { $lt: 100 } }, { $inc: { n: 1 } }, { writeConcern: { w: 3 } });
    const readBefore = await collectionReads(source(), first.sourceHost);
    const second = await fixture.take();
    assert.equal(second.statistics.documentsRead, 100);
    assert.equal(second.sourceHost, first.sourceHost, 'the same member is chosen again');
    const read = (await collectionReads(source(), second.sourceHost)) - readBefore;
    assert.ok(read >= 100 && read < 1_000, `the member says that it scanned ${read} documents`);
    await expectExact(fixture, second);
  });

  test('the member that is read from is killed in mid-scan: the snapshot goes on with another', async () => {
    await fill(source(), 'loss', 20_000);
    const fixture = await SnapshotFixture.create(source().uri, { blobBytes: 1 << 20 });
    let killed: Promise<void> | null = null;
    let victimAddress = '';
    const taken = await fixture.take({
      limits: SLOW,
      report: (progress) => {
        if (killed !== null || progress.phase !== 'scanning' || progress.bytesDone < 4 << 20) return;
        // Members are tried in a fixed order: the scan is on the first secondary.
        killed = (async () => {
          const member = await scanningMember(source());
          victimAddress = member.address;
          await member.kill();
        })();
      },
    });
    assert.ok(killed !== null, 'the kill came during the scan');
    await killed;
    assert.notEqual(taken.sourceHost, victimAddress);
    for (const member of source().members) if (!member.running) await member.restart();
    await source().whenComplete();
    await expectExact(fixture, taken);
  });

  test('the primary steps down in mid-scan: the snapshot is whole all the same', async () => {
    await fill(source(), 'election', 20_000);
    const fixture = await SnapshotFixture.create(source().uri, { blobBytes: 1 << 20 });
    let steppedDown: Promise<unknown> | null = null;
    const taken = await fixture.take({
      limits: SLOW,
      report: (progress) => {
        if (steppedDown !== null || progress.phase !== 'scanning' || progress.bytesDone < 4 << 20) return;
        steppedDown = source().stepDown();
      },
    });
    assert.ok(steppedDown !== null, 'the election came during the scan');
    await steppedDown;
    await source().whenComplete();
    await expectExact(fixture, taken);
    await fill(source(), 'afterElection', 10);
    const next = await fixture.take();
    assert.equal(
      next.statistics.scannedCollections,
      1,
      'the next one is incremental: only the new collection is scanned',
    );
    await expectExact(fixture, next);
  });
});

describe('a source whose history does not go on from the parent', () => {
  const source = useReplicaSet({ name: 'other' });
  const target = useReplicaSet({ name: 'target' });

  test('means a full snapshot that finds its old blobs again, and a whole one', async () => {
    const { client, uri } = source();
    await fill(source(), 'rolled', 1_000);
    const fixture = await SnapshotFixture.create(uri);
    const first = await fixture.take();
    fixture.last = { ...first, header: await inAnotherTerm(fixture, first.header.snapshotId) };
    await client.db('rolled').collection<{ _id: number }>('docs').deleteOne({ _id: 5 });
    await client.db('rolled').collection('more').insertOne({ a: 1 });
    const next = await fixture.take();
    assert.equal(next.statistics.scannedCollections, 3);
    assert.ok(next.statistics.reusedBytes > 0, 'what did not change is not stored again');
    await fixture.restore(target().uri);
    assert.deepEqual(compareTruth(await readTruth(client, null), await readTruth(target().client, null)), []);
  });
});

/**
 * The same snapshot as if an election had rewritten history: its T names an entry that the oplog does not hold in that
 * term.
 */
async function inAnotherTerm(fixture: SnapshotFixture, snapshotId: string): Promise<TakenSnapshot['header']> {
  const { repository, clusterId } = fixture;
  const manifest = await readManifest(repository, { clusterId, snapshotId });
  const header = {
    ...manifest.header,
    snapshotId: 'e'.repeat(24),
    clusterTime: { ...manifest.header.clusterTime, term: manifest.header.clusterTime.term + 1 },
  };
  const writer = new SnapshotWriter(repository, { clusterId, snapshotId: header.snapshotId, parent: manifest });
  await writer.commit({ ...manifest, header });
  return header;
}

async function statusOf(set: ReplicaSet, address: string): Promise<Document> {
  return await set.command(
    must(
      set.members.find((member) => member.address === address),
      'a member',
    ),
    { serverStatus: 1 },
  );
}

/** Documents that queries on this member looked at so far. */
async function scannedObjects(set: ReplicaSet, address: string): Promise<number> {
  return Number((await statusOf(set, address)).metrics.queryExecutor.scannedObjects);
}

const collectionReads = scannedObjects;

/** The member on which a query of ours is open. */
async function scanningMember(set: ReplicaSet): Promise<ReplicaSet['members'][number]> {
  for (const member of set.members) {
    const { inprog } = await set
      .command(member, { currentOp: 1, idleCursors: true, localOps: true, $all: true })
      .catch(() => ({ inprog: [] }));
    if ((inprog as Document[]).some((op) => op.appName === 'tidemark' && op.ns?.startsWith('loss.'))) return member;
  }
  return await set.secondary();
}
