import type { CollectionRecord } from '../../../src/engine/collections/collection-record.ts';
import { must } from '../../../src/lib/assert.ts';
import { sampleIds } from '../../samples/rows.ts';
import { restoring } from './clusters.ts';
import { asking, type Kit, nowhere, type Provocation, type Provocations } from './provocation.ts';
import { turnClusterSharded } from './sharded.ts';

/** Restore jobs in today's words and in the legacy ones, and of single collections. */

type Body = (change: Readonly<Record<string, unknown>>) => object;

const today: Body = (change) => ({
  deliveryType: 'automated',
  targetClusterName: 'shop',
  targetGroupId: sampleIds.project,
  ...change,
});
const legacy: Body = ({ targetGroupId = sampleIds.project, methodName = 'AUTOMATED_RESTORE', ...change }) => ({
  delivery: { methodName, targetGroupId, targetClusterName: 'shop' },
  ...change,
});
const collections: Body = (change) => ({
  targetClusterName: 'shop',
  targetGroupId: sampleIds.project,
  collections: [{ sourceNamespace: 'orders.customers' }],
  indexStrategy: 'ALL',
  writeStrategy: 'CREATE_NEW',
  ...change,
});

/** With the snapshot that `prepare` leaves. */
const of =
  (body: Body, prepare: (kit: Kit) => Promise<string>, change: object = {}): Provocation =>
  async (kit) =>
    await kit.ask({ body: body({ snapshotId: await prepare(kit), ...change }) });

const completed = async (kit: Kit) => await kit.completed();
const running = async (kit: Kit) => await kit.running();
const deleted = async (kit: Kit) => {
  const snapshotId = await kit.completed();
  await kit.did('deleteGroupClusterBackupSnapshot', { params: { snapshotId } });
  return snapshotId;
};
const ofPaused = async (kit: Kit) => {
  const snapshotId = await kit.completed();
  await kit.did('updateGroupCluster', { body: { paused: true } });
  return snapshotId;
};
const toAnotherKind = async (kit: Kit) => {
  const snapshotId = await kit.completed();
  await turnClusterSharded(kit);
  return snapshotId;
};
const besideAnother = async (kit: Kit) => {
  await restoring(kit);
  const { results } = (await kit.did('listGroupClusterBackupSnapshots')) as unknown as { results: { id: string }[] };
  return results[0]?.id ?? '';
};

/** A job whose collections are known: one, `orders.customers`. */
export async function collectionRestore(kit: Kit): Promise<string> {
  const body = collections({ snapshotId: await kit.completed() });
  const jobId = String((await kit.did('createGroupClusterCollectionRestoreJob', { body })).id);
  await kit.world.run();
  const record = {
    source: 'orders.customers',
    target: 'orders.customers',
    effectiveTarget: null,
    state: 'NOT_STARTED',
  };
  const counts = { totalDocuments: 3, restoredDocuments: 0, indexState: 'NOT_STARTED', indexError: null };
  const { journal } = must(kit.world.collectionRestores.at(-1), 'the restore has begun').request;
  await journal.begin([{ ...record, ...counts, stagedName: null, stagedUuid: null } as CollectionRecord]);
  return jobId;
}

/** A rebuild knows no task of it. */
const withoutTask: Provocation = async (kit) => {
  const jobId = await collectionRestore(kit);
  await kit.world.catalog.transact(async (writer) => {
    await writer.deleteFrom('tasks').execute();
  });
  return await kit.ask({ params: { jobId } });
};

const atSecond = (seconds: number) => ({ deliveryType: 'pointInTime', pointInTimeUTCSeconds: seconds });
const secondsNow = ({ world }: Kit) => Math.floor(world.clock.nowMs() / 1000);

/** What both vocabularies refuse. */
const either = (body: Body, inTime: (seconds: number) => Record<string, unknown>) => ({
  CANNOT_RESTORE_TO_TARGET: of(body, completed, { targetGroupId: nowhere }),
  CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT: of(body, deleted),
  CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT: of(body, running),
  CLUSTER_PAUSED_CANNOT_RESTORE: of(body, ofPaused),
  RESTORE_INITIATION_FAILED: of(body, toAnotherKind),
  ATLAS_CLUSTER_RESTORE_IN_PROGRESS: of(body, besideAnother),
  INVALID_PIT_RESTORE_TIME: (async (kit) => {
    await kit.completed();
    return await kit.ask({ body: body(inTime(secondsNow(kit) + 1_000)) });
  }) satisfies Provocation,
  UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME: (async (kit) =>
    await kit.ask({ body: body(inTime(secondsNow(kit) - 1_000)) })) satisfies Provocation,
});

/** A download of a snapshot that is being downloaded, or beside as many as a project may have. */
const beside =
  (body: Body, howMany: number): Provocation =>
  async (kit) => {
    const begun: string[] = [];
    for (let n = 0; n < howMany; n++) begun.push(await kit.completed());
    const snapshotId = howMany === 1 ? begun[0] : await kit.completed();
    // What is being prepared keeps the worker busy, so that the snapshots come first.
    for (const other of begun)
      await kit.did('createGroupClusterBackupRestoreJob', {
        body: today({ deliveryType: 'download', snapshotId: other }),
      });
    return await kit.ask({ body: body({ snapshotId }) });
  };

const downloads = (body: Body) => ({
  CANNOT_DOWNLOAD_SNAPSHOT_CONCURRENTLY: beside(body, 1),
  TOO_MANY_SNAPSHOT_DOWNLOADS: beside(body, 10),
});

/** What the repository tells of a document: this, of the collection `shop.orders`. */
const telling =
  (content: 'document' | 'absent' | 'unknown', change: object = {}): Provocation =>
  async (kit) => {
    kit.world.history = async function* () {
      const at = 1n << 32n;
      const document = content === 'document' ? Buffer.from([5, 0, 0, 0, 0]) : null;
      const none = { transaction: null, cause: null, shardName: null, moved: false } as const;
      const common = { kind: 'version', at, uuid: '0'.repeat(32), ...none } as const;
      yield { ...common, operation: 'update', namespace: 'shop.orders', content, document };
    };
    return await kit.ask({
      body: { namespace: 'shop.orders', id: 7, at: { date: '2026-09-21T14:13:20Z', increment: 1 }, ...change },
    });
  };

const ofNoReplicaSet: Provocation = async (kit) => {
  await kit.world.catalog.transact(async (writer) => {
    await writer.updateTable('clusters').set({ replicaSetName: null }).execute();
  });
  return await kit.ask();
};

export const restoreProvocations: Provocations = {
  listDocumentHistory: { DOCUMENT_HISTORY_UNSUPPORTED: ofNoReplicaSet },
  restoreDocument: {
    DOCUMENT_HISTORY_UNSUPPORTED: ofNoReplicaSet,
    CANNOT_RESTORE_TO_TARGET: telling('document', { targetGroupId: nowhere }),
    DOCUMENT_VERSION_NOT_FOUND: telling('absent'),
    DOCUMENT_VERSION_UNKNOWN: telling('unknown'),
    DOCUMENT_EXISTS: async (kit) => {
      kit.world.putResult = 'exists';
      return await telling('document')(kit);
    },
    CLUSTER_PAUSED_CANNOT_RESTORE: async (kit) => {
      await kit.did('updateGroupCluster', { body: { paused: true } });
      return await kit.ask();
    },
    ATLAS_CLUSTER_RESTORE_IN_PROGRESS: async (kit) => {
      await restoring(kit);
      return await kit.ask();
    },
  },
  createGroupClusterBackupRestoreJob: {
    MISSING_ATTRIBUTE: asking({ body: { deliveryType: 'automated' } }),
    UNSUPPORTED_DELIVERY_METHOD: asking({ body: { deliveryType: 'carrierPigeon' } }),
    ...either(today, atSecond),
    ...downloads((change) => today({ ...change, deliveryType: 'download' })),
  },
  cancelGroupClusterBackupRestoreJob: {
    CANNOT_CANCEL_AUTOMATED_RESTORE: async (kit) => await kit.ask({ params: { restoreJobId: await restoring(kit) } }),
  },
  createGroupClusterRestoreJob: {
    MISSING_ATTRIBUTE: asking({ body: legacy({}) }),
    UNSUPPORTED_DELIVERY_METHOD: of(legacy, completed, { methodName: 'SCP' }),
    CHECKPOINT_RESTORE_UNSUPPORTED_FOR_REPLICA_SETS: asking({ body: legacy({ checkpointId: nowhere }) }),
    CHECKPOINT_NOT_FOUND: async (kit) => {
      await turnClusterSharded(kit);
      return await kit.ask({ body: legacy({ checkpointId: nowhere }) });
    },
    FRACTIONAL_TIMESTAMP: asking({ body: legacy({ pointInTimeUTCMillis: 1_700_000_000_001 }) }),
    ...either(legacy, (seconds) => ({ pointInTimeUTCMillis: seconds * 1000 })),
    ...downloads((change) => legacy({ ...change, methodName: 'HTTP' })),
  },
  getGroupClusterCollectionRestoreJobCollection: {
    RESOURCE_NOT_FOUND: async (kit) => await kit.ask({ params: { jobId: await collectionRestore(kit) } }),
  },
  getCollectionRestoreTask: { TASK_NOT_FOUND: withoutTask },
  cancelCollectionRestoreTask: { TASK_NOT_FOUND: withoutTask },
  createGroupClusterCollectionRestoreJob: {
    MISSING_ATTRIBUTE: asking({ body: collections({}) }),
    CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT: of(collections, running),
    CANNOT_RESTORE_TO_TARGET: of(collections, completed, { targetGroupId: nowhere }),
    CLUSTER_PAUSED_CANNOT_RESTORE: of(collections, ofPaused),
    ATLAS_CLUSTER_RESTORE_IN_PROGRESS: of(collections, besideAnother),
    INVALID_PIT_RESTORE_TIME: async (kit) => {
      await kit.completed();
      return await kit.ask({ body: collections({ pointInTimeUtcSeconds: secondsNow(kit) - 1 }) });
    },
    UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME: asking({
      body: collections({ pointInTimeUtcSeconds: 1_300_000_000 }),
    }),
    FEATURE_UNSUPPORTED: of(collections, toAnotherKind),
  },
};
