import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { SeededRandom } from '../../../test/support/seeded-random.ts';
import { createAuthenticator } from '../../auth/authenticator.ts';
import { catalogAuthStores } from '../../auth/catalog-stores.ts';
import { Refusal } from '../refusals/refusals.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const hourMs = 3_600_000;

interface Places {
  world: DomainWorld;
  organization: { organizationId: string };
  project: { projectId: string };
  other: { projectId: string };
}

async function inPlaces(work: (places: Places) => Promise<void>): Promise<void> {
  await inWorld({}, async (world) => {
    const { id: organizationId } = await world.domain.organizations.create({ name: 'Acme' });
    const project = await world.domain.projects.create({ organizationId, name: 'Shop' });
    const other = await world.domain.projects.create({ organizationId, name: 'Lab' });
    await work({
      world,
      organization: { organizationId },
      project: { projectId: project.id },
      other: { projectId: other.id },
    });
  });
}

const roleNames = (roles: { roleName: string }[]) => roles.map(({ roleName }) => roleName);

test('a key is of its organization, and has roles in projects; a project knows only those with a role in it', async () => {
  await inPlaces(async ({ world, organization, project, other }) => {
    const { apiKeys } = world.domain;
    const made = await apiKeys.create({ place: organization, description: 'ci', roleNames: ['ORG_MEMBER'] });
    assert.match(made.publicKey, /^[a-z]{8}$/);
    assert.equal(made.privateKey.slice(-12), made.privateKeyTail);
    const apiKeyId = made.id;
    await assert.rejects(apiKeys.get({ place: project, apiKeyId }), refused('API_KEY_NOT_FOUND'));
    await apiKeys.assign({ ...project, apiKeyId, roleNames: ['GROUP_READ_ONLY', 'GROUP_READ_ONLY'] });
    await apiKeys.assign({ ...other, apiKeyId, roleNames: ['GROUP_OWNER'] });
    await apiKeys.update({
      place: project,
      apiKeyId,
      roleNames: ['GROUP_BACKUP_MANAGER', 'GROUP_SEARCH_INDEX_EDITOR'],
    });
    const seen = await apiKeys.get({ place: project, apiKeyId });
    assert.deepEqual(roleNames(seen.roles).sort(), [
      'GROUP_BACKUP_MANAGER',
      'GROUP_OWNER',
      'GROUP_SEARCH_INDEX_EDITOR',
      'ORG_MEMBER',
    ]);
    assert.ok(!('privateKey' in seen));
    await apiKeys.remove({ place: project, apiKeyId });
    assert.equal((await apiKeys.list({ place: project, page })).totalCount, 0);
    assert.deepEqual(roleNames((await apiKeys.get({ place: organization, apiKeyId })).roles), [
      'ORG_MEMBER',
      'GROUP_OWNER',
    ]);
    await apiKeys.remove({ place: organization, apiKeyId });
    await assert.rejects(apiKeys.get({ place: other, apiKeyId }), refused('API_KEY_NOT_FOUND'));
  });
});

test('a project gives no role of the organization, and an organization none of a project', async () => {
  await inPlaces(async ({ world, organization, project }) => {
    const { apiKeys, serviceAccounts } = world.domain;
    const key = { description: 'x' };
    const account = { name: 'x', description: 'x', secretExpiresAfterHours: 8 };
    for (const [place, names] of [
      [project, ['GROUP_OWNER', 'ORG_OWNER']],
      [organization, ['GROUP_OWNER']],
      [organization, []],
    ] as const) {
      await assert.rejects(apiKeys.create({ place, ...key, roleNames: names }), refused('VALIDATION_ERROR'));
      await assert.rejects(
        serviceAccounts.create({ place, ...account, roleNames: names }),
        refused('VALIDATION_ERROR'),
      );
    }
  });
});

test('two secrets at most, each for its time; a token ends with its secret', async () => {
  await inPlaces(async ({ world, organization }) => {
    const { serviceAccounts, organizations } = world.domain;
    const asked = { place: organization, name: 'ci', description: 'x', roleNames: ['ORG_MEMBER'] };
    const first = await serviceAccounts.create({ ...asked, secretExpiresAfterHours: 8 });
    const { clientId } = first;
    const again = { place: organization, clientId };
    const second = await serviceAccounts.createSecret({ ...again, secretExpiresAfterHours: 24 });
    assert.notEqual(first.secret, second.secret);
    assert.equal(second.expiresAtMs, world.clock.nowMs() + 24 * hourMs);
    await assert.rejects(
      serviceAccounts.createSecret({ ...again, secretExpiresAfterHours: 24 }),
      refused('SERVICE_ACCOUNT_SECRET_LIMIT_REACHED'),
    );
    const { clientCredentials, authenticate } = authenticatorOf(world);
    const tokenFor = async (secret: string) => {
      const body = `grant_type=client_credentials&client_id=${clientId}&client_secret=${secret}`;
      const answer = await clientCredentials.issueToken({ ...form, body });
      return answer.status === 200 ? String(answer.body?.access_token) : null;
    };
    const isLive = async (token: string | null) =>
      (await authenticate({ ...request, authorization: `Bearer ${token}` })).caller !== null;
    const tokens = { first: await tokenFor(first.secret), second: await tokenFor(second.secret) };
    assert.deepEqual([await isLive(tokens.first), await isLive(tokens.second)], [true, true]);
    await serviceAccounts.deleteSecret({ ...again, secretId: first.secrets[0]?.id ?? '' });
    assert.equal(await tokenFor(first.secret), null);
    assert.deepEqual([await isLive(tokens.first), await isLive(tokens.second)], [false, true]);
    await world.clock.leap(25 * hourMs);
    assert.equal(await tokenFor(second.secret), null);
    for (const secretExpiresAfterHours of [7, 8761])
      await assert.rejects(
        serviceAccounts.createSecret({ ...again, secretExpiresAfterHours }),
        refused('VALIDATION_ERROR'),
      );
    await organizations.updateSettings(organization.organizationId, { maxServiceAccountSecretValidityInHours: 10 });
    await assert.rejects(
      serviceAccounts.createSecret({ ...again, secretExpiresAfterHours: 11 }),
      refused('VALIDATION_ERROR'),
    );
    await serviceAccounts.createSecret({ ...again, secretExpiresAfterHours: 10 });
  });
});

const form = {
  authorization: undefined,
  contentType: 'application/x-www-form-urlencoded',
  remoteAddress: '192.0.2.1',
};
const request = { method: 'GET', target: '/', remoteAddress: '203.0.113.7' };

function authenticatorOf({ catalog, context, clock }: DomainWorld) {
  const { secretBox } = context;
  return createAuthenticator({
    stores: catalogAuthStores(catalog),
    clock,
    random: new SeededRandom(5),
    secretBox,
  });
}

test('from a project nobody gets a secret for an account whose rights reach beyond it', async () => {
  await inPlaces(async ({ world, organization, project, other }) => {
    const { serviceAccounts } = world.domain;
    const asked = { name: 'x', description: 'x', secretExpiresAfterHours: 8 };
    const owner = await serviceAccounts.create({ ...asked, place: organization, roleNames: ['ORG_OWNER'] });
    const { clientId } = owner;
    await serviceAccounts.assign({ ...project, clientId, roleNames: ['GROUP_READ_ONLY'] });
    const beyond = refused('SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT');
    const here = { place: project, clientId };
    const secretId = owner.secrets[0]?.id ?? '';
    await assert.rejects(serviceAccounts.createSecret({ ...here, secretExpiresAfterHours: 8 }), beyond);
    await assert.rejects(serviceAccounts.deleteSecret({ ...here, secretId }), beyond);
    await assert.rejects(serviceAccounts.forChange(here), beyond);
    await assert.rejects(serviceAccounts.update({ ...here, name: 'y' }), beyond);
    const own = await serviceAccounts.create({ ...asked, place: project, roleNames: ['GROUP_OWNER'] });
    await serviceAccounts.createSecret({ place: project, clientId: own.clientId, secretExpiresAfterHours: 8 });
    // Another project cannot take it out of its hands by inviting it, nor get a secret for it; the organization can
    // take it over, and it is the organization's then.
    const invited = { ...other, clientId: own.clientId, roleNames: ['GROUP_READ_ONLY'] };
    await assert.rejects(serviceAccounts.assign(invited), beyond);
    await serviceAccounts
      .createSecret({ place: project, clientId: own.clientId, secretExpiresAfterHours: 8 })
      .then(() => assert.fail('two secrets are there already'), refused('SERVICE_ACCOUNT_SECRET_LIMIT_REACHED'));
    await serviceAccounts.update({ place: organization, clientId: own.clientId, roleNames: ['ORG_MEMBER'] });
    await serviceAccounts.assign(invited);
    for (const place of [project, other])
      await assert.rejects(serviceAccounts.forChange({ place, clientId: own.clientId }), beyond);
    const member = await serviceAccounts.create({ ...asked, place: organization, roleNames: ['ORG_MEMBER'] });
    await serviceAccounts.assign({ ...project, clientId: member.clientId, roleNames: ['GROUP_READ_ONLY'] });
    await assert.rejects(serviceAccounts.forChange({ place: project, clientId: member.clientId }), beyond);
    await serviceAccounts.remove(here);
    await serviceAccounts.get({ place: organization, clientId });
  });
});

test('a project describes its own keys, and gives other keys roles only', async () => {
  await inPlaces(async ({ world, organization, project }) => {
    const { apiKeys } = world.domain;
    const owner = await apiKeys.create({ place: organization, description: 'the owner', roleNames: ['ORG_OWNER'] });
    await apiKeys.assign({ ...project, apiKeyId: owner.id, roleNames: ['GROUP_READ_ONLY'] });
    const here = { place: project, apiKeyId: owner.id };
    await assert.rejects(apiKeys.update({ ...here, description: 'x' }), refused('API_KEY_REACHES_BEYOND_PROJECT'));
    await apiKeys.update({ ...here, description: 'the owner', roleNames: ['GROUP_BACKUP_MANAGER'] });
    const found = await apiKeys.get({ place: organization, apiKeyId: owner.id });
    assert.deepEqual(
      [found.description, roleNames(found.roles).toSorted()],
      ['the owner', ['GROUP_BACKUP_MANAGER', 'ORG_OWNER']],
    );
    const own = await apiKeys.create({ place: project, description: 'x', roleNames: ['GROUP_READ_ONLY'] });
    await apiKeys.update({ place: project, apiKeyId: own.id, description: 'y' });
  });
});

test('nobody shuts the door behind themselves, and an organization keeps an owner who can call', async () => {
  await inPlaces(async ({ world, organization }) => {
    const { accessLists, apiKeys, organizations } = world.domain;
    const { organizationId } = organization;
    const mine = await apiKeys.create({ place: organization, description: 'x', roleNames: ['ORG_OWNER'] });
    const theirs = await apiKeys.create({ place: organization, description: 'y', roleNames: ['ORG_OWNER'] });
    const owner = { kind: 'apiKey', id: mine.id } as const;
    const asking = { ...owner, organizationId, address: '203.0.113.7' };
    const shutsOut = refused('CHANGE_SHUTS_OUT_CALLER');
    const required = { apiAccessListRequired: true };
    await assert.rejects(organizations.updateSettings(organizationId, required, asking), shutsOut);
    await assert.rejects(accessLists.add({ owner, entries: [{ ipAddress: '10.0.0.1' }], asking }), shutsOut);
    assert.deepEqual((await accessLists.list({ owner, page })).items, []);
    await accessLists.add({ owner, entries: [{ ipAddress: '10.0.0.1' }, { cidrBlock: '203.0.113.0/24' }], asking });
    await organizations.updateSettings(organizationId, required, asking);
    await assert.rejects(accessLists.remove({ owner, entry: '203.0.113.0/24', asking }), shutsOut);
    await accessLists.remove({ owner, entry: '10.0.0.1', asking });
    await assert.rejects(accessLists.remove({ owner, entry: '203.0.113.0/24', asking }), shutsOut);
    // The other owner has no list, so nobody could call if this one went.
    const here = { place: organization, apiKeyId: mine.id };
    await assert.rejects(apiKeys.remove(here), refused('CANNOT_REMOVE_LAST_OWNER'));
    await assert.rejects(apiKeys.update({ ...here, roleNames: ['ORG_MEMBER'] }), refused('CANNOT_REMOVE_LAST_OWNER'));
    await accessLists.add({ owner: { kind: 'apiKey', id: theirs.id }, entries: [{ ipAddress: '10.0.0.1' }], asking });
    await apiKeys.remove(here);
  });
});

test('an organization keeps a caller that owns it', async () => {
  await inPlaces(async ({ world, organization }) => {
    const { apiKeys, serviceAccounts } = world.domain;
    const key = await apiKeys.create({ place: organization, description: 'x', roleNames: ['ORG_OWNER'] });
    const last = refused('CANNOT_REMOVE_LAST_OWNER');
    const here = { place: organization, apiKeyId: key.id };
    await assert.rejects(apiKeys.remove(here), last);
    await assert.rejects(apiKeys.update({ ...here, roleNames: ['ORG_MEMBER'] }), last);
    assert.deepEqual(roleNames((await apiKeys.get(here)).roles), ['ORG_OWNER']);
    const asked = { name: 'x', description: 'x', secretExpiresAfterHours: 8 };
    const account = await serviceAccounts.create({ ...asked, place: organization, roleNames: ['ORG_OWNER'] });
    await apiKeys.remove(here);
    const { clientId } = account;
    await assert.rejects(serviceAccounts.remove({ place: organization, clientId }), last);
    const secretId = account.secrets[0]?.id ?? '';
    await assert.rejects(serviceAccounts.deleteSecret({ place: organization, clientId, secretId }), last);
    assert.equal((await serviceAccounts.get({ place: organization, clientId })).secrets.length, 1);
  });
});

test('an access list is kept in one form, and held against where a caller calls from', async () => {
  await inPlaces(async ({ world, organization }) => {
    const { accessLists, serviceAccounts, organizations } = world.domain;
    const asked = { name: 'x', description: 'x', secretExpiresAfterHours: 8 };
    const account = await serviceAccounts.create({ ...asked, place: organization, roleNames: ['ORG_READ_ONLY'] });
    const owner = { kind: 'serviceAccount', id: account.id } as const;
    const { clientCredentials, authenticate } = authenticatorOf(world);
    const body = `grant_type=client_credentials&client_id=${account.clientId}&client_secret=${account.secret}`;
    const issued = await clientCredentials.issueToken({ ...form, body });
    const authorization = `Bearer ${issued.body?.access_token}`;
    const admitted = async () => (await authenticate({ ...request, authorization })).caller !== null;
    assert.equal(await admitted(), true);
    await organizations.updateSettings(organization.organizationId, { apiAccessListRequired: true });
    assert.deepEqual(await authenticate({ ...request, authorization }), {
      caller: null,
      forbiddenAddress: '203.0.113.7',
      name: account.clientId,
    });
    await accessLists.add({ owner, entries: [{ cidrBlock: '203.0.113.99/24' }, { ipAddress: '10.0.0.1' }] });
    await accessLists.add({ owner, entries: [{ cidrBlock: '203.0.113.0/24' }] });
    const { items } = await accessLists.list({ owner, page });
    assert.deepEqual(
      items.map(({ cidrBlock, address }) => [cidrBlock, address]),
      [
        ['203.0.113.0/24', null],
        ['10.0.0.1/32', '10.0.0.1'],
      ],
    );
    assert.equal(await admitted(), true);
    const used = await accessLists.get({ owner, entry: '203.0.113.0/24' });
    assert.deepEqual([used.requests, used.lastUsedAddress, used.lastUsedAtMs], [1, '203.0.113.7', world.clock.nowMs()]);
    await accessLists.remove({ owner, entry: '203.0.113.0/24' });
    assert.equal(await admitted(), false);
    for (const entry of [
      {},
      { ipAddress: '1.1.1.1', cidrBlock: '1.1.1.1/32' },
      { ipAddress: 'x' },
      { cidrBlock: '1.1.1.1' },
    ])
      await assert.rejects(accessLists.add({ owner, entries: [entry] }), refused('VALIDATION_ERROR'));
    await assert.rejects(accessLists.get({ owner, entry: '9.9.9.9' }), refused('ACCESS_LIST_ENTRY_NOT_FOUND'));
  });
});

test('an entry that an older version wrote in another form is the same entry', async () => {
  await inPlaces(async ({ world, project }) => {
    const { accessLists } = world.domain;
    const owner = { kind: 'project', id: project.projectId } as const;
    await accessLists.add({ owner, entries: [{ ipAddress: '1:0:0:2::3' }] });
    const { id } = await accessLists.get({ owner, entry: '1:0:0:2:0:0:0:3' });
    await world.catalog.transact(async (writer) => {
      await writer
        .updateTable('accessListEntries')
        .set({ cidrBlock: '1::2:0:0:0:3/128' })
        .where('id', '=', id)
        .execute();
    });
    const { items } = await accessLists.list({ owner, page });
    assert.deepEqual(
      items.map(({ cidrBlock, address }) => [cidrBlock, address]),
      [['1:0:0:2::3/128', '1:0:0:2::3']],
    );
    await accessLists.add({ owner, entries: [{ ipAddress: '1:0:0:2::3', comment: 'again' }] });
    assert.equal((await accessLists.get({ owner, entry: '1:0:0:2::3' })).comment, 'again');
    await accessLists.remove({ owner, entry: '1:0:0:2::3' });
  });
});

test('an entry of a project can be for a time only', async () => {
  await inPlaces(async ({ world, project }) => {
    const { accessLists } = world.domain;
    const owner = { kind: 'project', id: project.projectId } as const;
    const deleteAfterMs = world.clock.nowMs() + hourMs;
    await accessLists.add({ owner, entries: [{ ipAddress: '::1', comment: 'home', deleteAfterMs }] });
    assert.equal((await accessLists.get({ owner, entry: '0:0::1' })).comment, 'home');
    await world.clock.leap(hourMs);
    await assert.rejects(accessLists.get({ owner, entry: '::1' }), refused('ACCESS_LIST_ENTRY_NOT_FOUND'));
    assert.equal((await accessLists.list({ owner, page })).totalCount, 0);
    await assert.rejects(
      accessLists.add({ owner, entries: [{ ipAddress: '::1', deleteAfterMs }] }),
      refused('VALIDATION_ERROR'),
    );
  });
});
