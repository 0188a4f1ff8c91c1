import { formatBytes, formatNumberOf } from '../../src/cli/sizes.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Progress, ReportProgress } from '../../src/lib/progress.ts';
import type { AtlasClient } from './atlas-client.ts';
import type { Stage } from './stage.ts';
import { runTidemark } from './tidemark-process.ts';

const VERSION = '2024-05-30';
const POLL_MS = 150;

export interface Scene {
  stage: Stage;
  atlas: AtlasClient;
  projectId: string;
  clusterName: string;
  dataDir: string;
  signal: AbortSignal;
}

export interface SnapshotFigures {
  id: string;
  ms: number;
  clusterTime: { t: number; i: number };
  dataBytes: number;
  newBytes: number;
  storedBytes: number;
}

/** What `tidemark snapshot show --json` prints of what is used here. */
interface ShownSnapshot {
  clusterTime: { t: number; i: number };
  documents: number;
  dataBytes: number;
  writtenPlainBytes: number;
  writtenStoredBytes: number;
  failureReason: string | null;
}

/** `POST …/backup/snapshots`, then asked after until it has ended. */
export async function runSnapshot(title: string, scene: Scene): Promise<SnapshotFigures> {
  const { atlas, stage } = scene;
  const path = `/api/atlas/v2/groups/${scene.projectId}/clusters/${scene.clusterName}/backup/snapshots`;
  return await stage.act(title, async (report) => {
    const startedMs = systemClock.monotonicMs();
    const requested = await atlas.post<{ id: string }>(path, { description: title, retentionInDays: 3 }, VERSION);
    const status = async () => (await atlas.get<{ status: string }>(`${path}/${requested.id}`, VERSION)).status;
    const ended = await untilEnded(scene, taskPathOf(scene, `snapshots/${requested.id}`), report, status);
    const ms = systemClock.monotonicMs() - startedMs;
    const shown = (await runTidemark(['snapshot', 'show', requested.id, '--data-dir', scene.dataDir])) as ShownSnapshot;
    if (ended === 'failed') throw new Error(`the snapshot failed: ${shown.failureReason}`);
    return {
      result: {
        id: requested.id,
        ms,
        clusterTime: shown.clusterTime,
        dataBytes: shown.dataBytes,
        newBytes: shown.writtenPlainBytes,
        storedBytes: shown.writtenStoredBytes,
      },
      outcome:
        `${formatNumberOf(shown.documents, 'document')}, ${formatBytes(shown.dataBytes)} as of one cluster time; ` +
        `${formatBytes(shown.writtenPlainBytes)} new, stored as ${formatBytes(shown.writtenStoredBytes)}`,
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
