import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Timestamp } from 'mongodb';
import { compareTruth } from '../support/compare.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { ServedTidemark, until } from '../support/served-tidemark.ts';
import { readTruth, type Truth } from '../support/truth.ts';

interface JobBody {
  id: string;
  failed: boolean;
  finishedAt?: string;
}

describe('a cluster with continuous backup', () => {
  const source = useReplicaSet({ name: 'source', setParameters: { minSnapshotHistoryWindowInSeconds: 3600 } });
  const target = useReplicaSet({ name: 'target' });
  let tidemark: ServedTidemark;

  before(async () => {
    tidemark = await ServedTidemark.create({ copyRegion: 'EU_WEST_1' });
    await tidemark.addCluster('Source', source().uri);
    await tidemark.addCluster('Target', target().uri);
  });

  after(async () => await tidemark.remove());

  /** The time of the last write, majority-committed, and what the source holds then. */
  async function remember(): Promise<{ at: Timestamp; truth: Truth }> {
    const { operationTime } = await source()
      .client.db('admin')
      .command({ appendOplogNote: 1, data: { here: 1 }, writeConcern: { w: 'majority' } });
    const at = operationTime as Timestamp;
    return { at, truth: await readTruth(source().client, at) };
  }

  async function restoreTo(point: object): Promise<JobBody> {
    const request = {
      deliveryType: 'pointInTime',
      targetClusterName: 'Target',
      targetGroupId: tidemark.credentials.projectId,
      ...point,
    };
    const job = await tidemark.client.post<JobBody>(tidemark.path('Source', 'restoreJobs'), request, '2023-01-01');
    return await until('the restore ends', async () => {
      const body = await tidemark.client.get<JobBody>(tidemark.path('Source', `restoreJobs/${job.id}`), '2023-01-01');
      return body.failed || body.finishedAt !== undefined ? body : null;
    });
  }

  /** Asks until the captured oplog reaches the point; before that the answer is Atlas's refusal. */
  async function restoreWhenCaptured(point: object): Promise<JobBody> {
    return await until('the point is captured', async () => {
      return await restoreTo(point).catch((error: unknown) => {
        if (String(error).includes('INVALID_PIT_RESTORE_TIME')) return null;
        throw error;
      });
    });
  }

  test('is restored to any recorded moment, also after the server was killed in between', async () => {
    const docs = source().client.db('shop').collection<{ _id: number; n: number }>('docs');
    await docs.insertMany(Array.from({ length: 2_000 }, (_, i) => ({ _id: i, n: 0 })));
    const cluster = `/api/atlas/v2/groups/${tidemark.credentials.projectId}/clusters/Source`;
    await tidemark.client.patch(cluster, { pitEnabled: true }, '2024-10-23');
    const shown = await tidemark.client.get<{ pitEnabled: boolean }>(cluster, '2024-08-05');
    assert.equal(shown.pitEnabled, true);
    const status = `/api/tidemark/v1/groups/${tidemark.credentials.projectId}/clusters/Source/continuousBackup`;
    await until('the capture has begun', async () => {
      return (await tidemark.client.get<{ captured: object | null }>(status)).captured;
    });
    const snapshot = await tidemark.requestSnapshot('Source');
    await tidemark.whenSnapshotEnds('Source', snapshot.id);

    await docs.updateMany({ _id: { $lt: 500 } }, { $inc: { n: 1 } });
    await source().client.db('shop').collection('fresh').insertOne({ a: 1 });
    const first = await remember();
    await tidemark.kill();
    await docs.createIndex({ n: 1 });
    await docs.deleteMany({ _id: { $gte: 1_500 } });
    const second = await remember();
    await tidemark.restart();
    await docs.deleteMany({});
    const last = await remember();

    for (const { at, truth } of [second, first, last]) {
      const job = await restoreWhenCaptured({ oplogTs: at.getHighBits() >>> 0, oplogInc: at.getLowBits() >>> 0 });
      assert.equal(job.failed, false);
      // The listing of a truth is always today's: the index came with the second moment, and only the first lacks it.
      const expected = at === first.at ? withoutIndex(truth, 'shop.docs', 'n_1') : truth;
      assert.deepEqual(compareTruth(expected, await readTruth(target().client, null)), []);
    }
  });

  test('is restored to its newest entry, and to a second after which it was left alone, when first asked', async () => {
    const docs = source().client.db('shop').collection<{ _id: number; n: number }>('newest');
    await docs.insertMany(Array.from({ length: 100 }, (_, i) => ({ _id: i, n: 0 })));
    const newest = await remember();
    const entry = { oplogTs: newest.at.getHighBits() >>> 0, oplogInc: newest.at.getLowBits() >>> 0 };
    assert.equal((await restoreTo(entry)).failed, false);
    assert.deepEqual(compareTruth(newest.truth, await readTruth(target().client, null)), []);
    // Only the servers' own no-op shows that nothing came before the end of that second.
    await docs.deleteMany({ _id: { $lt: 10 } });
    const idle = await remember();
    assert.equal((await restoreTo({ pointInTimeUTCSeconds: (idle.at.getHighBits() >>> 0) + 1 })).failed, false);
    assert.deepEqual(compareTruth(idle.truth, await readTruth(target().client, null)), []);
  });

  test('is restored although the repository has lost captured oplog, where a region has a copy of it', async () => {
    const { projectId } = tidemark.credentials;
    const setting = {
      cloudProvider: 'AWS',
      regionName: 'EU_WEST_1',
      zoneId: await zoneOf(tidemark),
      frequencies: ['DAILY'],
      shouldCopyOplogs: true,
    };
    const schedule = tidemark.path('Source', 'schedule');
    await tidemark.client.patch(schedule, { copySettings: [setting] }, '2024-08-05');
    const docs = source().client.db('shop').collection<{ _id: number; n: number }>('docs');
    await docs.insertMany(Array.from({ length: 50 }, (_, i) => ({ _id: i, n: 1 })));
    const moment = await remember();
    const point = { oplogTs: moment.at.getHighBits() >>> 0, oplogInc: moment.at.getLowBits() >>> 0 };
    assert.equal((await restoreWhenCaptured(point)).failed, false);
    const newest = (await slicesIn(tidemark.repositoryDir)).toSorted().at(-1) ?? '';
    const copied = await until('the oplog is copied', async () => {
      const there = await slicesIn(tidemark.copiesDir);
      return there.includes(newest) ? there : null;
    });
    // What precedes the first snapshot is of no use and is not copied.
    assert.ok(copied.length > 1);
    for (const name of copied) await writeFile(join(tidemark.repositoryDir, name), 'spoiled');
    await docs.deleteMany({});
    assert.equal((await restoreTo(point)).failed, false);
    assert.deepEqual(compareTruth(moment.truth, await readTruth(target().client, null)), []);
    const status = `/api/tidemark/v1/groups/${projectId}/clusters/Source/continuousBackup`;
    assert.ok((await tidemark.client.get<{ captured: object | null }>(status)).captured);
  });

  test('refuses the future and what lies before the first snapshot, in words, before anything is touched', async () => {
    const future = Math.floor(Date.parse('2099-01-01T00:00:00Z') / 1000);
    await assert.rejects(restoreTo({ pointInTimeUTCSeconds: future }), /INVALID_PIT_RESTORE_TIME/);
    await assert.rejects(
      restoreTo({ pointInTimeUTCSeconds: 1_300_000_000 }),
      /UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME/,
    );
  });
});

async function zoneOf({ client, credentials }: ServedTidemark): Promise<string | undefined> {
  const path = `/api/atlas/v2/groups/${credentials.projectId}/clusters/Source`;
  const shown = await client.get<{ replicationSpecs: { zoneId: string }[] }>(path, '2024-08-05');
  return shown.replicationSpecs[0]?.zoneId;
}

/** Paths of captured slices, below the repository. */
async function slicesIn(directory: string): Promise<string[]> {
  const found = await readdir(directory, { recursive: true }).catch(() => []);
  return found.filter((name) => /^oplog\/.*\/[0-9a-f]{16}-[0-9a-f]{16}$/.test(name));
}

function withoutIndex(truth: Truth, namespace: string, index: string): Truth {
  truth.collections.get(namespace)?.indexes.delete(index);
  return truth;
}
