import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ansiColours, chooseColours, noColours, visibleWidth } from './colours.ts';
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
      { colours: noColours, columns: null },
    ),
    ['NAME       SIZE', 'orders       12', 'a       1234567'],
  );
  assert.deepEqual(renderTable([{ header: 'A' }, { header: 'B' }], [['x', '']], { colours: noColours, columns: 80 }), [
    'A  B',
    'x',
  ]);
});

test('measures cells without their colours', () => {
  const [, row] = renderTable(layout, [[ansiColours.green('ok'), '1']], { colours: noColours, columns: null });
  assert.equal(visibleWidth(row ?? ''), 'NAME  SIZE'.length);
});

test('cuts the elastic column to fit the terminal, not below what can be read', () => {
  const rows = [['a-very-long-collection-name', '12']];
  assert.deepEqual(renderTable(layout, rows, { colours: noColours, columns: 20 })[1], 'a-very-long-c…    12');
  assert.deepEqual(renderTable(layout, rows, { colours: noColours, columns: 3 })[1], 'a-very-…    12');
});

test('leaves out fields without a value', () => {
  assert.deepEqual(
    renderFields(
      [
        ['id', 'x'],
        ['description', null],
        ['status', 'completed'],
      ],
      noColours,
    ),
    ['id      x', 'status  completed'],
  );
});

test('colours only a terminal, and never against NO_COLOR', () => {
  assert.equal(chooseColours({}, true), ansiColours);
  assert.equal(chooseColours({}, false), noColours);
  assert.equal(chooseColours({ NO_COLOR: '1', FORCE_COLOR: '1' }, true), noColours);
  assert.equal(chooseColours({ NO_COLOR: '' }, true), ansiColours);
  assert.equal(chooseColours({ TERM: 'dumb' }, true), noColours);
  assert.equal(chooseColours({ FORCE_COLOR: '1' }, false), ansiColours);
});
