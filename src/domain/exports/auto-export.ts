import type { CatalogWriter } from '../../catalog/catalog.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { unfinishedExportOf } from '../../catalog/export-jobs.ts';
import type { SnapshotRow } from '../../catalog/schema.ts';
import { must } from '../../lib/assert.ts';
import type { DomainContext } from '../context.ts';
import { findStoredSchedule } from '../policies/stored-schedule.ts';
import { frequencyTypesOf } from '../snapshot-copies/copies.ts';
import { queueExport } from './queue-export.ts';

/**
 * In the transaction that completes a snapshot: an export, where its schedule asks for one of that frequency. A
 * snapshot for which several policy items were due counts for each of them (Atlas: of a week's and a month's snapshot
 * that fall together, an export of either frequency takes the one).
 */
export async function queueAutoExport(
  writer: CatalogWriter,
  context: Pick<DomainContext, 'ids' | 'clock' | 'log'>,
  snapshot: SnapshotRow,
): Promise<void> {
  const stored = await findStoredSchedule(writer, snapshot.clusterId);
  if (stored === undefined || stored.row.autoExportEnabled === 0 || snapshot.snapshotType !== 'scheduled') return;
  const exportBucketId = must(stored.row.exportBucketId, 'who exports has a bucket');
  const wanted = stored.row.exportFrequencyType;
  if (!frequencyTypesOf(snapshot, stored.items).some((type) => type === wanted)) return;
  if (await unfinishedExportOf(writer, snapshot.id)) return;
  const cluster = must(await findCluster(writer, snapshot.clusterId), 'a snapshot belongs to a cluster');
  const { job } = await queueExport(writer, context, { cluster, snapshot, exportBucketId, customData: [] });
  context.log.info({ cluster: cluster.name, snapshot: snapshot.id, exportJob: job.id }, 'an export was queued');
}
