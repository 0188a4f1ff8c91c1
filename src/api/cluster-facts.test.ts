import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterRow } from '../../test/samples/rows.ts';
import { changedFact } from './cluster-facts.ts';
import { linkBuilder } from './links.ts';
import { advancedClusterBody, clusterBody20240805 } from './wire/cluster.ts';

const links = linkBuilder('http://backup.example');
const cluster = clusterRow();

test('what was read may be sent back, in every version, with what is off or empty beside it', () => {
  for (const shown of [advancedClusterBody(cluster, links), clusterBody20240805(cluster, links)]) {
    const echoed = structuredClone(shown) as unknown as Record<string, unknown>;
    const more = {
      encryptionAtRestProvider: 'NONE',
      biConnector: { enabled: false, readPreference: '' },
      globalClusterSelfManagedSharding: false,
      diskSizeGB: 1,
      versionReleaseSystem: 'LTS',
      replicationSpecs: null,
      fromTheFuture: true,
    };
    assert.equal(changedFact(shown, echoed), null);
    assert.equal(changedFact(shown, { ...echoed, ...more }), null);
  }
});

test('what would change the servers is named', () => {
  const shown = clusterBody20240805(cluster, links);
  const [spec] = shown.replicationSpecs;
  const [region] = spec?.regionConfigs ?? [];
  const withRegion = (change: object) => ({ replicationSpecs: [{ regionConfigs: [{ ...region, ...change }] }] });
  const cases: [object, string][] = [
    [{ name: 'other' }, 'name'],
    [{ clusterType: 'SHARDED' }, 'clusterType'],
    [{ mongoDBMajorVersion: '4.2' }, 'mongoDBMajorVersion'],
    [{ replicationSpecs: [] }, 'replicationSpecs'],
    [{ replicationSpecs: [spec, spec] }, 'replicationSpecs'],
    [withRegion({ electableSpecs: { nodeCount: 5 } }), 'replicationSpecs.0.regionConfigs.0.electableSpecs.nodeCount'],
    [withRegion({ regionName: 'US_EAST_1' }), 'replicationSpecs.0.regionConfigs.0.regionName'],
    [
      withRegion({ electableSpecs: { instanceSize: 'M30' } }),
      'replicationSpecs.0.regionConfigs.0.electableSpecs.instanceSize',
    ],
    [{ encryptionAtRestProvider: 'AWS' }, 'encryptionAtRestProvider'],
    [{ biConnector: { enabled: true } }, 'biConnector.enabled'],
    [{ tags: [{ key: 'team', value: 'shop' }] }, 'tags'],
  ];
  for (const [asked, path] of cases) assert.equal(changedFact(shown, asked), path);
});
