import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Figures, figureRows } from './figures.ts';

const incremental = { ms: 100, storedBytes: 2_000_000, documentsRead: 1000, bytesRead: 1e6, changedDocuments: 1000 };
const figures: Figures = {
  dataBytes: 1e9,
  documents: 1e6,
  scanFloorMs: 2000,
  loadFloorMs: 10_000,
  loadWithIndexesFloorMs: 12_000,
  boundMs: 6000,
  boundStoredBytes: 400e6,
  firstSnapshotMs: 6000,
  firstSnapshotStoredBytes: 400e6,
  firstSnapshotReadBytes: 1e9,
  firstSnapshotRatio: 3,
  incremental: { '0.1': incremental, '1': incremental, '10': incremental },
  smaller: { dataBytes: 250e6, firstSnapshotMs: 1500, incremental },
  restoreMs: 11_500,
  restoreRatio: 1.15,
  restoreVerifiedMs: 13_000,
  restoreWithIndexesMs: 14_000,
  restoreWithIndexesRatio: 1.17,
  peakRssBytes: 500e6,
  peakRss: { firstSnapshot: 500e6, incremental: 1, restore: 1 },
};

function verdictOf(work: string, changed: Partial<Figures>): string | undefined {
  return figureRows({ ...figures, ...changed })
    .find(([name]) => name?.trim().startsWith(work))
    ?.at(-1);
}

test('a budget that is just kept is held, one that is passed is missed', () => {
  assert.equal(verdictOf('first snapshot', {}), 'held');
  assert.equal(verdictOf('first snapshot', { firstSnapshotMs: 6001 }), 'MISSED');
  assert.equal(verdictOf('against what', { firstSnapshotMs: 6900 }), 'held');
  assert.equal(verdictOf('against what', { firstSnapshotMs: 6901 }), 'MISSED');
  assert.equal(verdictOf('restore, no indexes, --skip-verify', {}), 'held');
  assert.equal(verdictOf('restore, no indexes, --skip-verify', { restoreMs: 11_600 }), 'MISSED');
  assert.equal(verdictOf('incremental, 1 %', {}), 'held');
  assert.equal(verdictOf('incremental, 1 %', { firstSnapshotMs: 900 }), 'MISSED');
  assert.equal(verdictOf('peak memory', {}), 'held');
  assert.equal(verdictOf('peak memory', { peakRssBytes: 512 * 1024 * 1024 + 1 }), 'MISSED');
});

test('growth of an increment with the collection is missed', () => {
  assert.equal(verdictOf('same changes', {}), 'held');
  const smaller = { ...figures.smaller, incremental: { ...incremental, ms: 60 } };
  assert.equal(verdictOf('same changes', { smaller }), 'MISSED');
});

test('what has no budget has no verdict', () => {
  assert.equal(verdictOf('incremental, 0.1 %', {}), '');
  assert.equal(verdictOf('scan floor', {}), '');
});
