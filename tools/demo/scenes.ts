import { formatBytes, formatNumberOf } from '../../src/cli/sizes.ts';
import { repositoryPathOf } from '../../src/config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Progress, ReportProgress } from '../../src/lib/progress.ts';
import { systemRandom } from '../../src/lib/random.ts';
import type { ManifestHeader } from '../../src/repository/format/manifest.ts';
import { listManifests, readManifest } from '../../src/repository/manifests.ts';
import { openRepository } from '../../src/repository/repository.ts';
import { DirectoryStore } from '../../src/storage/directory.ts';
import { until } from '../../test/support/replica-set.ts';
import type { AtlasClient } from './atlas-client.ts';
import type { Stage } from './stage.ts';

const VERSION = '2024-05-30';
const POLL_MS = 150;

export interface Scene {
  stage: Stage;
  atlas: AtlasClient;
  projectId: string;
  clusterName: string;
  dataDir: string;
  /** The server's, JSON lines. */
  log: readonly string[];
  signal: AbortSignal;
}

export interface SnapshotFigures {
  id: string;
  ms: number;
  clusterTime: { t: number; i: number };
  dataBytes: number;
  readBytes: number;
  storedBytes: number;
}

/** What the repository says of a snapshot: its manifest, straight from disk. */
async function headerOf(dataDir: string, snapshotId: string): Promise<ManifestHeader> {
  const store = await DirectoryStore.open(repositoryPathOf(dataDir));
  const repository = await openRepository({ store, clock: systemClock, random: systemRandom }, {});
  for await (const { clusterId, snapshotId: found } of listManifests(repository, {})) {
    if (found === snapshotId) return (await readManifest(repository, { clusterId, snapshotId })).header;
  }
  throw new Error(`the repository holds no manifest of snapshot ${snapshotId}`);
}

/** The service logs what each snapshot read, and from which member. */
interface Reading {
  source: string;
  documentsRead: number;
  bytesRead: number;
  oplogBytesRead: number;
}

async function readingOf(log: readonly string[], snapshotId: string): Promise<Reading> {
  // The line comes through another pipe than the answer that told us of the end.
  const line = await until('the service has logged what it read', async () => {
    return log.findLast((one) => one.includes('snapshot taken') && one.includes(snapshotId)) ?? null;
  });
  return JSON.parse(line) as Reading;
}

/** `POST …/backup/snapshots`, then asked after until it has ended. */
export async function runSnapshot(title: string, scene: Scene): Promise<SnapshotFigures> {
  const { atlas, stage } = scene;
  const path = `/api/atlas/v2/groups/${scene.projectId}/clusters/${scene.clusterName}/backup/snapshots`;
  return await stage.act(title, async (report) => {
    const startedMs = systemClock.monotonicMs();
    const requested = await atlas.post<{ id: string }>(path, { description: title, retentionInDays: 3 }, VERSION);
    const status = async () => (await atlas.get<{ status: string }>(`${path}/${requested.id}`, VERSION)).status;
    const taskPath = taskPathOf(scene, `snapshots/${requested.id}`);
    const ended = await untilEnded(scene, taskPath, report, status);
    if (ended === 'failed') {
      throw new Error(`the snapshot failed: ${(await atlas.get<WireTask>(taskPath)).failureReason}`);
    }
    const ms = systemClock.monotonicMs() - startedMs;
    const header = await headerOf(scene.dataDir, requested.id);
    const reading = await readingOf(scene.log, requested.id);
    return {
      result: {
        id: requested.id,
        ms,
        clusterTime: header.clusterTime,
        dataBytes: header.bytes,
        readBytes: reading.bytesRead + reading.oplogBytesRead,
        storedBytes: header.writtenStoredBytes,
      },
      outcome:
        `${formatBytes(header.bytes)} as of one cluster time; read ${formatNumberOf(reading.documentsRead, 'document')} from ${reading.source}, ` +
        `stored ${formatBytes(header.writtenStoredBytes)}`,
    };
  });
}

/** `POST …/backup/restoreJobs` with delivery type automated. */
export async function runRestore(
  title: string,
  scene: Scene,
  snapshotId: string,
  targetClusterName: string,
): Promise<{ ms: number }> {
  const { atlas, stage } = scene;
  const path = `/api/atlas/v2/groups/${scene.projectId}/clusters/${scene.clusterName}/backup/restoreJobs`;
  return await stage.act(title, async (report) => {
    const startedMs = systemClock.monotonicMs();
    const body = { deliveryType: 'automated', snapshotId, targetClusterName, targetGroupId: scene.projectId };
    const job = await atlas.post<{ id: string }>(path, body, VERSION);
    const status = async () => {
      const now = await atlas.get<{ finishedAt?: string; failed?: boolean; cancelled?: boolean }>(
        `${path}/${job.id}`,
        VERSION,
      );
      return now.failed || now.cancelled ? 'failed' : now.finishedAt !== undefined ? 'completed' : 'inProgress';
    };
    const taskPath = taskPathOf(scene, `restoreJobs/${job.id}`);
    const ended = await untilEnded(scene, taskPath, report, status);
    if (ended === 'failed') {
      throw new Error(`the restore failed: ${(await atlas.get<WireTask>(taskPath)).failureReason}`);
    }
    return {
      result: { ms: systemClock.monotonicMs() - startedMs },
      outcome: `restore job ${job.id} into ${targetClusterName}`,
    };
  });
}

async function untilEnded(
  scene: Scene,
  taskPath: string,
  report: ReportProgress,
  status: () => Promise<string>,
): Promise<string> {
  for (;;) {
    const now = await status();
    if (now === 'completed' || now === 'failed') return now;
    const { progress } = await scene.atlas.get<WireTask>(taskPath);
    if (progress !== null) report(fromWire(progress));
    await systemClock.sleep(POLL_MS, scene.signal);
  }
}

/** How the work is getting on: Atlas has no word for that, so it is asked of Tidemark's own API. */
function taskPathOf(scene: Scene, subject: string): string {
  return `/api/tidemark/v1/groups/${scene.projectId}/clusters/${scene.clusterName}/${subject}/task`;
}

interface WireTask {
  failureReason: string | null;
  progress: (Omit<Progress, 'subject'> & { namespace: string | null }) | null;
}

/** Null stands for "not known" on the wire, absence for it here. */
function fromWire({ namespace, ...figures }: NonNullable<WireTask['progress']>): Progress {
  const known = Object.entries({ ...figures, subject: namespace }).filter(([, value]) => value !== null);
  return Object.fromEntries(known) as unknown as Progress;
}
