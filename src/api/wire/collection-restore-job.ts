import type {
  RestoredCollection as CollectionBody,
  CollectionRestoreJob as JobBody,
} from '../../../contract/collection-restore-jobs.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type {
  CollectionRestoreJob,
  RestoredCollection,
  RestoredNamespace,
} from '../../domain/restores/collection-restore-jobs.ts';
import { isoSeconds } from '../../lib/clock.ts';
import { timeIfKnown } from './times.ts';

/**
 * A collection restore job on the wire. Of a point in time the snapshot that it begins with is our affair; what was
 * asked for is the point.
 */
export function collectionRestoreJobBody(job: CollectionRestoreJob): ShapeOf<typeof JobBody> {
  const inTime = job.pointInTimeUtcSeconds !== null || job.oplogTs !== null;
  return {
    ...(job.collectionSuffix === null ? {} : { collectionSuffix: job.collectionSuffix }),
    ...(job.collections.length === 0 ? {} : { collections: job.collections.map(namespaceBody) }),
    createdAt: isoSeconds(job.createdAtMs),
    ...(job.databaseSuffix === null ? {} : { databaseSuffix: job.databaseSuffix }),
    ...(job.databases.length === 0 ? {} : { databases: job.databases.map(namespaceBody) }),
    ...(job.errorMessage === null ? {} : { errorMessage: job.errorMessage }),
    ...timeIfKnown('finishedAt', job.finishedAtMs),
    id: job.id,
    ...(job.indexState === null
      ? {}
      : { indexStatus: { failedCollectionCount: job.indexFailures, state: job.indexState } }),
    indexStrategy: job.indexStrategy,
    ...(job.oplogInc === null ? {} : { oplogInc: job.oplogInc }),
    ...(job.oplogTs === null ? {} : { oplogTs: job.oplogTs }),
    ...(job.pointInTimeUtcSeconds === null ? {} : { pointInTimeUtcSeconds: job.pointInTimeUtcSeconds }),
    restoredDocuments: job.restoredDocuments,
    ...(inTime ? {} : { snapshotId: job.snapshotId }),
    state: job.state,
    targetClusterName: job.targetClusterName,
    targetGroupId: job.targetProjectId,
    totalDocuments: job.totalDocuments,
    writeStrategy: job.writeStrategy,
  };
}

/** What a client may know of one collection of a job. */
export function restoredCollectionBody(collection: RestoredCollection): ShapeOf<typeof CollectionBody> {
  const { effectiveTarget, indexError } = collection;
  return {
    ...(effectiveTarget === null ? {} : { effectiveTargetNamespace: effectiveTarget }),
    indexStatus: { ...(indexError === null ? {} : { errorMessage: indexError }), state: collection.indexState },
    restoredDocuments: collection.restoredDocuments,
    sourceNamespace: collection.source,
    state: collection.state,
    targetNamespace: collection.target,
    totalDocuments: collection.totalDocuments,
  };
}

function namespaceBody({ source, target }: RestoredNamespace): { sourceNamespace: string; targetNamespace?: string } {
  return { sourceNamespace: source, ...(target === undefined ? {} : { targetNamespace: target }) };
}
