import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { insertCluster } from '../../src/catalog/clusters.ts';
import type { SnapshotRow } from '../../src/catalog/schema.ts';
import { insertSnapshot } from '../../src/catalog/snapshots.ts';
import { initDataDirectory } from '../../src/compose/make-data-directory.ts';
import { catalogPathOf } from '../../src/config.ts';
import { requestedSnapshot } from '../../src/domain/snapshots/snapshot-row.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { AtlasClient } from '../demo/atlas-client.ts';
import { bearer, closeConnections, digest, type Send } from './api-client.ts';

const CLUSTER = 'shop';
const SNAPSHOTS = 10_000;
const WARM_UP = 200;
const CALLS = 1_000;
const AT_ONCE = 8;

export interface CallFigures {
  call: string;
  credential: 'bearer' | 'digest';
  /** One call after another: how long one takes. */
  p50Ms: number;
  p99Ms: number;
  /** Eight at once: how many end in a second. */
  callsPerSecond: number;
  /** Of the server, for one call: what other work on the machine disturbs least. */
  cpuMs: number;
}

export interface ApiFigures {
  snapshots: number;
  /** Of the machine in the last minute before, so that a busy one shows. */
  loadBefore: number;
  calls: CallFigures[];
}

/**
 * Lists and gets over HTTP on the loopback interface, server and client in processes of their own. A digest call is two
 * requests.
 */
export async function measureApi(directory: string): Promise<ApiFigures> {
  const loadBefore = loadavg()[0] ?? 0;
  const dataDir = join(directory, 'api');
  const { apiKey, projectId, serviceAccount } = await initDataDirectory({ dataDir });
  const snapshotId = await fillCatalog(dataDir, projectId);
  const server = spawn(process.execPath, [fileURLToPath(new URL('./api-server.ts', import.meta.url)), dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: server.stdout });
    const [url] = (await once(lines, 'line')) as [string];
    const cpuMs: Cpu = async () => {
      const answered = once(lines, 'line');
      server.stdin.write('cpu\n');
      return Number((await answered)[0]);
    };
    const { clientId, secret: clientSecret } = serviceAccount;
    const { token } = await AtlasClient.connect(url, { clientId, clientSecret });
    const senders = [
      ['bearer', bearer(url, token)],
      ['digest', digest(url, apiKey.publicKey, apiKey.privateKey)],
    ] as const;
    const list = `/api/atlas/v2/groups/${projectId}/clusters/${CLUSTER}/backup/snapshots`;
    const paths = {
      'list, first 100': list,
      'list, last 100': `${list}?pageNum=${SNAPSHOTS / 100}`,
      'list, first 500': `${list}?itemsPerPage=500`,
      'get one': `${list}/${snapshotId}`,
    };
    const calls: CallFigures[] = [];
    for (const [credential, send] of senders) {
      for (const [call, path] of Object.entries(paths))
        calls.push({ call, credential, ...(await timed(send, path, cpuMs)) });
    }
    return { snapshots: SNAPSHOTS, loadBefore, calls };
  } finally {
    closeConnections();
    server.stdin.end();
    if (server.exitCode === null) await once(server, 'exit');
  }
}

/** Milliseconds of CPU that the server has used so far. */
type Cpu = () => Promise<number>;

async function timed(send: Send, path: string, cpuMs: Cpu): Promise<Omit<CallFigures, 'call' | 'credential'>> {
  for (let n = 0; n < WARM_UP; n++) await send(path);
  const cpuBefore = await cpuMs();
  const took: number[] = [];
  for (let n = 0; n < CALLS; n++) {
    const startedMs = systemClock.monotonicMs();
    await send(path);
    took.push(systemClock.monotonicMs() - startedMs);
  }
  const cpu = ((await cpuMs()) - cpuBefore) / CALLS;
  took.sort((a, b) => a - b);
  const startedMs = systemClock.monotonicMs();
  let left = CALLS;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await send(path);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const seconds = (systemClock.monotonicMs() - startedMs) / 1000;
  return {
    p50Ms: at(took, 0.5),
    p99Ms: at(took, 0.99),
    callsPerSecond: Math.round(CALLS / seconds),
    cpuMs: rounded(cpu),
  };
}

function at(sorted: readonly number[], part: number): number {
  return rounded(sorted[Math.floor(sorted.length * part)] ?? 0);
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** A cluster that was never asked anything, and its snapshots, an hour apart. Gives the id of one in the middle. */
async function fillCatalog(dataDir: string, projectId: string): Promise<string> {
  const catalog = await openCatalog({ path: catalogPathOf(dataDir), clock: systemClock });
  const ids = createIdSource(systemClock, systemRandom);
  const clusterId = ids.next();
  const nowMs = systemClock.nowMs();
  const unknown = { sealedUri: null, replicaSetName: null, mongodVersion: null, featureCompatibilityVersion: null };
  const times = { createdAtMs: nowMs, registeredAtMs: nowMs, probedAtMs: null, deletedAtMs: null };
  const cluster = {
    id: clusterId,
    projectId,
    name: CLUSTER,
    type: 'replicaSet' as const,
    displayUri: '',
    members: '[]',
  };
  const rows = Array.from({ length: SNAPSHOTS }, (_, n) => snapshotRow(ids.next(), clusterId, nowMs - n * 3_600_000));
  try {
    await catalog.transact(async (writer) => {
      await insertCluster(writer, { ...cluster, ...unknown, ...times, dataBytes: null });
      for (const row of rows) await insertSnapshot(writer, row);
    });
    return rows[SNAPSHOTS / 2]?.id ?? '';
  } finally {
    await catalog.close();
  }
}

function snapshotRow(id: string, clusterId: string, atMs: number): SnapshotRow {
  const requested = requestedSnapshot({
    id,
    clusterId,
    type: 'replicaSet',
    description: 'bench',
    nowMs: atMs,
    retentionMs: 1e12,
  });
  return {
    ...requested,
    status: 'completed',
    startedAtMs: atMs,
    finishedAtMs: atMs + 60_000,
    createdAtMs: atMs + 30_000,
    clusterTimeT: Math.floor(atMs / 1000),
    clusterTimeI: 1,
    replicaSetName: 'rs0',
    mongodVersion: '8.0.4',
    featureCompatibilityVersion: '8.0',
    collections: 10,
    documents: 1_000_000,
    dataBytes: 1e9,
    writtenPlainBytes: 1e7,
    writtenStoredBytes: 3e6,
    storageSizeBytes: 4e8,
  };
}
