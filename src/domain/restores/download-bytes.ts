import type { DownloadRow, RestoreJobRow } from '../../catalog/schema.ts';
import { must } from '../../lib/assert.ts';
import type { DomainContext } from '../context.ts';
import type { DownloadEngine } from './download-task.ts';
import { isLost, noteLoss, type PlaceToRead, placesToRead } from './places-to-read.ts';
import { pointInTimeOf } from './restore-plan.ts';

/**
 * A file from its first byte to its last, from where it was prepared. Where that is lost on the way, another place goes
 * on with it: the bytes are the same wherever the snapshot is, so those that were given already are left out.
 */
export async function* downloadBytes(
  context: DomainContext,
  engine: DownloadEngine,
  { row, job, signal }: { row: DownloadRow; job: RestoreJobRow; signal: AbortSignal },
): AsyncGenerator<Buffer, void, undefined> {
  const snapshotId = must(job.snapshotId, 'a download names its snapshot');
  const others = (await placesToRead(context, snapshotId)).filter((place) => place !== row.regionName);
  let given = 0;
  for (let place: PlaceToRead = row.regionName; ; ) {
    try {
      let at = 0;
      for await (const piece of engine.read(requestOf({ row, job, snapshotId, signal }, place))) {
        const fresh = piece.subarray(Math.max(0, given - at));
        at += piece.length;
        if (fresh.length === 0) continue;
        given += fresh.length;
        yield fresh;
      }
      return;
    } catch (error) {
      const next = others.shift();
      if (next === undefined || !isLost(error) || signal.aborted) throw error;
      noteLoss(context, { snapshotId, tried: place, place: next }, error);
      place = next;
    }
  }
}

function requestOf(
  { row, job, snapshotId, signal }: { row: DownloadRow; job: RestoreJobRow; snapshotId: string; signal: AbortSignal },
  place: PlaceToRead,
): Parameters<DownloadEngine['read']>[0] {
  const { replicaSetName, writer } = row;
  return {
    clusterId: job.clusterId,
    snapshotId,
    ...(place === null ? {} : { regionName: place }),
    ...pointInTimeOf(job),
    replicaSetName,
    writer,
    signal,
  };
}
