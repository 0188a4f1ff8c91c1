import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '../domain/snapshots/snapshots.ts';
import { noColors } from './colors.ts';
import { snapshotColumns, snapshotRow } from './snapshot-view.ts';
import { renderTable } from './table.ts';

const completed = {
  id: 'f'.repeat(24),
  clusterName: 'Shop',
  status: 'completed',
  createdAtMs: 0,
  documents: 123_456_789,
  dataBytes: 999e9,
  writtenStoredBytes: 999e9,
  expiresAtMs: 0,
  doNotDelete: false,
} as Snapshot;

test('the list of snapshots fits 80 columns, with what a person looks for', () => {
  const failed: Snapshot = { ...completed, status: 'failed', createdAtMs: null, documents: null, dataBytes: null };
  const rows = [completed, failed].map((snapshot) => snapshotRow(snapshot, noColors));
  const lines = renderTable(snapshotColumns, rows, { colors: noColors, columns: 80 });
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.match(lines[0] ?? '', /^ID +CLUSTER +DATA AT +DATA +STORED$/);
  assert.match(lines[1] ?? '', /1970-01-01 00:00:00Z +999 GB +999 GB$/);
  assert.match(lines[2] ?? '', / failed /);
  const wide = renderTable(snapshotColumns, rows, { colors: noColors, columns: 120 });
  assert.match(wide[0] ?? '', /STATUS +DATA AT +DOCUMENTS +DATA +STORED +EXPIRES$/);
});
