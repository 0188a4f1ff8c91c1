import { Type } from '@sinclair/typebox';
import { defineOperations, reading } from './operation.ts';
import { closed, Links, ObjectId } from './primitives.ts';

const RoleAssignment = Type.Object(
  { groupId: Type.Optional(ObjectId), orgId: Type.Optional(ObjectId), roleName: Type.String() },
  closed,
);

export const SystemStatus = Type.Object(
  {
    apiKey: Type.Union([
      Type.Object(
        {
          accessList: Type.Array(
            Type.Object({ cidrBlock: Type.String(), ipAddress: Type.Union([Type.String(), Type.Null()]) }, closed),
          ),
          id: ObjectId,
          publicKey: Type.String(),
          roles: Type.Array(RoleAssignment),
        },
        closed,
      ),
      Type.Null(),
    ]),
    appName: Type.Literal('MongoDB Atlas'),
    build: Type.String(),
    /** From where the caller calls, as access lists see it. */
    ipAddress: Type.String(),
    links: Links,
    throttling: Type.Boolean(),
  },
  closed,
);

export const systemStatusOperations = defineOperations({
  getSystemStatus: {
    ...reading,
    aliases: [],
    path: '/api/atlas/v2',
    access: { scope: 'caller' },
    versions: [{ date: '2023-01-01', response: SystemStatus }],
  },
});
