import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Long, serialize, Timestamp } from 'bson';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { testClusterId, testRepository } from '../../test/support/test-repository.ts';
import { timestampOf } from '../bson/timestamp.ts';
import { Damage } from '../lib/errors.ts';
import { MemoryStore } from '../storage/memory.ts';
import { copySlices } from './copy-slices.ts';
import { openCopyRepository } from './copy-snapshot.ts';
import type { Repository } from './repository.ts';
import { deleteSlicesUpTo, readCoverage, readSlices, writeGap, writeSlice } from './slices.ts';

const source = { clusterId: testClusterId, replicaSetName: 'rs' };
const at = (t: number) => timestampOf({ t, i: 1 });
const entry = (t: number) => serialize({ ts: new Timestamp({ t, i: 1 }), t: Long.ONE, op: 'n', o: { t } });
const entries = (first: number, last: number) =>
  Buffer.concat(Array.from({ length: last - first + 1 }, (_, index) => entry(first + index)));

async function withCopy(): Promise<{ from: Repository; to: Repository }> {
  const clock = new FakeClock();
  const from = await testRepository({ clock, passphrase: 'open sesame' });
  const to = await openCopyRepository(from, new MemoryStore(clock), { passphrase: 'open sesame' });
  for (const [first, last] of [
    [10, 20],
    [20, 30],
    [30, 40],
  ] as const)
    await writeSlice(from, source, entries(first, last));
  return { from, to };
}

async function readAll(repository: Repository, copies: readonly Repository[], trouble: string[] = []): Promise<Buffer> {
  const onTrouble = (place: string) => trouble.push(place);
  const read: Buffer[] = [];
  const range = { from: { ts: at(10), term: 1n }, to: at(40) };
  for await (const some of readSlices(repository, source, range, { copies, onTrouble })) read.push(some);
  return Buffer.concat(read);
}

const sliceKeys = async (repository: Repository) => {
  const keys: string[] = [];
  for await (const { objectKey } of repository.store.list('oplog/')) keys.push(objectKey);
  return keys;
};

test('a copy holds the same runs and gaps, and is brought up to date by what is new alone', async () => {
  const { from, to } = await withCopy();
  await writeGap(from, source, at(40), 'the oplog was overtaken');
  assert.ok((await copySlices(from, to, source)).storedBytes > 0);
  assert.deepEqual(await readCoverage(to, source), await readCoverage(from, source));
  assert.equal((await copySlices(from, to, source)).storedBytes, 0);
  await writeSlice(from, source, entries(50, 60));
  await copySlices(from, to, source);
  assert.deepEqual(await readCoverage(to, source), await readCoverage(from, source));
  assert.deepEqual(await readAll(to, []), entries(11, 40));
});

test('what the repository has lost or spoiled is read from the copy, and that is told', async () => {
  const { from, to } = await withCopy();
  await copySlices(from, to, source);
  const [first = '', second = ''] = await sliceKeys(from);
  await from.store.delete(first);
  await from.store.put(second, Buffer.from('spoiled'));
  await assert.rejects(readAll(from, []));
  const trouble: string[] = [];
  assert.deepEqual(await readAll(from, [to], trouble), entries(11, 40));
  assert.equal(trouble.length, 2);
  assert.equal((await readCoverage(from, source, { copies: [to] })).runs.length, 1);
});

test('a copy that cannot be asked is passed over, one that is spoiled helps nobody', async () => {
  const { from, to } = await withCopy();
  await copySlices(from, to, source);
  const [, second = ''] = await sliceKeys(from);
  const away = {
    ...to,
    store: Object.assign(new MemoryStore(new FakeClock()), { list: () => assert.fail('away') }),
  } as unknown as Repository;
  const trouble: string[] = [];
  assert.deepEqual(await readAll(from, [away], trouble), entries(11, 40));
  assert.equal(trouble.length, 1);
  await from.store.put(second, Buffer.from('spoiled'));
  await to.store.put(second, Buffer.from('spoiled, too'));
  await assert.rejects(readAll(from, [to]), Damage);
});

test('what is damaged is not copied, and what is of no use any more neither', async () => {
  const { from, to } = await withCopy();
  await copySlices(from, to, source, { keepFrom: at(20) });
  assert.deepEqual(
    (await readCoverage(to, source)).runs.map(({ first, last }) => [first, last]),
    [[at(20), at(40)]],
  );
  await deleteSlicesUpTo(to, source, null);
  const [, second = ''] = await sliceKeys(from);
  await from.store.put(second, Buffer.from('spoiled'));
  await assert.rejects(copySlices(from, to, source), Damage);
  assert.ok(!(await sliceKeys(to)).includes(second));
});
