import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from 'bson';
import type { ClusterMember } from '../../../mongo/topology.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';
import { quorumOf } from './admit-target.ts';
import { roomAfter } from './require-room.ts';
import { distinctShapes, type TrialSubject } from './trial-shapes.ts';

function subject(name: string, options: object, ...indexes: object[]): TrialSubject {
  const info = Buffer.from(serialize({ name, type: 'collection', options, info: { name } }));
  const entry: CollectionEntry = {
    ...{ db: 'shop', name, type: 'collection', uuid: 'aa', info, indexes: [] },
    ...{ documents: 0, bytes: 0, layers: [] },
  };
  return { entry, indexes: indexes.map((index) => Buffer.from(serialize(index))) };
}

const namesOf = (subjects: readonly TrialSubject[]) => distinctShapes(subjects).map(({ entry }) => entry.name);

test('of collections that differ in names alone one is tried', () => {
  const found = namesOf([
    subject('a', {}, { v: 2, key: { n: 1 }, name: 'n_1' }, { v: 2, key: { 'x.y': -1, z: 1 }, name: 'xy' }),
    subject('b', {}, { v: 2, key: { 'p.q': -1, r: 1 }, name: 'pq' }, { v: 2, key: { m: 1 }, name: 'm_1' }),
  ]);
  assert.deepEqual(found, ['a']);
});

test('whatever a server could refuse makes another kind', () => {
  const index = { v: 2, key: { n: 1 }, name: 'n_1' };
  const others = [
    subject('plain', {}, index),
    subject('options', { capped: true, size: 4096 }, index),
    subject('version', {}, { ...index, v: 1 }),
    subject('direction', {}, { ...index, key: { n: 5 } }),
    subject('kind', {}, { ...index, key: { n: 'hashed' } }),
    subject('id', {}, { ...index, key: { _id: 1 } }),
    subject('wildcard', {}, { ...index, key: { 'n.$**': 1 } }),
    subject('numbered path', {}, { ...index, key: { 'n.0': 1 } }),
    subject('collation', {}, { ...index, collation: { locale: 'de' } }),
    subject('partial', {}, { ...index, partialFilterExpression: { n: { $gt: 5 } } }),
    subject('partial of another field', {}, { ...index, partialFilterExpression: { m: { $gt: 5 } } }),
    subject('unknown', {}, { ...index, wanted: true }),
    subject('none', {}),
  ];
  assert.deepEqual(
    namesOf(others),
    others.map(({ entry }) => entry.name),
  );
});

function member(own: Partial<ClusterMember>): ClusterMember {
  return {
    ...{ host: 'h', state: 'SECONDARY', hidden: false, priority: 1, votes: 1 },
    ...{ delayed: false, arbiter: false, buildsIndexes: true, appliedTs: null, ...own },
  };
}

test('builds wait for as many members as can commit them', () => {
  const primary = member({ state: 'PRIMARY' });
  const unindexed = member({ priority: 0, buildsIndexes: false });
  const arbiter = member({ state: 'ARBITER', arbiter: true });
  const quorums = [
    { of: [primary], is: 'majority', needed: 1 },
    { of: [primary, member({}), member({})], is: 'majority', needed: 2 },
    { of: [primary, member({}), arbiter], is: 'majority', needed: 2 },
    { of: [primary, arbiter, arbiter], is: 'majority', needed: 1 },
    { of: [primary, member({}), unindexed], is: 'majority', needed: 2 },
    { of: [primary, unindexed], is: 1, needed: 1 },
    { of: [primary, unindexed, arbiter], is: 1, needed: 1 },
    { of: [primary, member({}), unindexed, unindexed, unindexed], is: 2, needed: 2 },
    { of: [primary, member({ state: 'DOWN' }), unindexed], is: 1, needed: 1 },
    { of: [primary, member({ votes: 0 }), { ...unindexed, votes: 0 }], is: 'majority', needed: 1 },
  ];
  for (const { of, is, needed } of quorums) {
    const found = quorumOf(of);
    assert.deepEqual([found.commitQuorum, found.builders.needed], [is, needed], JSON.stringify(of));
  }
});

test('what a restore replaces makes room for it', () => {
  const { entry } = subject('a', {});
  const loads = [{ ...entry, layers: [layer(300), layer(20)] }, entry];
  assert.deepEqual(roomAfter({ used: 700, total: 1_000 }, 500, loads), { used: 520, total: 1_000 });
  assert.deepEqual(roomAfter({ used: 100, total: 1_000 }, 500, loads), { used: 320, total: 1_000 });
});

function layer(storedBytes: number): CollectionEntry['layers'][number] {
  const counts = { documents: 1, deleted: 0, bytes: 1, storedBytes };
  return { kind: 'base', takenIn: 's', ...counts, ordered: false, documentLists: [], deletedLists: [] };
}
