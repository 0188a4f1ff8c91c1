import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Document, Timestamp, UUID } from 'mongodb';
import { until } from '../../../test/support/replica-set.ts';
import { useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { Tailing } from '../../../test/support/tailing.ts';
import { testRepository } from '../../../test/support/test-repository.ts';
import { type Timestamp64, timestampParts } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { deleteSlicesUpTo } from '../../repository/slices.ts';
import type { CheckpointToken } from './checkpoint-token.ts';
import { findTokens } from './find-tokens.ts';
import { type TakeCheckpointOptions, takeCheckpoint } from './take-checkpoint.ts';

const CHECKPOINT = 'c'.repeat(24);
const CLUSTER = 'a'.repeat(24);
const never = new AbortController().signal;

describe('a checkpoint of a sharded cluster', () => {
  const cluster = useShardedCluster();
  let tailings: Tailing[] = [];
  let repository: Awaited<ReturnType<typeof testRepository>>;

  before(async () => {
    repository = await testRepository();
    tailings = cluster().sets.map((set) => new Tailing(set, { repository, clusterId: CLUSTER }));
    for (const tailing of tailings) await tailing.begun();
  });
  after(() => Tailing.stopAll());

  /** Takes one, and what was written down of the balancer, in order. */
  async function take(change: Partial<TakeCheckpointOptions> = {}) {
    const events: string[] = [];
    const told: { tokens: readonly CheckpointToken[]; at: Timestamp64 | null }[] = [];
    const heldMs: number[] = [];
    const taking = takeCheckpoint({
      checkpointId: CHECKPOINT,
      uri: cluster().uri,
      holdRecord: {
        write: async () => void events.push('held'),
        erase: async () => void events.push('erased'),
      },
      clock: systemClock,
      log: silentLogger,
      signal: never,
      onHeld: async () => void events.push(`balancer ${(await cluster().balancer()).mode}`),
      onTokens: async (tokens, at) => {
        told.push({ tokens, at });
        events.push(`tokens, balancer ${(await cluster().balancer()).mode}`);
      },
      onBalancerReleased: (ms) => void heldMs.push(ms),
      ...change,
    });
    const ended = await taking.then(
      (written) => ({ written, failure: null }),
      (failure: unknown) => ({ written: null, failure: failure as Error }),
    );
    return { ...ended, events, told, heldMs, mode: (await cluster().balancer()).mode };
  }

  function oplogOf(token: CheckpointToken) {
    const set = must(
      cluster().sets.find((one) => one.name === token.replicaSetName),
      'a token is of a replica set',
    );
    return set.client.db('local').collection('oplog.rs');
  }

  async function find(tokens: readonly CheckpointToken[], at: Timestamp64, checkpointId = CHECKPOINT, waitMs = 20_000) {
    const found: string[] = [];
    const reasons = await findTokens({
      ...{ repository, clusterId: CLUSTER, checkpointId, tokens, at, waitMs },
      mayBeThere: async () => true,
      onFound: async ({ shardName }) => void found.push(shardName),
      clock: systemClock,
      signal: never,
    });
    return { found: found.toSorted(), reasons };
  }

  test('leaves its token in every oplog while the balancer stands still, and all of them are seen in the captured oplog', async () => {
    const { written, events, told, heldMs, mode } = await take();
    const { tokens, at } = must(written, 'it was taken');
    assert.deepEqual(events, ['held', 'balancer off', 'tokens, balancer off', 'erased']);
    assert.equal(mode, 'full');
    assert.deepEqual(told, [{ tokens, at }]);
    assert.deepEqual(
      tokens.map(({ shardName, configServer }) => [shardName, configServer]),
      [
        ['s0', false],
        ['s1', false],
        ['config', true],
      ],
    );
    for (const token of tokens) {
      const entry = await oplogOf(token).findOne({ ts: new Timestamp(timestampParts(token.ts)) });
      assert.deepEqual([entry?.op, entry?.o.checkpointId], ['n', CHECKPOINT], `the token of ${token.shardName}`);
      assert.ok(token.ts <= at);
      const behind = await oplogOf(token).countDocuments({ ts: { $gte: new Timestamp(timestampParts(at)) } });
      assert.ok(behind > 0, `${token.shardName} has written on: nothing at or before the checkpoint's time can come`);
    }
    assert.ok(tokens.some(({ ts }) => ts === at));
    assert.ok(must(heldMs[0], 'how long it was held') < 5_000);
    assert.deepEqual(await find(tokens, at), { found: ['config', 's0', 's1'], reasons: [] });
  });

  test('what is captured and is not its token is none', async () => {
    const { tokens, at } = must((await take()).written, 'it was taken');
    await find(tokens, at);
    const other = await find(tokens, at, 'd'.repeat(24));
    assert.deepEqual(other.found, []);
    assert.match(other.reasons.join(), /the captured oplog of s0 holds another entry in place of its token/);
    const [first] = tokens;
    const lost = must(first, 'a token of s0');
    const source = { clusterId: CLUSTER, replicaSetName: lost.replicaSetName };
    await must(tailings[0], 'a tailer').mark();
    await deleteSlicesUpTo(repository, source, null);
    await must(tailings[0], 'a tailer').mark();
    const gone = await until('the slice behind it is written', async () => {
      const now = await find(tokens, at, CHECKPOINT, 1);
      return now.reasons.some((reason) => reason.includes('gap')) ? now : null;
    });
    assert.deepEqual(gone, { found: ['config', 's1'], reasons: ['the captured oplog of s0 has a gap at its token'] });
  });

  test('a token that is not captured in time is missed by name', async () => {
    const { tokens, at } = must((await take()).written, 'it was taken');
    const ahead = at + (1_000n << 32n);
    const { found, reasons } = await find(tokens.slice(1, 2), ahead, CHECKPOINT, 600);
    assert.deepEqual(found, []);
    assert.match(reasons.join(), /the token of s1 was not seen in the captured oplog, up to .+, within 1 s/);
  });

  test('waits until nothing is being moved, within its time', async () => {
    const coordinators = cluster().shard(1).set.client.db('config').collection('migrationCoordinators');
    const moving: Document = { _id: new UUID(), nss: 'shop.orders' };
    await coordinators.insertOne(moving, { writeConcern: { w: 'majority' } });
    const stuck = await take({ holdMsMax: 1_500 });
    assert.match(
      stuck.failure?.message ?? '',
      /did not come to rest while the balancer stood still: a migration of shop.orders on s1/,
    );
    assert.deepEqual([stuck.told, stuck.mode, stuck.events.at(-1)], [[], 'full', 'erased']);
    const patient = take({
      onHeld: async () => {
        setTimeout(() => void coordinators.deleteOne({ _id: moving._id }, { writeConcern: { w: 'majority' } }), 300);
      },
    });
    const { written } = await patient;
    const { tokens, at } = must(written, 'the migration ended in time');
    assert.deepEqual((await find(tokens, at)).reasons, []);
  });

  const failures: [string, Partial<TakeCheckpointOptions>, string[]][] = [
    ['the record cannot be written', { holdRecord: { write: fails, erase: fails } }, []],
    ['what follows the stop fails', { onHeld: fails }, ['held', 'erased']],
    ['the tokens cannot be noted', { onTokens: fails }, ['held', 'balancer off', 'erased']],
    ['it takes too long', { holdMsMax: 0 }, ['held', 'balancer off', 'erased']],
  ];
  for (const [what, change, expected] of failures) {
    test(`the balancer is given back where ${what}`, async () => {
      const { failure, events, mode } = await take(change);
      assert.notEqual(failure, null);
      assert.deepEqual(
        events.filter((event) => !event.startsWith('tokens')),
        expected,
      );
      assert.equal(mode, 'full');
    });
  }

  test('the balancer is given back, and what was written is told, where a shard fails under the hold', async () => {
    const { set } = cluster().shard(1);
    const member = must(set.members[0], 'the shard has a member');
    const { failure, events, told, mode } = await take({
      onHeld: async () => {
        await member.kill();
      },
    });
    assert.notEqual(failure, null);
    assert.deepEqual(events.at(-1), 'erased');
    assert.equal(mode, 'full');
    assert.deepEqual(
      told.map(({ tokens, at }) => [tokens.map(({ shardName }) => shardName), at]),
      [[['s0', 'config'], null]],
    );
    const down = await take();
    assert.match(down.failure?.message ?? '', /cannot reach/);
    assert.deepEqual(down.events, [], 'nobody is stopped for a checkpoint that cannot be made');
  });
});

async function fails(): Promise<void> {
  throw new Error('the catalog is away');
}
