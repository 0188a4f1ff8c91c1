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
  const { atlas, stage, signal } = scene;
  const path = `/api/atlas/v2/groups/${scene.projectId}/clusters/${scene.clusterName}/backup/snapshots`;
  return await stage.act(title, async (report) => {
    const startedMs = systemClock.monotonicMs();
    const requested = await atlas.post<{ id: string }>(path, { description: title, retentionInDays: 3 }, VERSION);
    const status = async () => (await atlas.get<{ status: string }>(`${path}/${requested.id}`, VERSION)).status;
    const ended = await untilEnded(scene, requested.id, report, status, ['completed', 'failed'], signal);
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
  const { atlas, stage, signal } = scene;
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
    const ended = await untilEnded(scene, job.id, report, status, ['completed', 'failed'], signal);
    if (ended === 'failed') throw new Error(`the restore failed: ${(await taskOf(scene, job.id))?.lastError}`);
    return {
      result: { ms: systemClock.monotonicMs() - startedMs },
      outcome: `restore job ${job.id} into ${targetClusterName}`,
    };
  });
}

async function untilEnded(
  scene: Scene,
  subjectId: string,
  report: ReportProgress,
  status: () => Promise<string>,
  ends: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    const now = await status();
    if (ends.includes(now)) return now;
    const progress = (await taskOf(scene, subjectId))?.progress;
    if (progress !== null && progress !== undefined) report(fromWire(progress));
    await systemClock.sleep(POLL_MS, signal);
  }
}

interface WireTask {
  subjectId: string | null;
  lastError: string | null;
  progress: Record<keyof Progress, never> | null;
}

async function taskOf(scene: Scene, subjectId: string): Promise<WireTask | undefined> {
  const { results } = await scene.atlas.get<{ results: WireTask[] }>(
    `/api/tidemark/v1/groups/${scene.projectId}/tasks`,
  );
  return results.find((task) => task.subjectId === subjectId);
}

/** Null stands for "not known" on the wire, absence for it here. */
function fromWire(progress: Record<string, unknown>): Progress {
  return Object.fromEntries(Object.entries(progress).filter(([, value]) => value !== null)) as unknown as Progress;
}
