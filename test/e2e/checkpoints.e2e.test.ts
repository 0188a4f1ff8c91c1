import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Document, Timestamp, UUID } from 'mongodb';
import { must } from '../../src/lib/assert.ts';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { ServedTidemark, until } from '../support/served-tidemark.ts';
import { useShardedCluster } from '../support/sharded-cluster.ts';
import { readTruth } from '../support/truth.ts';

interface PartBody {
  replicaSetName: string;
  shardName: string;
  typeName: string;
  tokenDiscovered: boolean;
  tokenTimestamp?: { date: string; increment: number };
}

interface CheckpointBody {
  id: string;
  started: string;
  completed?: string;
  timestamp?: string;
  restorable: boolean;
  parts: PartBody[];
}

interface List<T> {
  totalCount: number;
  results: T[];
}

const VERSION = '2023-01-01';
const FIRST_OF_SECOND_SHARD = 1_000_000;

describe('checkpoints of a sharded cluster in the service', () => {
  const cluster = useShardedCluster();
  const twin = useShardedCluster({ prefix: 't' });
  const replicaSet = useReplicaSet({ name: 'alone' });
  let tidemark: ServedTidemark;

  const orders = (shard: number) =>
    cluster().shard(shard).set.client.db('shop').collection<{ _id: number; n: number }>('orders');

  before(async () => {
    await cluster().createDatabase('shop', 0);
    await cluster().shardCollection('shop', 'orders');
    await cluster().moveRange('shop', 'orders', 1, { _id: FIRST_OF_SECOND_SHARD });
    tidemark = await ServedTidemark.create();
    await tidemark.addCluster('Sharded', cluster().uri);
    await tidemark.addCluster('Alone', replicaSet().uri);
    await tidemark.addCluster('Twin', twin().uri);
  });

  after(async () => await tidemark.remove());

  const base = (name: string) => `/api/atlas/v2/groups/${tidemark.credentials.projectId}/clusters/${name}`;
  const get = async <T>(rest: string, name = 'Sharded') =>
    await tidemark.client.get<T>(`${base(name)}${rest}`, VERSION);
  const list = async (name = 'Sharded') => await get<List<CheckpointBody>>('/backupCheckpoints', name);
  const setInterval = async (minutes: number) =>
    await tidemark.client.patch<{ clusterCheckpointIntervalMin?: number }>(
      `${base('Sharded')}/snapshotSchedule`,
      { clusterCheckpointIntervalMin: minutes },
      VERSION,
    );
  const refusal = async (method: string, path: string, body: unknown) => {
    const type = `application/vnd.atlas.${VERSION}+json`;
    const answer = await fetch(tidemark.client.url + path, {
      method,
      headers: { authorization: `Bearer ${tidemark.client.token}`, accept: type, 'content-type': type },
      body: JSON.stringify(body),
    });
    return [answer.status, ((await answer.json()) as { errorCode?: string }).errorCode];
  };
  const restoreTo = (name: string, checkpointId: string) => ({
    checkpointId,
    delivery: {
      methodName: 'AUTOMATED_RESTORE',
      targetGroupId: tidemark.credentials.projectId,
      targetClusterName: name,
    },
  });
  const whenEnded = async (id: string) =>
    await until(`checkpoint ${id} ends`, async () => {
      const body = await get<CheckpointBody>(`/backupCheckpoints/${id}`);
      return body.completed === undefined ? null : body;
    });
  const newest = async (other: readonly string[]) =>
    await until('another checkpoint is shown', async () => {
      const [first] = (await list()).results;
      return first === undefined || other.includes(first.id) ? null : first.id;
    });

  /** The newest token's time: that of the checkpoint, with its increment. */
  function timeOf({ parts }: CheckpointBody): Timestamp {
    const times = parts.map(({ tokenTimestamp }) => {
      const { date, increment } = must(tokenTimestamp, 'the token was written');
      return new Timestamp({ t: Date.parse(date) / 1000, i: increment });
    });
    return times.reduce((max, one) => (one.greaterThan(max) ? one : max));
  }

  async function requireTokens({ id, parts }: CheckpointBody): Promise<void> {
    for (const { replicaSetName, tokenTimestamp } of parts) {
      const set = must(
        cluster().sets.find(({ name }) => name === replicaSetName),
        'a part is of a replica set of the cluster',
      );
      const { date, increment } = must(tokenTimestamp, 'the token was written');
      const ts = new Timestamp({ t: Date.parse(date) / 1000, i: increment });
      const entry = await set.client.db('local').collection('oplog.rs').findOne({ ts });
      assert.equal(entry?.o.checkpointId, id, `the token in the oplog of ${replicaSetName}`);
    }
  }

  /** Every document of every user collection, by shard. */
  async function documentsOf(of: ReturnType<typeof cluster>, at: Timestamp | null): Promise<Map<string, string>[]> {
    return await Promise.all(
      of.shards.map(async ({ set }) => {
        const found = new Map<string, string>();
        for (const [namespace, { documents }] of (await readTruth(set.client, at)).collections) {
          if (!namespace.startsWith('shop.')) continue;
          for (const [id, raw] of documents ?? []) found.set(`${namespace} ${id}`, raw.toString('hex'));
        }
        return found;
      }),
    );
  }

  test('are of no replica set, and of no cluster without continuous backup', async () => {
    assert.deepEqual((await list('Alone')).results, []);
    assert.deepEqual((await list()).results, []);
    const body = { clusterCheckpointIntervalMin: 15 };
    assert.deepEqual(await refusal('PATCH', `${base('Alone')}/snapshotSchedule`, body), [
      400,
      'CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET',
    ]);
    assert.deepEqual(await refusal('PATCH', `${base('Sharded')}/snapshotSchedule`, body), [
      400,
      'CHECKPOINTS_ONLY_ON_CONTINOUS_BACKUP',
    ]);
    assert.deepEqual(await refusal('POST', `${base('Alone')}/restoreJobs`, restoreTo('Alone', 'e'.repeat(24))), [
      400,
      'CHECKPOINT_RESTORE_UNSUPPORTED_FOR_REPLICA_SETS',
    ]);
  });

  test('one is made while everything is written to, is shown, and is restored to another cluster byte for byte', async () => {
    await tidemark.client.patch(base('Sharded'), { pitEnabled: true }, '2024-08-05');
    await until('every replica set is captured', async () => {
      const path = `/api/tidemark/v1/groups/${tidemark.credentials.projectId}/clusters/Sharded/continuousBackup`;
      return (await tidemark.client.get<{ capturedAt?: string; captured?: unknown }>(path)).captured ? true : null;
    });
    const { id: snapshotId } = await tidemark.requestSnapshot('Sharded');
    assert.equal((await tidemark.whenSnapshotEnds('Sharded', snapshotId)).status, 'completed');
    const { parts } = await get<{ parts: PartBody[] }>(`/snapshots/${snapshotId}`);
    assert.deepEqual(
      parts.map(({ replicaSetName, typeName }) => [replicaSetName, typeName]),
      [
        ['rs0', 'REPLICA_SET'],
        ['rs1', 'REPLICA_SET'],
        ['cfg', 'CONFIG_SERVER_REPLICA_SET'],
      ],
    );
    let writing = true;
    const writer = (async () => {
      for (let n = 0; writing; n++) {
        await Promise.all([
          orders(0).insertOne({ _id: n, n }),
          orders(1).insertOne({ _id: FIRST_OF_SECOND_SHARD + n, n }),
        ]);
        await orders(n % 2).updateOne({ _id: (n % 2) * FIRST_OF_SECOND_SHARD + (n >> 1) }, { $inc: { n: 1 } });
      }
    })();
    const first = await (async () => {
      try {
        assert.equal((await setInterval(15)).clusterCheckpointIntervalMin, 15);
        return await whenEnded(await newest([]));
      } finally {
        writing = false;
        await writer;
      }
    })();
    const at = timeOf(first);
    const expected = await documentsOf(cluster(), at);
    assert.equal(first.restorable, true);
    assert.equal(Date.parse(must(first.timestamp, 'it restores to a time')) / 1000, at.t);
    assert.deepEqual(
      first.parts.map((part) => [part.shardName, part.replicaSetName, part.typeName, part.tokenDiscovered]),
      [
        ['s0', 'rs0', 'REPLICA_SET', true],
        ['s1', 'rs1', 'REPLICA_SET', true],
        ['config', 'cfg', 'CONFIG_SERVER_REPLICA_SET', true],
      ],
    );
    await requireTokens(first);
    const shown = await list();
    assert.deepEqual([shown.totalCount, shown.results], [1, [first]]);
    assert.equal((await get<Document>('/snapshotSchedule')).clusterCheckpointIntervalMin, 15);
    assert.equal((await cluster().balancer()).mode, 'full');
    const listed = await runTidemark(['checkpoint', 'list', 'Sharded', '--data-dir', tidemark.dataDir]);
    const [line] = listed as { id: string; restorable: boolean; reason: string | null }[];
    assert.deepEqual([line?.id, line?.restorable, line?.reason], [first.id, true, null]);
    const now = await documentsOf(cluster(), null);
    assert.ok(must(expected[0], 'a shard').size > 0);
    assert.notDeepEqual(expected, now, 'it was written to after the checkpoint too');

    const { results } = await tidemark.client.post<List<{ id: string }>>(
      `${base('Sharded')}/restoreJobs`,
      restoreTo('Twin', first.id),
      VERSION,
    );
    const jobId = must(results[0], 'a job was made').id;
    const job = await until('the restore ends', async () => {
      const body = await get<{ statusName: string }>(`/restoreJobs/${jobId}`);
      return body.statusName === 'IN_PROGRESS' ? null : body;
    });
    assert.equal(job.statusName, 'FINISHED');
    const restored = await documentsOf(twin(), null);
    for (const shard of [0, 1]) assert.deepEqual(restored[shard], expected[shard], `shard ${shard} at ${at}`);
  });

  test('a snapshot and a checkpoint at once are both made, and the balancer is on afterwards', async () => {
    const known = (await list()).results.map(({ id }) => id);
    const [{ id: snapshotId }] = await Promise.all([tidemark.requestSnapshot('Sharded'), setInterval(60)]);
    const made = await whenEnded(await newest(known));
    assert.deepEqual([made.restorable, made.parts.length], [true, 3]);
    assert.equal((await tidemark.whenSnapshotEnds('Sharded', snapshotId)).status, 'completed');
    assert.equal((await cluster().balancer()).mode, 'full');
  });

  test('the balancer is given back after the process was killed while it stood still, and the checkpoint is made', async () => {
    const known = (await list()).results.map(({ id }) => id);
    // Something is being moved, as far as a shard can tell: until that is over the checkpoint waits with the balancer
    // held.
    const coordinators = cluster().shard(1).set.client.db('config').collection('migrationCoordinators');
    const moving: Document = { _id: new UUID(), nss: 'shop.orders' };
    const settings = cluster().config.client.db('config').collection<{ _id: string; stopped?: boolean }>('settings');
    const majority = { writeConcern: { w: 'majority' as const } };
    await coordinators.insertOne(moving, majority);
    await setInterval(30);
    await until('the balancer is stopped', async () => {
      return (await settings.findOne({ _id: 'balancer' }))?.stopped === true ? true : null;
    });
    await tidemark.kill();
    assert.equal((await cluster().balancer()).mode, 'off', 'it was killed while the balancer was stopped');
    await coordinators.deleteOne({ _id: moving._id }, majority);
    await tidemark.restart();
    await until('the balancer is given back', async () => ((await cluster().balancer()).mode === 'full' ? true : null));
    const made = await whenEnded(await newest(known));
    assert.equal(made.restorable, true);
    await requireTokens(made);
    assert.equal((await cluster().balancer()).mode, 'full');
    assert.equal((await list()).totalCount, known.length + 1);
  });

  test('tokens that were written when the process was killed are found by the next', async () => {
    const known = (await list()).results.map(({ id }) => id);
    await setInterval(15);
    const id = await newest(known);
    const waiting = await until('its tokens are written', async () => {
      const body = await get<CheckpointBody>(`/backupCheckpoints/${id}`);
      return body.timestamp === undefined ? null : body;
    });
    await tidemark.kill();
    assert.deepEqual(
      [waiting.completed, waiting.restorable],
      [undefined, false],
      'it was killed before they were seen',
    );
    await tidemark.restart();
    const made = await whenEnded(id);
    assert.equal(made.restorable, true);
    assert.deepEqual(
      made.parts,
      waiting.parts.map((part) => ({ ...part, tokenDiscovered: true })),
      'the same tokens',
    );
    assert.equal((await cluster().balancer()).mode, 'full');
    assert.equal((await setInterval(0)).clusterCheckpointIntervalMin, undefined);
  });
});
