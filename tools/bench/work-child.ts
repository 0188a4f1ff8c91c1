import { systemClock } from '../../src/lib/clock.ts';
import { describeError } from '../../src/lib/errors.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import { openStoreAt, storeAccess } from '../../src/storage/open-store.ts';
import { createSmallCollections } from './collections/small-collections.ts';
import { loadEverything } from './load-floor.ts';
import type { Measured, Work } from './measured-work.ts';
import { scanEverything } from './scan-floor.ts';
import { boundOfSnapshot } from './snapshot-bound.ts';

/** One measured piece of work, given as JSON in the first argument; prints what was measured as JSON. */

const KILOBYTE = 1024;
const signal = new AbortController().signal;
const log = createLogger('warn');

type Done = Omit<Measured, 'ms' | 'peakRssBytes'>;

/**
 * Loads the modules that the work needs: a service has loaded them long before, so the time that it takes is not the
 * work's.
 */
async function prepare(work: Work): Promise<() => Promise<Done>> {
  switch (work.kind) {
    case 'scan':
      return async () => await scanEverything(work.uri, work.db);
    case 'bound':
      return async () => await boundOfSnapshot(work.uri, work.db);
    case 'load':
      return async () => await loadEverything(work);
    case 'smallCollections':
      return async () => await createSmallCollections(work.uri, work.count);
    case 'snapshot':
      return await snapshot(work);
    case 'download':
      return await download(work);
    case 'restore':
      return await restore(work);
  }
}

async function open(place: string): Promise<Repository> {
  const store = await openStoreAt(place, await storeAccess({ env: process.env }));
  return await openRepository({ store, clock: systemClock, random: systemRandom }, {});
}

async function snapshot(work: Extract<Work, { kind: 'snapshot' }>): Promise<() => Promise<Done>> {
  const { takeSnapshot } = await import('../../src/engine/take/take-snapshot.ts');
  return async () => {
    const { clusterId, snapshotId, parentSnapshotId, uri } = work;
    const taken = await takeSnapshot({
      uri,
      repository: await open(work.repository),
      clusterId,
      clusterName: 'bench',
      projectId: clusterId,
      snapshotId,
      parent: parentSnapshotId === null ? null : { clusterId, snapshotId: parentSnapshotId },
      retention: {
        description: '',
        snapshotType: 'onDemand',
        frequencyType: 'ondemand',
        expiresAt: null,
        policyItems: [],
      },
      clock: systemClock,
      random: systemRandom,
      log,
      signal,
      report: () => undefined,
    });
    const { header, statistics } = taken;
    return {
      documents: header.documents,
      bytes: header.bytes,
      documentsRead: statistics.documentsRead,
      bytesRead: statistics.bytesRead + statistics.oplogBytesRead,
      storedBytes: header.writtenStoredBytes + taken.manifestBytes,
      rounds: statistics.rounds,
    };
  };
}

async function restore(work: Extract<Work, { kind: 'restore' }>): Promise<() => Promise<Done>> {
  const { restoreSnapshot } = await import('../../src/engine/restore/restore-snapshot.ts');
  const { readManifest } = await import('../../src/repository/manifests.ts');
  return async () => {
    const { clusterId, snapshotId, uri, skipVerify } = work;
    const repository = await open(work.repository);
    const restored = await restoreSnapshot(
      {
        repository,
        clusterId,
        snapshotId,
        uri,
        verifyContent: !skipVerify,
        clock: systemClock,
        log,
        signal,
        report: () => undefined,
      },
      await readManifest(repository, { clusterId, snapshotId }),
    );
    return { documents: restored.documents, bytes: restored.bytes };
  };
}

async function download(work: Extract<Work, { kind: 'download' }>): Promise<() => Promise<Done>> {
  const { gzipMembers } = await import('../../src/engine/archive/gzip-members.ts');
  const { writeArchive } = await import('../../src/engine/archive/write-archive.ts');
  const { readManifest } = await import('../../src/repository/manifests.ts');
  return async () => {
    const repository = await open(work.repository);
    const manifest = await readManifest(repository, work);
    const archive = writeArchive({ repository, manifest, signal });
    let fileBytes = 0;
    for await (const piece of work.compressed ? gzipMembers(archive) : archive) fileBytes += piece.length;
    return { documents: manifest.header.documents, bytes: manifest.header.bytes, fileBytes };
  };
}

const work = JSON.parse(process.argv[2] ?? '') as Work;
try {
  const perform = await prepare(work);
  const startedMs = systemClock.monotonicMs();
  const done = await perform();
  const ms = Math.round(systemClock.monotonicMs() - startedMs);
  process.stdout.write(JSON.stringify({ ...done, ms, peakRssBytes: process.resourceUsage().maxRSS * KILOBYTE }));
} catch (error) {
  console.error(`${work.kind}: ${describeError(error)}\n${error instanceof Error ? error.stack : ''}`);
  process.exitCode = 1;
}
