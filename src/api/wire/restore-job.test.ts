import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restoreJobRow, sampleIds } from '../../../test/samples/rows.ts';
import { linkBuilder } from '../links.ts';
import { restoreJobBody } from './restore-job.ts';

const links = linkBuilder('https://b.example');

test('an automated restore that has ended well', () => {
  const job = restoreJobRow();
  const project = `https://b.example/api/atlas/v2/groups/${sampleIds.project}`;
  assert.deepEqual(restoreJobBody(job, links), {
    cancelled: false,
    deliveryType: 'automated',
    deliveryUrl: [],
    desiredTimestamp: { date: null, increment: null, time: null },
    expired: false,
    failed: false,
    finishedAt: '2026-11-22T09:51:40Z',
    id: job.id,
    links: [
      { href: `${project}/clusters/orders-1/backup/restoreJobs/${job.id}`, rel: 'self' },
      {
        href: `${project}/clusters/orders-1/backup/snapshots/${sampleIds.snapshot}`,
        rel: 'https://cloud.mongodb.com/snapshot',
      },
      { href: `${project}/clusters/orders-1`, rel: 'https://cloud.mongodb.com/cluster' },
      { href: project, rel: 'https://cloud.mongodb.com/group' },
    ],
    snapshotId: sampleIds.snapshot,
    targetClusterName: 'orders-1',
    targetGroupId: sampleIds.project,
    timestamp: '2026-11-22T08:59:55Z',
  });
});

test('how a job stands is told by three booleans and whether it has finished', () => {
  const table = [
    ['queued', null, [false, false, false, false]],
    ['inProgress', null, [false, false, false, false]],
    ['completed', 1000, [false, false, false, true]],
    ['failed', 1000, [false, false, true, true]],
    ['cancelled', 1000, [true, false, false, true]],
    ['expired', 1000, [false, true, false, true]],
  ] as const;
  for (const [state, finishedAtMs, expected] of table) {
    const body = restoreJobBody(restoreJobRow({ state, finishedAtMs }), links);
    assert.deepEqual([body.cancelled, body.expired, body.failed, 'finishedAt' in body], expected, state);
  }
});

test('a point in time is echoed and also shown as the desired timestamp', () => {
  const bySecond = restoreJobBody(
    restoreJobRow({ deliveryType: 'pointInTime', pointInTimeUtcSeconds: 1_760_000_000 }),
    links,
  );
  assert.equal(bySecond.pointInTimeUTCSeconds, 1_760_000_000);
  assert.deepEqual(bySecond.desiredTimestamp, { date: '2025-10-09T08:53:20Z', increment: null, time: 1_760_000_000 });
  const byEntry = restoreJobBody(
    restoreJobRow({ deliveryType: 'pointInTime', oplogTs: 1_760_000_000, oplogInc: 3, snapshotId: null }),
    links,
  );
  assert.deepEqual([byEntry.oplogTs, byEntry.oplogInc, byEntry.desiredTimestamp.increment], [1_760_000_000, 3, 3]);
  assert.ok(!('snapshotId' in byEntry) && byEntry.links.length === 3);
});

test('a download has no target', () => {
  const body = restoreJobBody(restoreJobRow({ deliveryType: 'download', expiresAtMs: 0 }), links);
  assert.ok(!('targetClusterName' in body) && !('targetGroupId' in body));
  assert.equal(body.expiresAt, '1970-01-01T00:00:00Z');
});
