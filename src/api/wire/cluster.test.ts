import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterRow } from '../../../test/samples/rows.ts';
import { linkBuilder } from '../links.ts';
import { advancedClusterBody, clusterBody20240805 } from './cluster.ts';

const links = linkBuilder('https://b.example');

test('the older version counts shards and has the disk size on top, the later has a zone and it in the specs', () => {
  const older = advancedClusterBody(clusterRow(), links);
  const later = clusterBody20240805(clusterRow(), links);
  assert.equal(older.diskSizeGB, 5);
  assert.equal(older.replicationSpecs[0]?.numShards, 1);
  assert.deepEqual(older.replicationSpecs[0]?.regionConfigs[0]?.electableSpecs, {
    instanceSize: 'SELF_MANAGED',
    nodeCount: 2,
  });
  assert.deepEqual(later.replicationSpecs[0]?.regionConfigs[0]?.electableSpecs, {
    diskSizeGB: 5,
    instanceSize: 'SELF_MANAGED',
    nodeCount: 2,
  });
  assert.equal(later.replicationSpecs[0]?.regionConfigs[0]?.readOnlySpecs.nodeCount, 1);
  assert.match(later.replicationSpecs[0]?.zoneId ?? '', /^[0-9a-f]{24}$/);
  assert.notEqual(older.replicationSpecs[0]?.id, later.replicationSpecs[0]?.id);
  assert.deepEqual(clusterBody20240805(clusterRow(), links), later);
});

test('a cluster whose data is being replaced is not IDLE', () => {
  assert.equal(clusterBody20240805(clusterRow(), links).stateName, 'IDLE');
  assert.equal(clusterBody20240805(clusterRow({ restoreInProgress: true }), links).stateName, 'UPDATING');
});

test('what was never read from the cluster is left out', () => {
  const body = advancedClusterBody(
    clusterRow({ mongodVersion: null, featureCompatibilityVersion: null, dataBytes: null, members: [] }),
    links,
  );
  for (const name of ['mongoDBVersion', 'mongoDBMajorVersion', 'featureCompatibilityVersion', 'diskSizeGB']) {
    assert.ok(!(name in body), name);
  }
  assert.equal(advancedClusterBody(clusterRow(), links).mongoDBMajorVersion, '8.0');
});
