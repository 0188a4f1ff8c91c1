import assert from 'node:assert/strict';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import type { Operation } from '../../contract/operation.ts';
import { operations } from '../../contract/operations.ts';
import { httpRefusalRules } from '../../src/api/http-refusals.ts';
import { insertOrganization } from '../../src/catalog/organizations.ts';
import { insertProject } from '../../src/catalog/projects.ts';
import { sampleIds } from '../samples/rows.ts';
import { type ApiFixture, apiFixture } from './api-fixture.ts';
import { DomainWorld } from './domain-world.ts';

/**
 * The API over the real rules and a catalog in memory, with the engine in the test's hand: what clients do from the
 * first call to the last.
 */
export interface ApiWorld {
  world: DomainWorld;
  api: ApiFixture;
  /** `path` below the sample project; the version is that of both headers, as clients send it. */
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    path: string,
    version: string,
    body?: unknown,
  ): Promise<LightMyRequestResponse>;
}

/** What any operation may answer without listing it: about the caller, the request itself, and what its path names. */
const common = new Set([
  ...Object.keys(httpRefusalRules),
  'VALIDATION_ERROR',
  'MISSING_ATTRIBUTE',
  'INVALID_VERSION_DATE',
  'RESOURCE_NOT_FOUND',
  'GROUP_NOT_FOUND',
  'GROUP_NAME_NOT_FOUND',
  'CLUSTER_NOT_FOUND',
  'RATE_LIMITED',
]);

/** Codes that an operation answered although the contract does not list them for it. */
const unlisted: string[] = [];

function watchErrors(server: FastifyInstance): void {
  server.addHook('onSend', async (request, reply) => {
    const { operationId = '' } = request.routeOptions.config;
    const code = reply.getHeader('x-error-code');
    const operation: Operation | undefined = operations[operationId as keyof typeof operations];
    if (typeof code !== 'string' || operation === undefined || common.has(code)) return;
    if (!operation.errorCodes.includes(code)) unlisted.push(`${operationId} ${code}`);
  });
}

let shared: Promise<ApiFixture> | undefined;

/** One server for all the worlds of a file: it is the domain behind it that changes. */
async function sharedServer(): Promise<ApiFixture> {
  shared ??= apiFixture().then((api) => {
    watchErrors(api.server);
    return api;
  });
  return await shared;
}

/**
 * With one project and a cluster called `shop` in it. Fails where an operation answers an error that its contract does
 * not list.
 */
export async function inApiWorld(
  work: (it: ApiWorld) => Promise<void>,
  options: Parameters<typeof DomainWorld.open>[0] = {},
): Promise<void> {
  const api = await sharedServer();
  const world = await DomainWorld.open(options);
  try {
    const createdAtMs = world.clock.nowMs();
    const { organization: organizationId, project: projectId } = sampleIds;
    await world.catalog.transact(async (writer) => {
      await insertOrganization(writer, { id: organizationId, name: 'Acme', createdAtMs });
      await insertProject(writer, { id: projectId, organizationId, name: 'Shop', createdAtMs });
    });
    await world.register(projectId, 'shop');
    world.startWorker();
    Object.assign(api.domain, world.domain);
    await work({
      world,
      api,
      call: async (method, path, version, body) =>
        await api.call(method, `/api/atlas/v2/groups/${projectId}${path}`, {
          version,
          ...(body === undefined ? {} : { body }),
        }),
    });
    assert.deepEqual(unlisted.splice(0), [], 'the contract lists what is answered');
  } finally {
    await world.close();
  }
}
