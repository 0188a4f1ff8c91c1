import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operation } from './operation.ts';
import { operations } from './operations.ts';

const table = Object.entries<Operation>(operations);

test('no two operations share a method and path', () => {
  const seen = new Map<string, string>();
  for (const [operationId, { method, path }] of table) {
    const route = `${method} ${path.replace(/\{\w+\}/g, '{}')}`;
    assert.equal(seen.get(route), undefined, `${operationId} and ${seen.get(route)}`);
    seen.set(route, operationId);
  }
});

test('a name, canonical or alias, means one operation', () => {
  const seen = new Set<string>();
  for (const [operationId, { aliases }] of table) {
    for (const name of [operationId, ...aliases]) {
      assert.ok(!seen.has(name), name);
      seen.add(name);
    }
  }
});

test('versions are real dates, oldest first, and the last is sunset only where the operation ends', () => {
  for (const [operationId, { versions }] of table) {
    const dates = versions.map(({ date }) => date);
    assert.deepEqual(dates, [...dates].sort(), operationId);
    assert.equal(new Set(dates).size, dates.length, operationId);
    for (const { date } of versions) assert.equal(new Date(date).toISOString().slice(0, 10), date, operationId);
    const last = versions.at(-1);
    assert.ok(last?.sunset === undefined || last.deprecated !== undefined, operationId);
  }
});

test('what an operation answers fits its status and its paging', () => {
  for (const [operationId, operation] of table) {
    assert.equal(operation.answers === 'nothing', operation.success === 204, operationId);
    if (operation.paging !== 'none') assert.equal(operation.answers, 'list', operationId);
    for (const { response } of operation.versions) {
      assert.equal(response === null, operation.answers === 'nothing', operationId);
    }
    if (operation.method === 'GET') assert.ok(operation.versions.every(({ request }) => request === undefined));
  }
});

test('access that asks for a project or organization has one in its path', () => {
  for (const [operationId, { access, path }] of table) {
    assert.equal(access.scope === 'project', path.includes('{groupId}'), operationId);
    assert.equal(access.scope === 'organization', path.includes('{orgId}'), operationId);
    if ('anyOf' in access) assert.ok(access.anyOf.length > 0, operationId);
  }
});

test('the five seed operations are as their pages describe them', () => {
  const v2 = '/api/atlas/v2/groups/{groupId}';
  const seeds = {
    listGroupClusterBackupExports: [`${v2}/clusters/{clusterName}/backup/exports`, ['2023-01-01'], 'listBackupExports'],
    listGroupBackupExportBuckets: [`${v2}/backup/exportBuckets`, ['2023-01-01', '2024-05-30'], 'listExportBuckets'],
    getGroupClusterBackupSnapshot: [
      `${v2}/clusters/{clusterName}/backup/snapshots/{snapshotId}`,
      ['2023-01-01'],
      'getClusterBackupSnapshot',
    ],
    listGroupClusterBackupRestoreJobs: [
      `${v2}/clusters/{clusterName}/backup/restoreJobs`,
      ['2023-01-01'],
      'listBackupRestoreJobs',
    ],
    listGroupClusterBackupCheckpoints: [
      `${v2}/clusters/{clusterName}/backupCheckpoints`,
      ['2023-01-01'],
      'listClusterBackupCheckpoints',
    ],
  } as const;
  for (const [operationId, [path, dates, alias]] of Object.entries(seeds)) {
    const operation: Operation = operations[operationId as keyof typeof seeds];
    assert.equal(operation.path, path);
    assert.deepEqual(
      operation.versions.map(({ date }) => date),
      dates,
    );
    assert.ok(operation.aliases.includes(alias));
    assert.ok(operation.envelope && operation.pretty);
  }
});
