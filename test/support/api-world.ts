import type { LightMyRequestResponse } from 'fastify';
import { insertOrganization } from '../../src/catalog/organizations.ts';
import { insertProject } from '../../src/catalog/projects.ts';
import { type ApiFixture, apiFixture } from './api-fixture.ts';
import { DomainWorld } from './domain-world.ts';
import { sampleIds } from './sample-domain.ts';

/** The API over the real rules and a catalog in memory, with the engine in the test's hand: what clients do from the first call to the last. */
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

/** With one project and a cluster called `shop` in it. */
export async function inApiWorld(work: (it: ApiWorld) => Promise<void>): Promise<void> {
  const world = await DomainWorld.open();
  try {
    const createdAtMs = world.clock.nowMs();
    const { organization: organizationId, project: projectId } = sampleIds;
    await world.catalog.transact(async (writer) => {
      await insertOrganization(writer, { id: organizationId, name: 'Acme', createdAtMs });
      await insertProject(writer, { id: projectId, organizationId, name: 'Shop', createdAtMs });
    });
    await world.register(projectId, 'shop');
    world.startWorker();
    const api = await apiFixture({ domain: world.domain });
    await work({
      world,
      api,
      call: async (method, path, version, body) =>
        await api.call(method, `/api/atlas/v2/groups/${projectId}${path}`, {
          version,
          ...(body === undefined ? {} : { body }),
        }),
    });
  } finally {
    await world.close();
  }
}
