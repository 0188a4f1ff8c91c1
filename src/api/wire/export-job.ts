import type { ExportJob as ExportJobBody } from '../../../contract/export-jobs.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type { ExportJob } from '../../domain/exports/export-jobs.ts';
import { isoSeconds } from '../../lib/clock.ts';
import { timeIfKnown } from './times.ts';

/**
 * An export job. `exportStatus` counts from zero and is always there; `components` only for a sharded cluster,
 * `stateReason` only when it failed, or left
 * something out.
 */
export function exportJobBody(job: ExportJob): ShapeOf<typeof ExportJobBody> {
  return {
    ...(job.components.length === 0 ? {} : { components: job.components }),
    createdAt: isoSeconds(job.createdAtMs),
    customData: job.customData,
    exportBucketId: job.exportBucketId,
    exportStatus: { exportedCollections: job.exportedCollections, totalCollections: job.totalCollections },
    ...timeIfKnown('finishedAt', job.finishedAtMs),
    id: job.id,
    prefix: job.prefix,
    snapshotId: job.snapshotId,
    state: job.state,
    ...(job.stateReason === null ? {} : { stateReason: job.stateReason }),
  };
}
