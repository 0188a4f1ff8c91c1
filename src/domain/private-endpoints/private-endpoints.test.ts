import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld } from '../../../test/support/domain-world.ts';
import { Refusal } from '../refusals/refusals.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

test('one private endpoint a region of a project, found there and nowhere else', async () => {
  await inWorld({}, async (world) => {
    const { projectId } = await world.withCluster();
    const other = await world.withCluster('other');
    const { privateEndpoints } = world.domain;
    const place = { projectId, cloudProvider: 'AWS' as const };
    const first = await privateEndpoints.create({ ...place, regionName: 'US_EAST_1' });
    assert.equal(first.vpcRegionName, 'US_EAST_1');
    const second = await privateEndpoints.create({ ...place, regionName: 'EU_WEST_1', vpcRegionName: 'EU_WEST_2' });
    await assert.rejects(
      privateEndpoints.create({ ...place, regionName: 'US_EAST_1' }),
      refused('PRIVATE_ENDPOINT_ALREADY_EXISTS'),
    );
    const listed = async () => (await privateEndpoints.list({ ...place, page })).items.map(({ id }) => id);
    assert.deepEqual(await listed(), [second.id, first.id]);
    const elsewhere = { ...place, projectId: other.projectId, endpointId: first.id };
    await assert.rejects(privateEndpoints.get(elsewhere), refused('PRIVATE_ENDPOINT_NOT_FOUND'));
    await assert.rejects(privateEndpoints.delete(elsewhere), refused('PRIVATE_ENDPOINT_NOT_FOUND'));
    await privateEndpoints.delete({ ...place, endpointId: first.id });
    await assert.rejects(
      privateEndpoints.get({ ...place, endpointId: first.id }),
      refused('PRIVATE_ENDPOINT_NOT_FOUND'),
    );
    await privateEndpoints.create({ ...place, regionName: 'US_EAST_1' });
    assert.equal((await listed()).length, 2);
  });
});
