import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ansiColors, chooseColors, noColors, visibleWidth } from './colors.ts';
import { renderFields, renderTable } from './table.ts';

const layout = [
  { header: 'NAME', elastic: true },
  { header: 'SIZE', align: 'right' as const },
];

test('aligns columns and ends no line in spaces', () => {
  assert.deepEqual(
    renderTable(
      layout,
      [
        ['orders', '12'],
        ['a', '1234567'],
      ],
      { colors: noColors, columns: null },
    ),
    ['NAME       SIZE', 'orders       12', 'a       1234567'],
  );
  assert.deepEqual(renderTable([{ header: 'A' }, { header: 'B' }], [['x', '']], { colors: noColors, columns: 80 }), [
    'A  B',
    'x',
  ]);
});

test('measures cells without their colors', () => {
  const [, row] = renderTable(layout, [[ansiColors.green('ok'), '1']], { colors: noColors, columns: null });
  assert.equal(visibleWidth(row ?? ''), 'NAME  SIZE'.length);
});

test('cuts the elastic column to fit the terminal, not below what can be read', () => {
  const rows = [['a-very-long-collection-name', '12']];
  assert.deepEqual(renderTable(layout, rows, { colors: noColors, columns: 20 })[1], 'a-very-long-c…    12');
  assert.deepEqual(renderTable(layout, rows, { colors: noColors, columns: 3 })[1], 'a-very-…    12');
});

test('leaves out fields without a value', () => {
  assert.deepEqual(
    renderFields(
      [
        ['id', 'x'],
        ['description', null],
        ['status', 'completed'],
      ],
      noColors,
    ),
    ['id      x', 'status  completed'],
  );
});

test('colors only a terminal, and never against NO_COLOR', () => {
  assert.equal(chooseColors({}, true), ansiColors);
  assert.equal(chooseColors({}, false), noColors);
  assert.equal(chooseColors({ NO_COLOR: '1', FORCE_COLOR: '1' }, true), noColors);
  assert.equal(chooseColors({ NO_COLOR: '' }, true), ansiColors);
  assert.equal(chooseColors({ TERM: 'dumb' }, true), noColors);
  assert.equal(chooseColors({ FORCE_COLOR: '1' }, false), ansiColors);
});
