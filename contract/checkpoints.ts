import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { BsonTimestamp, closed, Links, ObjectId, Paginated, Time } from './primitives.ts';

export const Checkpoint = Type.Object(
  {
    clusterId: ObjectId,
    completed: Type.Optional(Time),
    groupId: ObjectId,
    id: ObjectId,
    links: Links,
    parts: Type.Array(
      Type.Object(
        {
          replicaSetName: Type.Optional(Type.String()),
          shardName: Type.Optional(Type.String()),
          tokenDiscovered: Type.Boolean(),
          tokenTimestamp: Type.Optional(BsonTimestamp),
          typeName: Type.Union([
            Type.Literal('REPLICA_SET'),
            Type.Literal('CONFIG_SERVER'),
            Type.Literal('CONFIG_SERVER_REPLICA_SET'),
          ]),
        },
        closed,
      ),
    ),
    restorable: Type.Boolean(),
    started: Time,
    timestamp: Type.Optional(Time),
  },
  closed,
);

const checkpoints = '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backupCheckpoints';
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
/** Legacy backup was closed to new clusters on this day; nothing superseded its operations. */
const legacy = { date: '2023-01-01', deprecated: '2020-03-23' } as const;

export const checkpointOperations = defineOperations({
  listGroupClusterBackupCheckpoints: {
    ...listing,
    aliases: ['listClusterBackupCheckpoints', 'listLegacyBackupCheckpoints'],
    path: checkpoints,
    access: read,
    versions: [{ ...legacy, response: Paginated(Checkpoint) }],
  },
  getGroupClusterBackupCheckpoint: {
    ...reading,
    aliases: ['getClusterBackupCheckpoint', 'getLegacyBackupCheckpoint'],
    path: `${checkpoints}/{checkpointId}`,
    access: read,
    versions: [{ ...legacy, response: Checkpoint }],
    documents400: true,
    errorCodes: ['CHECKPOINT_NOT_FOUND'],
  },
});
