import type { Timestamp64 } from '../../bson/timestamp.ts';
import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { clustersThatCopyOplogs, copySettingsOf } from '../../catalog/schedules.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { hasUnfinishedTaskWithKey, pinnedSnapshots } from '../../catalog/tasks.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { must } from '../../lib/assert.ts';
import type { TaskHandler, TaskWork } from '../../tasks/handler.ts';
import { enqueueTask } from '../../tasks/queue.ts';
import type { Duty } from '../../tasks/timer.ts';
import type { DomainContext } from '../context.ts';
import { isCaptured } from '../continuous-backup/capture-task.ts';
import { capturedReplicaSets, knownSnapshots, uselessSlices } from '../continuous-backup/captured-replica-sets.ts';
import { restoreWindowDays } from '../continuous-backup/restore-window.ts';
import type { CopyStores } from './copy-stores.ts';

/** A copy is behind by about this and the tailer's own lag. */
const COPY_EVERY_MS = 30_000;

function oplogCopiesKey(clusterId: string): string {
  return `oplogCopies/${clusterId}`;
}

/**
 * Brings a cluster's captured oplog into the regions whose copy setting says `shouldCopyOplogs`, again and again for as
 * long as one does and the cluster is captured; then what was copied is deleted, as the repository's own slices are. A
 * region that fails keeps no other waiting.
 */
export function copyOplogsHandler(context: DomainContext, stores: CopyStores): TaskHandler {
  const { catalog } = context;
  return {
    run: async (work) => {
      const cluster = must(await findCluster(catalog.reader, work.task.subjectId), 'clusters are kept');
      const wanted = await regionsOf(catalog.reader, cluster);
      const failures: unknown[] = [];
      for (const regionName of new Set([...wanted, ...stores.regions])) {
        try {
          await bringUpToDate(context, stores, work, { cluster, regionName, wanted: wanted.includes(regionName) });
        } catch (error) {
          throwIfAborted(work.signal);
          context.log.warn(
            { err: error, cluster: cluster.name, region: regionName },
            'a captured oplog was not copied',
          );
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
      return wanted.length > 0 ? { againAfterMs: COPY_EVERY_MS } : { done: async () => {} };
    },
    settle: async () => {},
  };
}

async function regionsOf(reader: CatalogReader, cluster: ClusterRow): Promise<string[]> {
  if (!isCaptured(cluster)) return [];
  const settings = await copySettingsOf(reader, cluster.id);
  return settings.filter(({ shouldCopyOplogs }) => shouldCopyOplogs === 1).map(({ regionName }) => regionName);
}

async function bringUpToDate(
  context: DomainContext,
  stores: CopyStores,
  { signal, report }: TaskWork,
  { cluster, regionName, wanted }: { cluster: ClusterRow; regionName: string; wanted: boolean },
): Promise<void> {
  const snapshots = await knownSnapshots(context.catalog.reader, cluster.id);
  const keepFrom = wanted ? await oldestOfUse(context, cluster, snapshots) : null;
  // A restore that is under way may be about to read any of them.
  const pinned = (await pinnedSnapshots(context.catalog.reader)).some((pin) => pin.clusterId === cluster.id);
  for (const replicaSetName of await capturedReplicaSets(context.catalog.reader, cluster, snapshots)) {
    const source = { clusterId: cluster.id, replicaSetName, regionName, signal };
    if (wanted) await stores.copyOplog({ ...source, keepFrom, report });
    if (!pinned && !(wanted && keepFrom === null)) await stores.deleteOplog({ ...source, upTo: keepFrom });
  }
}

async function oldestOfUse(
  { catalog, clock }: DomainContext,
  { id }: ClusterRow,
  snapshots: Awaited<ReturnType<typeof knownSnapshots>>,
): Promise<Timestamp64 | null> {
  const window = { nowMs: clock.nowMs(), restoreWindowDays: await restoreWindowDays(catalog.reader, id) };
  return await uselessSlices(catalog.reader, id, snapshots, window);
}

/**
 * In the transaction that asks for copies, and from time to time: true when there was no task yet, and there is
 * something to copy.
 */
export async function queueOplogCopies(
  writer: CatalogWriter,
  { ids, clock }: Pick<DomainContext, 'ids' | 'clock'>,
  cluster: ClusterRow,
): Promise<boolean> {
  const exclusiveKey = oplogCopiesKey(cluster.id);
  if (!isCaptured(cluster) || (await hasUnfinishedTaskWithKey(writer, exclusiveKey))) return false;
  await enqueueTask(writer, {
    id: ids.next(),
    kind: 'copyOplogs',
    subjectId: cluster.id,
    exclusiveKey,
    nowMs: clock.nowMs(),
  });
  return true;
}

/**
 * Sees to it that every captured cluster whose schedule asks for it has its oplog copied, whatever became of the last
 * task.
 */
export function copyOplogsDuty(context: DomainContext): Duty {
  const { catalog } = context;
  return {
    name: 'copy captured oplogs',
    run: async () => {
      for (const clusterId of await clustersThatCopyOplogs(catalog.reader)) {
        const cluster = must(await findCluster(catalog.reader, clusterId), 'clusters are kept');
        await catalog.transact(async (writer) => await queueOplogCopies(writer, context, cluster));
      }
    },
    nextDueMs: async () => null,
  };
}
