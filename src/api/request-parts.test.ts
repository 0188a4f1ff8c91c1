import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportJobOperations } from '../../contract/export-jobs.ts';
import { snapshotOperations } from '../../contract/snapshots.ts';
import { Refusal } from '../domain/refusals/refusals.ts';
import { HttpRefusal } from './http-refusals.ts';
import { checkedBody, checkedParams } from './request-parts.ts';

const take = snapshotOperations.takeGroupClusterBackupSnapshots;
const update = snapshotOperations.updateGroupClusterBackupSnapshot;
const nowMs = Date.parse('2026-11-22T10:00:00Z');

function read(text: string, operation: typeof take | typeof update = take): unknown {
  return checkedBody(operation, { contentType: 'application/json', text, accepted: operation.versions[0], nowMs });
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal || error instanceof HttpRefusal) return `${error.status} ${error.code}`;
    throw error;
  }
  return 'accepted';
}

test('explicit nulls count as left out, at any depth, and unknown fields pass', () => {
  assert.deepEqual(read('{"description":null,"retentionInDays":2,"links":[{"href":null,"rel":"x"}],"id":"7"}'), {
    retentionInDays: 2,
    links: [{ rel: 'x' }],
    id: '7',
  });
});

test('a body that is no JSON object of the right shape is refused by name', () => {
  assert.equal(
    codeOf(() => read('')),
    '400 VALIDATION_ERROR',
  );
  assert.equal(
    codeOf(() => read('{"a":')),
    '400 VALIDATION_ERROR',
  );
  assert.equal(
    codeOf(() => read('[]')),
    '400 VALIDATION_ERROR',
  );
  assert.equal(
    codeOf(() => read('null')),
    '400 VALIDATION_ERROR',
  );
  assert.equal(
    codeOf(() => read('"text"')),
    '400 VALIDATION_ERROR',
  );
  assert.equal(
    codeOf(() => read('{"retentionInDays":"1"}')),
    '400 VALIDATION_ERROR',
  );
  assert.equal(
    codeOf(() => read('{"retentionInDays":1.5}')),
    '400 VALIDATION_ERROR',
  );
  assert.equal(
    codeOf(() => read('{"retentionUnit":"decades","retentionValue":1}', update)),
    '400 VALIDATION_ERROR',
  );
  assert.equal(
    codeOf(() => read('{"retentionUnit":"DAYS"}', update)),
    '400 MISSING_ATTRIBUTE',
  );
  assert.equal(
    codeOf(() => read(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)),
    'accepted',
  );
});

test('the unit of a retention may be written in any case, and a wrong one is answered with those that there are', () => {
  for (const unit of ['days', 'Days', 'DAYS'])
    assert.deepEqual(read(`{"retentionUnit":"${unit}","retentionValue":1}`, update), {
      retentionUnit: 'DAYS',
      retentionValue: 1,
    });
  assert.throws(
    () => read('{"retentionUnit":"decades","retentionValue":1}', update),
    /retentionUnit must be one of DAYS, WEEKS, MONTHS, YEARS/,
  );
});

test('a body that names a prototype stays a value', () => {
  const body = read('{"__proto__":{"retentionInDays":9}}') as { retentionInDays?: number };
  assert.equal(body.retentionInDays, undefined);
});

test('a malformed name or id is 400 where the operation documents one, else the 404 of the thing', () => {
  const exports = exportJobOperations.listGroupClusterBackupExports;
  const get = snapshotOperations.getGroupClusterBackupSnapshot;
  const groupId = '0123456789abcdef01234567';
  const table: [typeof exports | typeof get, Record<string, string>, string][] = [
    [exports, { groupId, clusterName: 'a-1' }, 'accepted'],
    [exports, { groupId: 'short', clusterName: 'a' }, '404 GROUP_NOT_FOUND'],
    [exports, { groupId: groupId.toUpperCase(), clusterName: 'a' }, '404 GROUP_NOT_FOUND'],
    [exports, { groupId, clusterName: '-a' }, '404 CLUSTER_NOT_FOUND'],
    [get, { groupId, clusterName: 'a', snapshotId: 'x' }, '400 VALIDATION_ERROR'],
    [get, { groupId: 'x', clusterName: 'a', snapshotId: groupId }, '400 VALIDATION_ERROR'],
    [get, { groupId, clusterName: 'a b', snapshotId: groupId }, '400 VALIDATION_ERROR'],
  ];
  for (const [operation, params, expected] of table) {
    assert.equal(
      codeOf(() => checkedParams(operation, params, '/x')),
      expected,
      JSON.stringify(params),
    );
  }
});
