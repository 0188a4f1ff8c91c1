import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { closed, ObjectId, Paginated } from './primitives.ts';

const AwsRegion = Type.String({ pattern: '^[A-Z]{2,6}(_[A-Z]+)*(_[0-9])?$' });

/** `status` is INITIATED for good: the endpoint is kept and shown, no network is built for it. */
export const PrivateEndpoint = Type.Object(
  {
    cloudProvider: Type.Literal('AWS'),
    id: ObjectId,
    regionName: AwsRegion,
    status: Type.Literal('INITIATED'),
    vpcRegionName: AwsRegion,
  },
  closed,
);

const PrivateEndpointRequest = Type.Object({
  cloudProvider: Type.Optional(Type.Literal('AWS')),
  regionName: AwsRegion,
  vpcRegionName: Type.Optional(AwsRegion),
});

const endpoints = '/api/atlas/v2/groups/{groupId}/backup/{cloudProvider}/privateEndpoints' as const;
const own = { scope: 'project', anyOf: ['GROUP_OWNER'] } as const;
const date = '2024-11-13';

export const privateEndpointOperations = defineOperations({
  listGroupBackupPrivateEndpoints: {
    ...listing,
    aliases: ['listBackupPrivateEndpoints'],
    path: endpoints,
    access: own,
    versions: [{ date, response: Paginated(PrivateEndpoint) }],
  },
  createGroupBackupPrivateEndpoint: {
    ...reading,
    aliases: ['createBackupPrivateEndpoint'],
    method: 'POST',
    path: endpoints,
    access: own,
    versions: [{ date, request: PrivateEndpointRequest, response: PrivateEndpoint }],
    success: 201,
    documents400: true,
    errorCodes: ['MISSING_ATTRIBUTE', 'PRIVATE_ENDPOINT_ALREADY_EXISTS'],
  },
  getGroupBackupPrivateEndpoint: {
    ...reading,
    aliases: ['getBackupPrivateEndpoint'],
    path: `${endpoints}/{endpointId}`,
    access: own,
    versions: [{ date, response: PrivateEndpoint }],
    errorCodes: ['PRIVATE_ENDPOINT_NOT_FOUND'],
  },
  deleteGroupBackupPrivateEndpoint: {
    ...reading,
    aliases: ['deleteBackupPrivateEndpoint'],
    method: 'DELETE',
    path: `${endpoints}/{endpointId}`,
    access: own,
    versions: [{ date, response: null }],
    success: 204,
    answers: 'nothing',
    errorCodes: ['PRIVATE_ENDPOINT_NOT_FOUND'],
  },
});
