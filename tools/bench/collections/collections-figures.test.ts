import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn, thisBuild } from '../other-build.ts';
import { collectionsRows } from './collections-figures.ts';

const own = { firstMs: 1000, objects: 40, idleMs: 100, idleBytes: 10_000, restoreMs: 16_000 };
const other = { firstMs: 10_000, objects: 6000, idleMs: 2000, idleBytes: 250_000, restoreMs: 32_000 };
const collections = { count: 3000, ...own, restoreFloorMs: 16_000 };

test('every figure stands beside the other build, and both restores beside the bare client', () => {
  const rows = collectionsRows({ collections, against: { build: 'main', ...other } });
  assert.deepEqual(
    rows.map(([work, , , ratio]) => [work?.trim(), ratio]),
    [
      ['first snapshot of 3,000 collections', '0.10 x'],
      ['objects', '0.01 x'],
      ['the next one, nothing changed', '0.05 x'],
      ['written', '0.04 x'],
      ['restore', '0.50 x'],
      ['against a bare client', '1.00 x'],
      ['main against it', '2.00 x'],
    ],
  );
});

test('without another build there is only the bare client to stand beside', () => {
  const ratios = collectionsRows({ collections }).map((row) => row[3]);
  assert.deepEqual(ratios, ['', '', '', '', '', '1.00 x']);
});

test('builds take turns', () => {
  const builds = [thisBuild, { name: 'main', root: '' }];
  assert.deepEqual(
    [0, 1].map((round) => inTurn(builds, round).map(({ name }) => name)),
    [
      ['this build', 'main'],
      ['main', 'this build'],
    ],
  );
});
