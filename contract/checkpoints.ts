import { Type } from '@sinclair/typebox';
import { defineOperations, listing } from './operation.ts';
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

export const checkpointOperations = defineOperations({
  listGroupClusterBackupCheckpoints: {
    ...listing,
    aliases: ['listClusterBackupCheckpoints', 'listLegacyBackupCheckpoints'],
    path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backupCheckpoints',
    access: { scope: 'project', anyOf: ['GROUP_READ_ONLY'] },
    // Legacy backup was closed to new clusters on this day; nothing superseded the operation.
    versions: [{ date: '2023-01-01', deprecated: '2020-03-23', response: Paginated(Checkpoint) }],
  },
});
