import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleIds, sampleSnapshots, snapshotRow } from '../../../test/samples/rows.ts';
import { must } from '../../lib/assert.ts';
import { linkBuilder } from '../links.ts';
import { asShardedClusterSnapshot, replicaSetSnapshot } from './snapshot.ts';

const said = { links: linkBuilder('https://b.example'), service: { version: '0', storedAt: null } };
const sample = (index: number) => must(sampleSnapshots[index], 'a sample');

test('a completed snapshot has every field that the data gives, and none of a cloud', () => {
  const cluster = `https://b.example/api/atlas/v2/groups/${sampleIds.project}/clusters/orders-1`;
  assert.deepEqual(replicaSetSnapshot(sample(0), said), {
    copyRegions: [],
    createdAt: '2026-11-22T08:59:55Z',
    description: 'before the migration',
    expiresAt: '2026-11-23T09:00:00Z',
    frequencyType: 'ondemand',
    id: sampleIds.snapshot,
    links: [
      { href: `${cluster}/backup/snapshots/${sampleIds.snapshot}`, rel: 'self' },
      { href: cluster, rel: 'https://cloud.mongodb.com/cluster' },
    ],
    mongodVersion: '8.0.4',
    policyItems: [],
    replicaSetName: 'orders-1',
    snapshotType: 'onDemand',
    status: 'completed',
    storageSizeBytes: 4_000_000_000,
    type: 'replicaSet',
  });
});

test('the fields come one after another: queued, in progress, and failed', () => {
  const namesOf = (index: number) => Object.keys(replicaSetSnapshot(sample(index), said)).sort();
  const always = [
    'copyRegions',
    'expiresAt',
    'frequencyType',
    'id',
    'links',
    'policyItems',
    'replicaSetName',
    'snapshotType',
    'status',
    'storageSizeBytes',
    'type',
  ];
  assert.deepEqual(namesOf(1), always);
  assert.deepEqual(namesOf(2), [...always, 'description', 'mongodVersion'].sort());
  assert.deepEqual(namesOf(3), [...always, 'description'].sort());
  assert.equal(replicaSetSnapshot(sample(1), said).storageSizeBytes, 0);
  assert.equal(replicaSetSnapshot(sample(1), said).replicaSetName, 'orders-1');
});

test('where the repository is in a cloud, what was completed says in which', () => {
  const aws = { ...said, service: { version: '0', storedAt: 'AWS' as const } };
  assert.equal(replicaSetSnapshot(sample(0), aws).cloudProvider, 'AWS');
  assert.equal(replicaSetSnapshot(sample(1), aws).cloudProvider, undefined, 'nothing is stored of it yet');
});

test('a time of data known before the end is not shown before the end', () => {
  const running = snapshotRow({ status: 'inProgress' });
  assert.ok(!('createdAt' in replicaSetSnapshot(running, said)));
});

test('through the sharded path a replica set has no members, and its own link', () => {
  const body = asShardedClusterSnapshot(sample(0), said);
  assert.deepEqual([body.members, body.snapshotIds], [[], []]);
  assert.ok(!('copyRegions' in body) && !('replicaSetName' in body));
  assert.match(body.links[0]?.href ?? '', /\/backup\/snapshots\/shardedCluster\/[0-9a-f]{24}$/);
});
