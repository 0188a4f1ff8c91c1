import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Timestamp } from 'mongodb';
import { systemClock } from '../../src/lib/clock.ts';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';
import { parseArchive } from '../support/archive-parser.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { ServedTidemark, until } from '../support/served-tidemark.ts';
import { useShardedCluster } from '../support/sharded-cluster.ts';

interface ShardedBody {
  id: string;
  type: string;
  status: string;
  members: { id: string; replicaSetName: string }[];
  snapshotIds: string[];
  configServerType: string;
}

interface ContinuousBody {
  captured: object | null;
  members: { shardName: string; failureReason: string | null }[];
  restorable: object[];
}

const VERSION = '2023-01-01';

describe('a sharded cluster in the service', () => {
  const cluster = useShardedCluster();
  const twin = useShardedCluster({ prefix: 't' });
  const replicaSet = useReplicaSet({ name: 'alone' });
  let tidemark: ServedTidemark;

  before(async () => {
    await cluster().createDatabase('shop', 0);
    await cluster().shardCollection('shop', 'orders');
    await cluster().moveRange('shop', 'orders', 1, { _id: 1000 });
    const orders = (shard: number) =>
      cluster().shard(shard).set.client.db('shop').collection<{ _id: number }>('orders');
    await orders(0).insertMany(Array.from({ length: 1000 }, (_, n) => ({ _id: n })));
    await orders(1).insertMany(Array.from({ length: 1000 }, (_, n) => ({ _id: 1000 + n })));
    tidemark = await ServedTidemark.create();
    await tidemark.addCluster('Sharded', cluster().uri);
    await tidemark.addCluster('Alone', replicaSet().uri);
    await tidemark.addCluster('Twin', twin().uri);
  });

  after(async () => await tidemark.remove());

  const get = async <T>(rest: string): Promise<T> =>
    await tidemark.client.get<T>(tidemark.path('Sharded', rest), VERSION);
  const ask = async (method: string, rest: string, body?: unknown) => {
    const type = `application/vnd.atlas.${VERSION}+json`;
    const answer = await fetch(tidemark.client.url + tidemark.path('Sharded', rest), {
      method,
      headers: { authorization: `Bearer ${tidemark.client.token}`, accept: type, 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return [answer.status, text === '' ? null : (JSON.parse(text) as { errorCode?: string }).errorCode];
  };
  const mode = async () => (await cluster().balancer()).mode;

  test('is shown with its shards', async () => {
    const path = `/api/atlas/v2/groups/${tidemark.credentials.projectId}/clusters/Sharded`;
    const body = await tidemark.client.get<{ clusterType: string; replicationSpecs: unknown[] }>(path, '2024-08-05');
    assert.deepEqual([body.clusterType, body.replicationSpecs.length], ['SHARDED', 2]);
  });

  test('has one snapshot with its replica sets, readable and deletable by both routes', async () => {
    const { id } = await tidemark.requestSnapshot('Sharded');
    assert.equal((await tidemark.whenSnapshotEnds('Sharded', id)).status, 'completed');
    const sharded = await get<ShardedBody>(`snapshots/shardedCluster/${id}`);
    assert.deepEqual(
      sharded.members.map((one) => one.replicaSetName),
      ['rs0', 'rs1', 'cfg'],
    );
    assert.deepEqual(
      sharded.snapshotIds,
      sharded.members.map((one) => one.id),
    );
    assert.deepEqual([sharded.type, sharded.configServerType], ['shardedCluster', 'DEDICATED']);
    assert.equal((await get<ShardedBody>(`snapshots/${id}`)).type, 'shardedCluster');
    const list = await get<{ results: ShardedBody[]; totalCount: number }>('snapshots/shardedClusters');
    assert.deepEqual([list.totalCount, list.results[0]?.id], [1, id]);
    const [first] = sharded.snapshotIds;
    assert.deepEqual(await ask('DELETE', `snapshots/${first}`), [403, 'CANNOT_DELETE_FROM_CLUSTER_SNAPSHOT']);
    const misled = await ask('POST', 'restoreJobs', {
      deliveryType: 'automated',
      snapshotId: id,
      targetClusterName: 'Alone',
      targetGroupId: tidemark.credentials.projectId,
    });
    assert.deepEqual(misled, [409, 'RESTORE_INITIATION_FAILED']);
    assert.equal((await ask('DELETE', `snapshots/shardedCluster/${id}`))[0], 204);
    assert.equal((await get<{ totalCount: number }>('snapshots/shardedClusters')).totalCount, 0);
  });

  test('is restored to another cluster of two shards, which then routes', async () => {
    const { id } = await tidemark.requestSnapshot('Sharded');
    await tidemark.whenSnapshotEnds('Sharded', id);
    const body = {
      deliveryType: 'automated',
      snapshotId: id,
      targetClusterName: 'Twin',
      targetGroupId: tidemark.credentials.projectId,
    };
    const job = await tidemark.client.post<{ id: string }>(tidemark.path('Sharded', 'restoreJobs'), body, VERSION);
    const ended = await until('the restore ends', async () => {
      const now = await get<{ failed: boolean; finishedAt?: string }>(`restoreJobs/${job.id}`);
      return now.failed || now.finishedAt !== undefined ? now : null;
    });
    assert.equal(ended.failed, false);
    const found = [...(await twin().findRouted('shop', 'orders')).entries()];
    assert.deepEqual(
      found.map(([shard, documents]) => [shard, documents.length]),
      [
        ['ts0', 1000],
        ['ts1', 1000],
      ],
    );
    assert.equal((await twin().balancer()).mode, 'full');

    // One collection alone, into a replica set; and the same with nothing but the repository.
    const collections = [{ sourceNamespace: 'shop.orders' }];
    const into = { targetClusterName: 'Alone', targetGroupId: tidemark.credentials.projectId };
    const asked = { snapshotId: id, collections, ...into, writeStrategy: 'CREATE_NEW', indexStrategy: 'ALL' };
    const jobs = `/api/atlas/v2/groups/${tidemark.credentials.projectId}/clusters/Sharded/collectionRestoreJobs`;
    const chosen = await tidemark.client.post<{ id: string }>(jobs, asked, '2025-03-12');
    const state = await until('the collection is restored', async () => {
      const now = await tidemark.client.get<{ state: string }>(`${jobs}/${chosen.id}`, '2025-03-12');
      return ['SUCCESSFUL', 'FAILED'].includes(now.state) ? now.state : null;
    });
    assert.equal(state, 'SUCCESSFUL');
    const fromRepository = ['--repository', tidemark.repositoryDir, '--uri', replicaSet().uri];
    await runTidemark(['collection', 'restore', 'shop.orders=copy.orders', '--snapshot', id, ...fromRepository]);
    for (const db of ['shop', 'copy'])
      assert.equal(await replicaSet().client.db(db).collection('orders').countDocuments(), 2000, db);

    // The same with nothing but the repository and the command.
    await twin().shard(0).set.client.db('shop').collection<{ _id: number }>('orders').deleteOne({ _id: 1 });
    const target = ['--repository', tidemark.repositoryDir, '--uri', twin().uri];
    await runTidemark(['restore', '--snapshot', id, ...target, '--yes']);
    const again = await twin().findRouted('shop', 'orders');
    assert.deepEqual(
      [...again.values()].map((documents) => documents.length),
      [1000, 1000],
    );
  });

  test('is captured continuously, all replica sets of it, and restored to a second', async () => {
    const { projectId } = tidemark.credentials;
    await tidemark.client.patch(
      `/api/atlas/v2/groups/${projectId}/clusters/Sharded`,
      { pitEnabled: true },
      '2024-10-23',
    );
    const status = async () =>
      await tidemark.client.get<ContinuousBody>(
        `/api/tidemark/v1/groups/${projectId}/clusters/Sharded/continuousBackup`,
      );
    await until('every replica set is captured', async () => ((await status()).captured === null ? null : true));
    const { members } = await status();
    assert.deepEqual(
      members.map((one) => [one.shardName, one.failureReason]),
      [
        ['s0', null],
        ['s1', null],
        ['config', null],
      ],
    );
    const { id } = await tidemark.requestSnapshot('Sharded');
    await tidemark.whenSnapshotEnds('Sharded', id);
    const notes = (shard: number) => cluster().shard(shard).set.client.db('shop').collection<{ _id: number }>('orders');
    await notes(0).insertOne({ _id: -1 });
    await notes(1).insertOne({ _id: 5_000 });
    const { operationTime } = await cluster()
      .shard(1)
      .set.client.db('admin')
      .command({ appendOplogNote: 1, data: {}, writeConcern: { w: 'majority' } });
    // The first second that is wholly after both.
    const second = (operationTime as Timestamp).getHighBits() + 1;
    // All replica sets go on at once: their servers' own no-ops come every ten seconds only.
    await until('the second is over', async () => (systemClock.nowMs() >= (second + 1) * 1000 ? true : null));
    for (const set of cluster().sets) await set.client.db('admin').command({ appendOplogNote: 1, data: {} });
    const request = (pointInTimeUTCSeconds: number) => ({
      deliveryType: 'pointInTime',
      pointInTimeUTCSeconds,
      targetClusterName: 'Twin',
      targetGroupId: projectId,
    });
    const early = 1_300_000_000;
    const before = await ask('POST', 'restoreJobs', request(early));
    assert.deepEqual(before, [404, 'UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME']);
    const job = await until('the second is captured of every replica set', async () => {
      const posted = tidemark.client.post<{ id: string }>(
        tidemark.path('Sharded', 'restoreJobs'),
        request(second),
        VERSION,
      );
      return await posted.catch((error: unknown) => {
        if (String(error).includes('INVALID_PIT_RESTORE_TIME')) return null;
        throw error;
      });
    });
    await notes(0).deleteOne({ _id: -1 });
    const ended = await until('the restore ends', async () => {
      const now = await get<{ failed: boolean; finishedAt?: string }>(`restoreJobs/${job.id}`);
      return now.failed || now.finishedAt !== undefined ? now : null;
    });
    assert.equal(ended.failed, false);
    const routed = [...(await twin().findRouted('shop', 'orders')).values()];
    assert.deepEqual(
      routed.map((documents) => documents.length),
      [1001, 1001],
    );
    const { restorable } = await status();
    assert.equal(restorable.length, 1);

    // One collection of that second by itself, and the second as an archive of each shard.
    const jobs = `/api/atlas/v2/groups/${projectId}/clusters/Sharded/collectionRestoreJobs`;
    const asked = {
      collections: [{ sourceNamespace: 'shop.orders', targetNamespace: 'second.orders' }],
      ...{ pointInTimeUtcSeconds: second, targetClusterName: 'Alone', targetGroupId: projectId },
      ...{ writeStrategy: 'CREATE_NEW', indexStrategy: 'ALL' },
    };
    const chosen = await tidemark.client.post<{ id: string }>(jobs, asked, '2025-03-12');
    const state = await until('the collection of the second is restored', async () => {
      const now = await tidemark.client.get<{ state: string }>(`${jobs}/${chosen.id}`, '2025-03-12');
      return ['SUCCESSFUL', 'FAILED'].includes(now.state) ? now.state : null;
    });
    assert.equal(state, 'SUCCESSFUL');
    assert.equal(await replicaSet().client.db('second').collection('orders').countDocuments(), 2002);
    const wanted = { deliveryType: 'download', pointInTimeUTCSeconds: second };
    const download = await tidemark.client.post<{ id: string }>(
      tidemark.path('Sharded', 'restoreJobs'),
      wanted,
      VERSION,
    );
    const parts = await until('the download is prepared', async () => {
      const now = await get<{ failed: boolean; components?: { downloadUrl?: string; replicaSetName: string }[] }>(
        `restoreJobs/${download.id}`,
      );
      assert.equal(now.failed, false);
      return now.components?.every(({ downloadUrl }) => downloadUrl !== undefined) ? now.components : null;
    });
    assert.deepEqual(
      parts.map(({ replicaSetName }) => replicaSetName),
      ['rs0', 'rs1'],
    );
    for (const { downloadUrl = '' } of parts) {
      const bytes = Buffer.from(await (await fetch(downloadUrl)).arrayBuffer());
      const { collections, oplog } = parseArchive(gunzipSync(bytes));
      assert.equal(collections.get('shop.orders')?.documents.length, 1000);
      assert.ok(
        (oplog ?? []).some((entry) => entry.includes('shop.orders')),
        'what the second has more',
      );
    }
  });

  test('gets its balancer back after the process that had stopped it was killed', async () => {
    const settings = cluster().config.client.db('config').collection<{ _id: string; stopped?: boolean }>('settings');
    const { id } = await tidemark.requestSnapshot('Sharded');
    await until('the balancer is stopped', async () => {
      return (await settings.findOne({ _id: 'balancer' }))?.stopped === true ? true : null;
    });
    await tidemark.kill();
    assert.equal(await mode(), 'off', 'it was killed while the balancer was stopped');
    await tidemark.restart();
    await until('the balancer is given back', async () => ((await mode()) === 'full' ? true : null));
    assert.equal((await tidemark.whenSnapshotEnds('Sharded', id)).status, 'completed');
    assert.equal(await mode(), 'full');
  });
});
