import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createCredentialMint } from '../../src/auth/credential-mint.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { probedCluster } from '../../src/compose/probed-cluster.ts';
import { createContext } from '../../src/domain/context.ts';
import { createDomain, createDuties, createTaskHandlers, type DomainPorts } from '../../src/domain/create-domain.ts';
import { repositoryManifests } from '../../src/domain/repositories/repository-manifests.ts';
import { prepareDownload, readDownload } from '../../src/engine/archive/download.ts';
import { exportSnapshot } from '../../src/engine/export/export-snapshot.ts';
import { InlineTranscoder } from '../../src/engine/export/transcoding.ts';
import { restoreSnapshot } from '../../src/engine/restore/restore-snapshot.ts';
import { takeSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { SecretBox } from '../../src/lib/secret-box.ts';
import { describeCluster } from '../../src/mongo/topology.ts';
import { copySnapshot, deleteSnapshotCopy, openCopyRepository } from '../../src/repository/copy-snapshot.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import { createRepository, type Repository } from '../../src/repository/repository.ts';
import { MemoryStore } from '../../src/storage/memory.ts';
import { Timer } from '../../src/tasks/timer.ts';
import { Worker } from '../../src/tasks/worker.ts';
import { compareTruth } from '../support/compare.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { until, useReplicaSet } from '../support/replica-set.ts';
import { readTruth } from '../support/truth.ts';

/**
 * A schedule on a real replica set: real snapshots, real copies, and a clock that is moved through the days between
 * them.
 */

const REGION = 'EU_WEST_1';
const HOUR_MS = 3_600_000;
const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };

/**
 * The rules' ports on a real engine, as the service has them. What a snapshot says of its end is in the time of the
 * moved clock, as everything else of the rules.
 */
function realPorts(repository: Repository, copy: Repository, clock: FakeClock): DomainPorts {
  const log = silentLogger;
  const engine = { clock: systemClock, random: systemRandom, log };
  return {
    snapshotEngine: {
      take: async (request) => {
        const retention = request.retentionAt(clock.nowMs());
        await request.whenFound(probedCluster(await describeCluster(request.uri)));
        const taken = await takeSnapshot({ ...request, retention, repository, ...engine });
        const header = { ...taken.header, finishedAt: new Date(clock.nowMs()).toISOString() };
        return { header, storageSizeBytes: taken.referencedStoredBytes - taken.manifestBytes };
      },
      startBalancer: async () => await Promise.reject(new Error('no sharded cluster is here')),
    },
    checkpointEngine: {
      take: async () => await Promise.reject(new Error('no sharded cluster is here')),
      find: async () => await Promise.reject(new Error('no sharded cluster is here')),
    },
    downloadEngine: {
      prepare: async (request) => await prepareDownload({ ...request, repository }),
      read: (request) => readDownload({ ...request, repository }),
    },
    collectionRestoreEngine: {
      restore: async () => await Promise.reject(new Error('no collection is restored here')),
    },
    restoreEngine: {
      restore: async ({ regionName, point: _point, ...request }) =>
        await restoreSnapshot(
          {
            ...request,
            repository: regionName === REGION ? copy : repository,
            verifyContent: true,
            clock: systemClock,
            log,
          },
          await readManifest(regionName === REGION ? copy : repository, request),
        ),
    },
    exportEngine: {
      export: async (request) =>
        await exportSnapshot({ ...request, repository, transcoder: new InlineTranscoder(), log }),
    },
    manifests: repositoryManifests(repository),
    copyStores: {
      regions: [REGION],
      copy: async ({ signal, report, ...name }) => await copySnapshot(repository, copy, name, { signal, report }),
      copyOplog: async () => await Promise.reject(new Error('no oplog is captured here')),
      deleteOplog: async () => await Promise.reject(new Error('no oplog is captured here')),
      delete: async ({ signal, ...name }) => await deleteSnapshotCopy(copy, name, { signal }),
    },
    bucketStores: {
      open: async () => await Promise.reject(new Error('no bucket here')),
      check: async () => ({ problem: 'noBucket', reason: 'no bucket here' }),
    },
    catalogCopies: { encrypted: false, write: async () => undefined, readLatest: async () => null },
    captureEngine: {
      tail: async () => await Promise.reject(new Error('no oplog is captured here')),
      coverage: async () => ({ runs: [], gaps: [], storedBytes: 0 }),
      prune: async () => await Promise.reject(new Error('no oplog is captured here')),
    },
    documentHistory: {
      history: async function* () {},
      put: async () => await Promise.reject(new Error('no document is written here')),
    },
    probe: {
      describe: async (uri, call) => probedCluster(await describeCluster(uri, call)),
      missingPrivileges: async () => [],
      identityRefusal: () => 'there are no identities here',
      processSettings: async () => await Promise.reject(new Error('nobody asks for them here')),
    },
    credentialMint: createCredentialMint(systemRandom),
    cloudIdentities: { awsPrincipalArn: null, gcpServiceAccount: null },
    repository: { id: repository.repositoryId, encrypted: false, description: 'memory' },
  };
}

async function startService() {
  const clock = new FakeClock(systemClock.nowMs());
  const catalog = await openCatalog({ path: ':memory:', clock });
  const store = () => new MemoryStore(systemClock);
  const repository = await createRepository({ store: store(), clock: systemClock, random: systemRandom });
  const copy = await openCopyRepository(repository, store());
  const wake = { worker: () => {} };
  const parts = {
    catalog,
    clock,
    ids: createIdSource(clock, systemRandom),
    secretBox: new SecretBox(systemRandom.bytes(32), systemRandom),
    log: silentLogger,
  };
  const context = createContext(parts, () => wake.worker());
  const ports = realPorts(repository, copy, clock);
  const handlers = createTaskHandlers(context, ports);
  const common = { catalog, clock, random: systemRandom, owner: 'test', log: silentLogger, handlers };
  const worker = new Worker({ ...common, concurrency: 2 });
  wake.worker = () => worker.wake();
  const timer = new Timer({ clock, log: silentLogger, duties: createDuties(context) });
  worker.start();
  timer.start();
  return {
    clock,
    repository,
    domain: createDomain(context, ports),
    /** Days go by in one go; the timer wakes at the end of them. */
    pass: async (ms: number) => await clock.leap(ms),
    close: async () => {
      await timer.stop();
      await worker.stop();
      await catalog.close();
    },
  };
}

describe('a schedule on a real replica set', () => {
  const source = useReplicaSet({ name: 'scheduled' });
  const target = useReplicaSet({ name: 'restored', setParameters: { ttlMonitorEnabled: false } });

  test('takes a snapshot at each due time, copies it, lets it expire, and leaves a copy to restore', async () => {
    const { client, uri } = source();
    const orders = client.db('shop').collection<{ _id: number; n: number }>('orders');
    await orders.insertMany(Array.from({ length: 2_000 }, (_, _id) => ({ _id, n: 0 })));
    const service = await startService();
    const { domain, pass } = service;
    try {
      const { id: organizationId } = await domain.organizations.create({ name: 'Acme' });
      const { id: projectId } = await domain.projects.create({ organizationId, name: 'Shop' });
      await domain.clusters.register({ projectId, name: 'shop', uri });
      await domain.clusters.register({ projectId, name: 'spare', uri: target().uri });
      await domain.schedules.delete({ projectId, clusterName: 'spare' });
      const name = { projectId, clusterName: 'shop' };
      const kept = { frequencyType: 'hourly', retentionUnit: 'days' as const, retentionValue: 90 };
      const hourly = { frequencyType: 'hourly', frequencyInterval: 12, retentionUnit: 'days' as const };
      await domain.schedules.update({
        ...name,
        patch: {
          policies: [{ policyItems: [{ ...hourly, retentionValue: 2 }] }],
          copyPolicyItemsEnabled: true,
          copySettings: [{ regionName: REGION, zoneId: 'e'.repeat(24), copyPolicyItems: [kept] }],
        },
      });
      const snapshots = async () => (await domain.snapshots.list({ ...name, page })).items;
      const settledSnapshots = async (count: number) =>
        await until(`${count} snapshots with their copies`, async () => {
          const found = await snapshots();
          const failed = found.find((each) => each.status === 'failed');
          assert.equal(failed?.failureReason ?? null, null);
          const copied = found.filter((each) => each.copyRegions.includes(REGION));
          return copied.length === count ? found : null;
        });

      const { nextSnapshotMs } = await domain.schedules.get(name);
      await pass((nextSnapshotMs ?? 0) - service.clock.nowMs() + 1_000);
      const [first] = await settledSnapshots(1);
      assert.deepEqual([first?.snapshotType, first?.frequencyType], ['scheduled', 'hourly']);
      const before = await readTruth(client, null);

      await orders.updateMany({ _id: { $lt: 50 } }, { $inc: { n: 1 } });
      await pass(12 * HOUR_MS);
      const [second] = await settledSnapshots(2);
      assert.equal(second?.parentSnapshotId, first?.id);

      // Three days of standing still: both originals are over, one snapshot stands for all that were due.
      await pass(72 * HOUR_MS);
      const [third, ...others] = await settledSnapshots(3);
      assert.deepEqual(
        others.map(({ id }) => id),
        [second?.id, first?.id],
      );
      assert.equal(third?.status, 'completed');
      await until('the first manifest is gone', async () => {
        await pass(6_000);
        const firstName = { clusterId: first?.clusterId ?? '', snapshotId: first?.id ?? '' };
        return (await repositoryManifests(service.repository).read(firstName)) === null ? true : null;
      });

      const { id: restoreJobId } = await domain.restoreJobs.create({
        ...name,
        deliveryType: 'automated',
        snapshotId: first?.id ?? '',
        targetProjectId: projectId,
        targetClusterName: 'spare',
      });
      const job = await until('the restore from the copy', async () => {
        const found = await domain.restoreJobs.get({ ...name, restoreJobId });
        return found.finishedAtMs === null ? null : found;
      });
      assert.deepEqual([job.state, job.failureReason], ['completed', null]);
      assert.deepEqual(compareTruth(before, await readTruth(target().client, null)), []);
    } finally {
      await service.close();
    }
  });
});
