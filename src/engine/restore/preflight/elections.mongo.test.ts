import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { until, useReplicaSet } from '../../../../test/support/replica-set.ts';
import { systemClock } from '../../../lib/clock.ts';
import { Fault, isWeather } from '../../../lib/errors.ts';
import { connectCluster } from '../../../mongo/connection/connect.ts';
import { RestoreTarget } from '../../../mongo/target.ts';
import { readClusterFacts } from '../../../mongo/topology.ts';
import { admitTarget } from './admit-target.ts';
import { appNameOf, endEarlierWork } from './end-earlier-work.ts';
import { whileMajorityFollows } from './follow-majority.ts';
import { defaultRestoreLimits } from './restore-limits.ts';

const signal = new AbortController().signal;

describe('elections of a target', () => {
  const set = useReplicaSet({ members: 3 });

  async function admitted<T>(work: (target: RestoreTarget) => Promise<T>, appName?: string): Promise<T> {
    const client = await connectCluster(set().uri, { appName });
    try {
      const facts = await readClusterFacts(client, 'target');
      const about = { facts, name: 'target', op: 'restore', majorityMsMax: 10_000 };
      return await work(await admitTarget(new RestoreTarget(client, signal), about));
    } finally {
      await client.close();
    }
  }

  test('what was written before an election is not taken for safe, although nothing failed', async () => {
    await admitted(async (target) => {
      await target
        .db('shop')
        .collection('docs')
        .insertOne({ n: 1 }, { writeConcern: { w: 1 } });
      await target.settle();
      await set().stepDown(5);
      await set().whenComplete();
      // The note is taken by the next primary, and by a majority; of the insert it says nothing.
      await assert.rejects(target.settle(), (error) => {
        assert.ok(isWeather(error), String(error));
        return /a primary of rs was elected meanwhile/.test(String(error));
      });
    });
  });

  test('work is cut off as soon as another primary is seen, and what failed for that reason is weather', async () => {
    const limits = { ...defaultRestoreLimits, lookEveryMs: 50 };
    const about = { name: 'target', phase: () => 'working', limits, clock: systemClock, signal };
    await admitted(async (target) => {
      const working = whileMajorityFollows(target, about, async (followed) => {
        await set().stepDown(5);
        await systemClock.sleep(60_000, followed.signal);
      });
      await assert.rejects(working, (error) => isWeather(error) && /was elected meanwhile/.test(String(error)));
    });
    await set().whenComplete();
    await admitted(async (target) => {
      const unseen = { ...about, limits: { ...limits, lookEveryMs: 600_000, stallMsMax: 600_000 } };
      const working = whileMajorityFollows(target, unseen, async () => {
        await set().stepDown(5);
        throw new Fault({ op: 'restore', subject: 'shop.docs', message: 'the collection is gone' });
      });
      await assert.rejects(working, (error) => {
        assert.ok(error instanceof Fault && error.retryable, String(error));
        return /was elected meanwhile/.test(error.message) && /is gone/.test(String(error.cause));
      });
    });
    await set().whenComplete();
  });

  test('what an earlier attempt has under way has ended before the next one begins', async () => {
    const run = { id: 'a1', attempt: 1 };
    const next = { ...run, attempt: 2 };
    const admin = set().client.db('admin');
    const operations = async () =>
      await admin.aggregate([{ $currentOp: {} }, { $match: { appName: appNameOf(run), active: true } }]).toArray();
    const block = { failCommands: ['insert'], blockConnection: true, blockTimeMS: 120_000, appName: appNameOf(run) };
    await admin.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data: block });
    try {
      const docs = set().client.db('shop').collection<{ _id: string }>('docs');
      const client = await connectCluster(set().uri, { appName: appNameOf(run) });
      const inserting = client.db('shop').collection<{ _id: string }>('docs').insertOne({ _id: 'late' });
      inserting.catch(() => undefined);
      const isInsert = ({ command }: { command?: { insert?: string } }) => command?.insert === 'docs';
      const hasInsert = async () => (await operations()).some(isInsert);
      await until('the insert is under way', async () => ((await hasInsert()) ? true : null));
      await client.close(true);
      assert.ok(await hasInsert(), 'the server goes on although the client is gone');
      await admitted(async (target) => {
        const about = { name: 'target', clock: systemClock };
        await endEarlierWork(target, { ...about, run });
        assert.ok(await hasInsert(), 'a first attempt has none before it');
        await endEarlierWork(target, { ...about, run: { id: 'a', attempt: 2 } });
        assert.ok(await hasInsert(), 'and another restore is none of its business');
        await endEarlierWork(target, { ...about, run: next });
      }, appNameOf(next));
      assert.equal(await hasInsert(), false);
      assert.equal(await docs.countDocuments({ _id: 'late' }), 0);
    } finally {
      await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
    }
  });
});
