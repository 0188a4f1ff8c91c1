import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, formatDuration } from '../../src/cli/sizes.ts';
import type { Column } from '../../src/cli/table.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createRepository, openRepository } from '../../src/repository/repository.ts';
import { checkRepository } from '../../src/repository/upkeep/check.ts';
import { openStoreAt, storeAccess } from '../../src/storage/open-store.ts';
import { createDirectory } from '../../test/support/mongod.ts';
import { startVersity } from '../../test/support/object-servers.ts';
import { ReplicaSet } from '../../test/support/replica-set.ts';
import { SAMPLE_DB } from '../demo/sample-cluster.ts';
import { measure } from './measured-work.ts';
import { writeSampleFiles } from './sample-files.ts';

const SEED = 20_261_122;
const CACHE_GB = 1;
/** Of each place, turn about, so that what else the machine does falls on both. */
const TRIES = 2;

const ids = createIdSource(systemClock, systemRandom);

export interface StoreFigures {
  store: string;
  dataBytes: number;
  storedBytes: number;
  /** First snapshot of everything. */
  snapshotMs: number;
  /** Every blob read, decompressed and hashed. */
  readMs: number;
  peakRssBytes: number;
}

/**
 * The same data to a directory and to an S3 server that writes to the same disk (in memory where there is one): the
 * difference is what the protocol costs.
 */
export async function measureStores(
  directory: string,
  bytes: number,
  say: (text: string) => void,
): Promise<StoreFigures[]> {
  say(`writing ${formatBytes(bytes)} of sample documents`);
  const files = await writeSampleFiles(directory, bytes, SEED);
  const server = await startVersity();
  const beside = await createDirectory();
  const source = await ReplicaSet.start({ name: 'source', cacheGb: CACHE_GB });
  try {
    await measure({ kind: 'load', uri: source.uri, db: SAMPLE_DB, files: [...files], indexes: false });
    await server.createBucket('bench');
    const { credentials } = server.place('bench');
    process.env.AWS_ACCESS_KEY_ID = credentials?.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = credentials?.secretAccessKey;
    const best = new Map<string, StoreFigures>();
    for (let tries = 1; tries <= TRIES; tries++) {
      for (const [store, place] of [
        ['directory', join(beside, `${tries}`)],
        ['S3', `s3://bench/${tries}?endpoint=${server.endpoint}`],
      ] as const) {
        say(`${store}, ${tries} of ${TRIES}`);
        const figures = { store, ...(await measureOne(source, place)) };
        const before = best.get(store);
        if (before === undefined || figures.snapshotMs < before.snapshotMs) best.set(store, figures);
      }
    }
    return [...best.values()];
  } finally {
    await source.stop();
    await server.stop();
    await rm(beside, { recursive: true, force: true });
  }
}

async function measureOne(source: ReplicaSet, place: string): Promise<Omit<StoreFigures, 'store'>> {
  const access = await storeAccess({ env: process.env });
  const context = { store: await openStoreAt(place, access), clock: systemClock, random: systemRandom };
  await createRepository(context, {});
  await source.client.db('admin').command({ fsync: 1 });
  const snapshot = { uri: source.uri, repository: place, clusterId: ids.next(), snapshotId: ids.next() };
  const taken = await measure({ kind: 'snapshot', ...snapshot, parentSnapshotId: null });
  const startedMs = systemClock.monotonicMs();
  const { problems } = await checkRepository(await openRepository(context, {}), { readData: true });
  if (problems.length > 0) throw new Error(`the repository at ${place} is damaged`);
  return {
    dataBytes: taken.bytes,
    storedBytes: taken.storedBytes ?? 0,
    snapshotMs: taken.ms,
    readMs: Math.round(systemClock.monotonicMs() - startedMs),
    peakRssBytes: taken.peakRssBytes,
  };
}

export const storeColumns: readonly Column[] = [
  { header: 'STORE' },
  { header: 'FIRST SNAPSHOT', align: 'right' },
  { header: 'OF DATA', align: 'right' },
  { header: 'STORED', align: 'right' },
  { header: 'READ AND HASHED', align: 'right' },
  { header: 'PEAK MEMORY', align: 'right' },
];

export function storeRows(figures: readonly StoreFigures[]): string[][] {
  return figures.map(({ store, dataBytes, storedBytes, snapshotMs, readMs, peakRssBytes }) => [
    store,
    formatDuration(snapshotMs),
    `${formatBytes((dataBytes / snapshotMs) * 1000)}/s`,
    formatBytes(storedBytes),
    formatDuration(readMs),
    formatBytes(peakRssBytes),
  ]);
}
