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

test('a table that is too wide leaves out what may be, then cuts text, and fits; figures and first cells stay whole', () => {
  const wide = [
    { header: 'ID' },
    { header: 'CLUSTER', elastic: true },
    { header: 'STATUS', leftOut: 2 },
    { header: 'DOCUMENTS', align: 'right' as const, leftOut: 1 },
    { header: 'REASON' },
    { header: 'DATA', align: 'right' as const },
  ];
  const id = 'f'.repeat(24);
  const row = [id, 'c'.repeat(64), 'completed', '1,234,567,890', ansiColors.red('r'.repeat(200)), '123 MB'];
  for (const columns of [60, 80, 100, 200]) {
    const [head = '', line = ''] = renderTable(wide, [row], { colors: noColors, columns });
    assert.ok(visibleWidth(head) <= columns && visibleWidth(line) <= columns, `${columns}: ${line}`);
    assert.ok(line.startsWith(`${id}  cccc`) && line.endsWith('  123 MB'), line);
    assert.ok(!line.includes('\u001b'), 'no half of a color');
  }
  const fitting = [id, 'Shop', 'completed', '1', 'none', '1 B'];
  assert.equal(
    renderTable(wide, [fitting], { colors: noColors, columns: 80 })[0],
    'ID                        CLUSTER  STATUS     DOCUMENTS  REASON  DATA',
  );
  assert.equal(
    renderTable(wide, [fitting], { colors: noColors, columns: 66 })[0],
    'ID                        CLUSTER  DOCUMENTS  REASON  DATA',
  );
});
