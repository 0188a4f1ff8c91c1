import type { CatalogReader } from '../../catalog/catalog.ts';
import {
  checkpointsEndedBefore,
  deleteCheckpoint,
  restorableCheckpoints,
  updateCheckpoint,
} from '../../catalog/checkpoints.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { must } from '../../lib/assert.ts';
import type { TaskHandler, TaskWork } from '../../tasks/handler.ts';
import type { DomainContext } from '../context.ts';
import type { CheckpointCapture } from './checkpoint-capture.ts';

const DAY_MS = 86_400_000;

export interface ReviewPorts {
  windowDaysOf: (reader: CatalogReader, clusterId: string) => Promise<number>;
  capture: Pick<CheckpointCapture, 'restorability'>;
}

/**
 * After slices were pruned: checkpoints behind the restore window go with them, and one that nothing leads to any more
 * says so.
 */
export function reviewedAfter(inner: TaskHandler, context: DomainContext, ports: ReviewPorts): TaskHandler {
  return {
    run: async (work) => {
      const end = await inner.run(work);
      if ('done' in end) await reviewCheckpoints(context, ports, work);
      return end;
    },
    settle: async (writer, task, end) => await inner.settle(writer, task, end),
  };
}

async function reviewCheckpoints(context: DomainContext, ports: ReviewPorts, work: TaskWork): Promise<void> {
  const { catalog, clock } = context;
  const clusterId = work.task.subjectId;
  const cluster = must(await findCluster(catalog.reader, clusterId), 'clusters are kept');
  const windowMs = (await ports.windowDaysOf(catalog.reader, clusterId)) * DAY_MS;
  const old = await checkpointsEndedBefore(catalog.reader, { clusterId, startedBeforeMs: clock.nowMs() - windowMs });
  await work.commit(async (writer) => {
    for (const { id } of old) await deleteCheckpoint(writer, id);
  });
  const restorable = await restorableCheckpoints(catalog.reader, clusterId);
  if (restorable.length === 0) return;
  const whyNot = await ports.capture.restorability(cluster);
  for (const checkpoint of restorable) {
    const reason = whyNot(checkpoint);
    if (reason === null) continue;
    await work.commit(async (writer) => await updateCheckpoint(writer, checkpoint.id, { restorable: 0, reason }));
    context.log.warn(
      { cluster: cluster.name, checkpoint: checkpoint.id, reason },
      'a checkpoint cannot be restored any more',
    );
  }
}
