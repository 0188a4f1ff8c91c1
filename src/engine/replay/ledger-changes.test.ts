import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, type Document } from 'mongodb';
import { collect } from '../../../test/support/collect.ts';
import { SeededRandom } from '../../../test/support/seeded-random.ts';
import { findId, idBytes } from '../../bson/raw-bson.ts';
import { changedDocument } from '../../oplog/diffs.ts';
import { LedgerChanges } from './ledger-changes.ts';

const raw = (document: Document): Buffer => Buffer.from(BSON.serialize(document));
const whole = (buffer: Buffer) => ({ type: 0x03, start: 0, end: buffer.length });

async function* each(documents: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* documents;
}

const neverMissing = (id: string): never => assert.fail(`${id} is missing`);

function write(changes: LedgerChanges, op: 'i' | 'u' | 'd', o: Document, id?: number, upsert = false): boolean {
  const parts = [raw(o), ...(id === undefined ? [] : [raw({ _id: id })])];
  const buffer = Buffer.concat(parts);
  const first = parts[0] as Buffer;
  const o2 = id === undefined ? null : { type: 0x03, start: first.length, end: buffer.length };
  return changes.write(buffer, { op, o: whole(first), o2, upsert });
}

test('what an interval touched, laid over the rest, is what holding all of it comes to, whatever the order', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SeededRandom(seed);
    const held = new Map<number, Buffer>();
    for (let n = 0; n < 30; n++) held.set(n, raw({ _id: n, shard: 'a', jumbo: n % 2 === 0 }));
    const base = [...held.values()];
    const changes = new LedgerChanges();
    for (let step = 0; step < 120; step++) {
      const _id = random.below(45);
      const before = held.get(_id);
      const kind = random.below(5);
      if (kind === 0) {
        held.delete(_id);
        write(changes, 'd', { _id });
      } else if (kind === 1) {
        const document = { _id, shard: `s${step}` };
        held.set(_id, raw(document));
        assert.ok(write(changes, 'u', document, _id, true));
      } else if (kind === 2 && before === undefined) {
        held.set(_id, raw({ _id, step }));
        assert.ok(write(changes, 'i', { _id, step }));
      } else if (before !== undefined) {
        const o = kind === 3 ? { $v: 2, diff: { u: { shard: `t${step}` } } } : { _id, replaced: step };
        held.set(_id, changedDocument(before, raw(o), whole(raw(o))));
        assert.ok(write(changes, 'u', o, _id));
      } else if (kind === 3 && !base.some((one) => BSON.deserialize(one)._id === _id)) {
        // Nothing of it is known yet, so whether it is there is known once the base was gone through.
        continue;
      }
      if (random.below(200) === 0) {
        held.clear();
        changes.clear();
      }
    }
    const found = await collect(changes.over(each(base), neverMissing));
    const byId = (documents: Iterable<Buffer>) =>
      new Map([...documents].map((one) => [BSON.deserialize(one)._id as number, one.toString('hex')] as const).sort());
    assert.equal(found.length, held.size, `seed ${seed}`);
    assert.deepEqual(byId(found), byId(held.values()), `seed ${seed}`);
  }
});

test('a change of what is not there is known at once where it can be, else when the base was gone through', async () => {
  const changes = new LedgerChanges();
  assert.ok(write(changes, 'd', { _id: 1 }));
  assert.equal(write(changes, 'u', { $v: 2, diff: { u: { a: 1 } } }, 1), false);
  assert.equal(write(changes, 'u', { _id: 1, a: 1 }, 1), false);
  assert.equal(changes.needsBase, false);
  assert.ok(write(changes, 'u', { $v: 2, diff: { u: { a: 1 } } }, 2));
  assert.ok(changes.needsBase);
  const missing = (id: string): never => {
    throw new Error(`no ${id}`);
  };
  const id = raw({ _id: 2 });
  const key = idBytes(id, findId(id, 0) as never).toString('hex');
  await assert.rejects(collect(changes.over(each([raw({ _id: 1 })]), missing)), new RegExp(`no ${key}`));
  assert.equal((await collect(changes.over(each([raw({ _id: 2 })]), missing))).length, 1);
});
