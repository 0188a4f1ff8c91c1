import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNamespace, parseNamespace } from '../../bson/namespace.ts';
import { nameTargets } from './name-targets.ts';

const wanted = (source: string, target: string, ofDatabase = false) => ({
  source: parseNamespace(source),
  target: parseNamespace(target),
  ofDatabase,
});

const there = (names: Record<string, string[]>) =>
  new Map(Object.entries(names).map(([db, list]) => [db, new Set(list)]));

const named = (...[chosen, existing, strategy]: Parameters<typeof nameTargets>) =>
  nameTargets(chosen, existing, strategy).map(formatNamespace);

test('free names are given as they are wanted, and taken ones too where they are to be overwritten', () => {
  const chosen = [wanted('a.x', 'b.x'), wanted('a.y', 'b.y'), wanted('c.z', 'c.z', true)];
  assert.deepEqual(named(chosen, there({ b: ['other'] }), 'createNew'), ['b.x', 'b.y', 'c.z']);
  assert.deepEqual(named(chosen, there({ b: ['x', 'y'], c: ['z'] }), 'overwriteExisting'), ['b.x', 'b.y', 'c.z']);
});

test('a taken collection is named anew, past names that are taken or wanted by others', () => {
  const existing = there({ b: ['x', 'x_restored', 'x_restored_2', 'system.buckets.t'] });
  assert.deepEqual(named([wanted('a.x', 'b.x')], existing, 'createNew'), ['b.x_restored_3']);
  assert.deepEqual(named([wanted('a.t', 'b.t')], existing, 'createNew'), ['b.t_restored']);
  const both = [wanted('a.p', 'b.y_restored'), wanted('a.q', 'b.y')];
  assert.deepEqual(named(both, there({ b: ['y'] }), 'createNew'), ['b.y_restored', 'b.y_restored_2']);
});

test('a name that is wanted by a later one is not given away', () => {
  const both = [wanted('a.q', 'b.y'), wanted('a.p', 'b.y_restored')];
  assert.deepEqual(named(both, there({ b: ['y'] }), 'createNew'), ['b.y_restored_2', 'b.y_restored']);
});

test('a selected database that is there is named anew as a whole, whatever is in it', () => {
  const chosen = [wanted('a.x', 'b.x', true), wanted('a.y', 'b.y', true), wanted('c.z', 'b.z')];
  assert.deepEqual(named(chosen, there({ b: ['other'], B_restored: [] }), 'createNew'), [
    'b_restored_2.x',
    'b_restored_2.y',
    'b.z',
  ]);
});

test('names that cannot be are refused', () => {
  const refused = (chosen: Parameters<typeof nameTargets>[0], message: RegExp) =>
    assert.throws(() => nameTargets(chosen, there({ Shop: ['x'] }), 'overwriteExisting'), { message });
  refused([wanted('a.x', 'c.x'), wanted('b.x', 'c.x')], /a\.x and b\.x would both get it/);
  refused([wanted('a.x', 'shop.x')], /may not differ in case alone/);
  refused([wanted('a.x', `${'d'.repeat(64)}.x`)], /more than 63 bytes/);
  refused([wanted('a.x', `d.${'é'.repeat(127)}`)], /more than 255 bytes/);
});
