import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectionOf } from '../../../test/support/test-repository.ts';
import { must } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import type { CollectionEntry } from './manifest.ts';
import { compareEntries } from './manifest-rules.ts';
import { decodeSection, encodeSections } from './sections.ts';

const seed = 7;
const entry = (name: string): CollectionEntry => collectionOf(name, []);
const many = (count: number): CollectionEntry[] =>
  Array.from({ length: count }, (_, n) => entry(`c${n}`)).toSorted(compareEntries);
const sectionsOf = (entries: readonly CollectionEntry[]) => [...encodeSections(entries, seed)];

test('sections hold the collections in their order, and are neither few nor long', () => {
  const entries = many(3000);
  const sections = sectionsOf(entries);
  const read = sections.flatMap(({ payload }) => decodeSection(payload, { sharded: false, subject: 'x' }));
  assert.deepEqual(read, entries);
  for (const { collections } of sections.slice(0, -1)) assert.ok(collections >= 64 && collections <= 256);
  assert.ok(sections.length <= 36, `${sections.length} sections`);
});

test('a collection that comes, goes or changes leaves all sections but one or two as they are', () => {
  const entries = many(2000);
  const before = new Set(sectionsOf(entries).map(({ payload }) => payload.toString()));
  const fresh = (changed: CollectionEntry[]): number =>
    sectionsOf(changed.toSorted(compareEntries)).filter(({ payload }) => !before.has(payload.toString())).length;
  for (let n = 0; n < 2000; n += 397) {
    assert.ok(fresh([...entries, entry(`c${n}x`)]) <= 3, `one more after ${n}`);
    assert.ok(fresh(entries.filter(({ name }) => name !== `c${n}`)) <= 3, `${n} gone`);
    const changed = entries.map((each) => (each.name === `c${n}` ? { ...each, documents: 5 } : each));
    assert.equal(fresh(changed), 1, `${n} changed`);
  }
});

test('large entries end a section early', () => {
  const large = many(40).map((each) => ({ ...each, info: Buffer.alloc(100_000) }));
  for (const { payload } of sectionsOf(large)) assert.ok(payload.length < 1.3 * 2 ** 20);
});

test('what is no section is damage', () => {
  const { payload } = must(sectionsOf(many(3))[0], 'one section');
  const broken = [
    payload.subarray(0, -10),
    Buffer.from('{"kind":"section","version":3,"shared":[]}\n'),
    Buffer.from('{"kind":"collection"}\n'),
    Buffer.alloc(0),
    payload.subarray(payload.indexOf(0x0a) + 1),
  ];
  for (const [index, each] of broken.entries()) {
    assert.throws(() => decodeSection(each, { sharded: false, subject: 'x' }), Damage, `${index}`);
  }
});

test('an extent outside its shared blob, or in one that is not named, is damage', () => {
  const blob = { id: 'a'.repeat(64), snapshotId: 'b'.repeat(24), plainBytes: 100, storedBytes: 80, documents: 3 };
  const first = JSON.stringify({ kind: 'section', version: 2, shared: [blob] });
  const decode = (extent: object) => {
    const layer = {
      ...{ kind: 'base', takenIn: 'b'.repeat(24), documents: 1, deleted: 0, bytes: 50, storedBytes: 0, ordered: false },
      documentBlob: { id: 'c'.repeat(64), shared: 0, at: 50, plainBytes: 50, documents: 1, ...extent },
    };
    const line = {
      ...{ kind: 'collection', db: 'd', name: 'c', type: 'collection', uuid: 'e'.repeat(32), info: '', indexes: [] },
      ...{ documents: 1, bytes: 50, layers: [layer] },
    };
    return decodeSection(Buffer.from(`${first}\n${JSON.stringify(line)}\n`), { sharded: false, subject: 'x' });
  };
  assert.equal(decode({})[0]?.layers[0]?.documentBlob?.within?.at, 50);
  assert.throws(() => decode({ at: 51 }), Damage);
  assert.throws(() => decode({ shared: 1 }), Damage);
});
