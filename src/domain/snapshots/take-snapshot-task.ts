import type { CatalogWriter } from '../../catalog/catalog.ts';
import { findCluster, updateCluster, uriContext } from '../../catalog/clusters.ts';
import type { ClusterRow, SnapshotRow, TaskRow } from '../../catalog/schema.ts';
import { findSnapshot, newestCompletedSnapshot, updateSnapshot } from '../../catalog/snapshots.ts';
import { assert, must } from '../../lib/assert.ts';
import type { TaskHandler, TaskWork } from '../../tasks/handler.ts';
import { pinSnapshot } from '../../tasks/queue.ts';
import type { ProbedCluster } from '../cluster-facts/cluster-probe.ts';
import { factsOf } from '../cluster-facts/live-facts.ts';
import type { DomainContext } from '../context.ts';
import type { SnapshotName } from '../names.ts';
import { balancerRecord, giveBackBalancer } from './balancer-holds.ts';
import { queueManifestDeletion } from './discard-snapshot.ts';
import type { ManifestFacts, Manifests, SnapshotEngine } from './snapshot-engine.ts';
import { completedColumns, manifestRetention } from './snapshot-row.ts';
import { nextSnapshotStatus } from './snapshot-state.ts';

interface Started {
  row: SnapshotRow;
  cluster: ClusterRow;
  parent: SnapshotName | null;
}

export interface TakeSnapshotPorts {
  engine: SnapshotEngine;
  manifests: Manifests;
  /** In the transaction that completes it. */
  whenCompleted: (writer: CatalogWriter, row: SnapshotRow) => Promise<void>;
}

/**
 * Takes a requested snapshot: pin the parent, run the engine, complete the row. The manifest is the commit: an attempt
 * that finds the manifest of an earlier one, which was cut off before it could write the row, takes that over instead
 * of taking the snapshot again.
 */
export function takeSnapshotHandler(context: DomainContext, ports: TakeSnapshotPorts): TaskHandler {
  return {
    run: async (work) => {
      const started = await work.commit(async (writer) => await start(writer, context, work.task));
      if (work.task.generation > 1) await giveBackBalancer(context, ports.engine, started.cluster, work.task.id);
      const earlier = await manifestOfEarlierAttempt(ports.manifests, work, started.row);
      const facts = earlier ?? (await takeOnce(context, ports, work, started));
      assert(facts.header.snapshotId === started.row.id, 'the manifest is that of the snapshot');
      return {
        done: async (writer) => await ports.whenCompleted(writer, await complete(writer, started.row.id, facts)),
      };
    },

    settle: async (writer, task, { reason }) => {
      const row = must(await findSnapshot(writer, task.subjectId), 'the row of a snapshot stays');
      await updateSnapshot(writer, row.id, {
        status: nextSnapshotStatus(row.status, 'fail'),
        failureReason: reason,
        finishedAtMs: context.clock.nowMs(),
      });
      // A process that ended between its manifest and its row may have left one; failed means that there is none.
      if (task.attempts > 0) await queueManifestDeletion(writer, context, row.id);
    },
  };
}

async function start(writer: CatalogWriter, context: DomainContext, task: TaskRow): Promise<Started> {
  const row = must(await findSnapshot(writer, task.subjectId), 'a task is queued together with its snapshot');
  const cluster = must(await findCluster(writer, row.clusterId), 'a snapshot belongs to a cluster');
  const parent = await newestCompletedSnapshot(writer, {
    clusterId: cluster.id,
    requestedSinceMs: cluster.registeredAtMs,
  });
  const pin = parent === undefined ? null : { clusterId: cluster.id, snapshotId: parent.id };
  await pinSnapshot(writer, task, pin);
  const status = nextSnapshotStatus(row.status, 'start');
  await updateSnapshot(writer, row.id, { status, startedAtMs: row.startedAtMs ?? context.clock.nowMs() });
  return { row, cluster, parent: pin };
}

async function manifestOfEarlierAttempt(
  manifests: Manifests,
  work: TaskWork,
  row: SnapshotRow,
): Promise<ManifestFacts | null> {
  if (work.task.generation === 1) return null;
  return await manifests.read({ clusterId: row.clusterId, snapshotId: row.id }, work.signal);
}

/**
 * Takes the snapshot; where that fails because a worker that had lost its lease finished it meanwhile, its manifest
 * counts.
 */
async function takeOnce(
  context: DomainContext,
  ports: TakeSnapshotPorts,
  work: TaskWork,
  started: Started,
): Promise<ManifestFacts> {
  try {
    return await take(context, ports, work, started);
  } catch (error) {
    if (work.signal.aborted) throw error;
    const meanwhile = await manifestOfEarlierAttempt(ports.manifests, work, started.row).catch(() => null);
    if (meanwhile === null) throw error;
    return meanwhile;
  }
}

async function take(
  context: DomainContext,
  { engine }: TakeSnapshotPorts,
  work: TaskWork,
  { row, cluster, parent }: Started,
): Promise<ManifestFacts> {
  const sealedUri = must(cluster.sealedUri, 'a cluster is not removed while a snapshot of it waits');
  const uri = context.secretBox.open(sealedUri, uriContext(cluster.id));
  return await engine.take({
    uri,
    clusterId: cluster.id,
    clusterName: cluster.name,
    projectId: cluster.projectId,
    snapshotId: row.id,
    parent,
    retentionAt: (finishedAtMs) => manifestRetention(row, finishedAtMs),
    balancerRecord: balancerRecord(context, work, cluster.id),
    whenFound: async (facts) => await noteCluster(context, work, { row, cluster }, facts),
    signal: work.signal,
    report: work.report,
  });
}

/**
 * What the cluster says of itself now: the catalog's own picture of it grows old, and a snapshot in progress shows what
 * it is taken from.
 */
async function noteCluster(
  context: DomainContext,
  work: TaskWork,
  { row, cluster }: { row: SnapshotRow; cluster: ClusterRow },
  facts: ProbedCluster,
): Promise<void> {
  const { replicaSetName, mongodVersion, featureCompatibilityVersion } = facts;
  await work.commit(async (writer) => {
    await updateCluster(writer, cluster.id, factsOf(facts, context.clock.nowMs()));
    await updateSnapshot(writer, row.id, { replicaSetName, mongodVersion, featureCompatibilityVersion });
  });
}

async function complete(writer: CatalogWriter, snapshotId: string, facts: ManifestFacts): Promise<SnapshotRow> {
  const row = must(await findSnapshot(writer, snapshotId), 'the row of a snapshot stays');
  const columns = completedColumns(facts);
  assert(nextSnapshotStatus(row.status, 'complete') === columns.status, 'a snapshot in progress completes');
  await updateSnapshot(writer, snapshotId, columns);
  return { ...row, ...columns };
}
