import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled as settledTasks } from '../../../test/support/fake-clock.ts';
import { Agreement, RoundVoid } from './agreement.ts';

function agreementOf(replicaSets: number, take: () => Promise<void> = async () => undefined) {
  const told: string[] = [];
  const hold = {
    take: async () => {
      told.push('take');
      await take();
    },
    giveBack: async () => void told.push('give back'),
  };
  return { told, agreement: new Agreement(replicaSets, hold, new AbortController().signal) };
}

test('replicaSets meet in lockstep, under a hold that is taken once and given back when all have ended', async () => {
  const { told, agreement } = agreementOf(3);
  const seen = await Promise.all(
    [1, 2, 3].map(async (value) => {
      const round = agreement.join();
      await round.gathered;
      await round.begin();
      const first = await round.meet(value);
      const second = await round.meet(value * 10);
      round.end();
      return [first.toSorted(), second.toSorted()];
    }),
  );
  for (const one of seen)
    assert.deepEqual(one, [
      [1, 2, 3],
      [10, 20, 30],
    ]);
  await agreement.settled();
  assert.deepEqual(told.slice(0, 2), ['take', 'give back']);
});

test('a replica set that leaves makes the round void for those who wait, and the next one is taken anew', async () => {
  const { told, agreement } = agreementOf(2);
  const [a, b] = [agreement.join(), agreement.join()];
  await Promise.all([a.begin(), b.begin()]);
  const waiting = assert.rejects(a.meet(1), RoundVoid);
  b.leave();
  await waiting;
  await assert.rejects(a.meet(2), RoundVoid);
  const [c, d] = [agreement.join(), agreement.join()];
  await Promise.all([c.begin(), d.begin()]);
  assert.deepEqual(told, ['take', 'give back', 'take']);
  a.leave(); // of a round long over
  assert.deepEqual((await Promise.all([c.meet(1), d.meet(2)]))[0]?.toSorted(), [1, 2]);
});

test('a replica set that leaves before all have joined keeps nobody waiting', async () => {
  const { agreement } = agreementOf(2);
  const [a] = [agreement.join()];
  const waiting = assert.rejects(a.gathered, RoundVoid);
  a.leave();
  await waiting;
  const [b, c] = [agreement.join(), agreement.join()];
  await Promise.all([b.gathered, c.gathered]);
});

test('a hold that cannot be taken is told to all, and given back all the same', async () => {
  const { told, agreement } = agreementOf(2, async () => {
    throw new Error('no primary');
  });
  const [a, b] = [agreement.join(), agreement.join()];
  await Promise.all([assert.rejects(a.begin(), /no primary/), assert.rejects(b.begin(), /no primary/)]);
  await agreement.settled();
  assert.deepEqual(told.slice(0, 2), ['take', 'give back']);
});

test('what is called off while the hold is being taken is given back after it was taken, never before', async () => {
  const taking = Promise.withResolvers<void>();
  const { told, agreement } = agreementOf(1, async () => {
    await taking.promise;
    told.push('taken');
  });
  const round = agreement.join();
  const begun = assert.rejects(round.begin(), RoundVoid);
  await settledTasks();
  assert.deepEqual(told, ['take']);
  const settled = agreement.settled();
  await begun;
  await settledTasks();
  assert.deepEqual(told, ['take'], 'nothing is given back yet');
  taking.resolve();
  await settled;
  assert.deepEqual(told, ['take', 'taken', 'give back']);
});

test('what is called off before the hold was begun to be taken takes none', async () => {
  const { told, agreement } = agreementOf(1);
  const round = agreement.join();
  const begun = assert.rejects(round.begin(), RoundVoid);
  // In this very turn: the round has been claimed, and the hold of the round before is being waited for.
  await Promise.resolve();
  await agreement.settled();
  await begun;
  await settledTasks();
  assert.equal(told.filter((one) => one === 'take').length <= told.filter((one) => one === 'give back').length, true);
  assert.notEqual(told.at(-1), 'take');
});
