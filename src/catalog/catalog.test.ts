import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CamelCasePlugin, Kysely } from 'kysely';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { Bug } from '../lib/assert.ts';
import { Fault } from '../lib/errors.ts';
import { openCatalog } from './catalog.ts';
import { migrate, migrations } from './migrations/migrate.ts';
import type { Migration } from './migrations/migration.ts';
import { insertOrganization, listOrganizations } from './organizations.ts';
import { insertProject, listProjects } from './projects.ts';
import type { Tables } from './schema.ts';
import { readSetting, writeSetting } from './settings.ts';
import { sqliteDialect } from './sqlite.ts';

const everything = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const clock = new FakeClock();

function memoryDatabase(): Kysely<Tables> {
  return new Kysely<Tables>({ dialect: sqliteDialect(':memory:'), plugins: [new CamelCasePlugin()] });
}

test('a transaction that throws leaves nothing behind', async () => {
  const catalog = await openCatalog({ path: ':memory:', clock });
  await assert.rejects(
    catalog.transact(async (writer) => {
      await writeSetting(writer, 'instanceId', 'one');
      throw new Error('on purpose');
    }),
    /on purpose/,
  );
  assert.equal(await readSetting(catalog.reader, 'instanceId'), null);
  await catalog.transact(async (writer) => await writeSetting(writer, 'instanceId', 'two'));
  await catalog.transact(async (writer) => await writeSetting(writer, 'instanceId', 'three'));
  assert.equal(await readSetting(catalog.reader, 'instanceId'), 'three');
  await catalog.close();
});

test('inside a transaction only its writer may be used: anything else would wait for ever', async () => {
  const catalog = await openCatalog({ path: ':memory:', clock });
  await assert.rejects(
    catalog.transact(async () => await readSetting(catalog.reader, 'instanceId')),
    Bug,
  );
  await assert.rejects(
    catalog.transact(async () => await catalog.transact(async () => undefined)),
    Bug,
  );
  await catalog.close();
});

test('transactions started together run one after another', async () => {
  const catalog = await openCatalog({ path: ':memory:', clock });
  const order: string[] = [];
  await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      catalog.transact(async (writer) => {
        order.push(`${name} begins`);
        await writeSetting(writer, 'instanceId', name);
        order.push(`${name} ends`);
      }),
    ),
  );
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  await catalog.close();
});

test('a broken migration leaves the version before it, whole', async () => {
  const database = memoryDatabase();
  const broken: Migration = {
    version: migrations.length + 1,
    name: 'broken',
    statements: ['create table half (id text)', 'create table half (id text)'],
  };
  const options = { path: 'the catalog', clock };
  await assert.rejects(migrate(database, options, [...migrations, broken]), /already exists/);
  const mended: Migration = { ...broken, statements: ['create table half (id text)'] };
  assert.equal(await migrate(database, options, [...migrations, mended]), migrations.length + 1);
  await database.destroy();
});

test('a catalog of a newer version is refused, in words', async () => {
  const database = memoryDatabase();
  const options = { path: 'the catalog', clock };
  const next: Migration = { version: migrations.length + 1, name: 'from the future', statements: [] };
  await migrate(database, options, [...migrations, next]);
  await assert.rejects(migrate(database, options), (error) => {
    assert.ok(error instanceof Fault);
    assert.match(error.message, new RegExp(`schema version ${migrations.length + 1}`));
    assert.match(error.message, /a newer Tidemark wrote it/);
    assert.equal(error.hint, undefined, 'it is one sentence');
    return true;
  });
  await database.destroy();
});

test('who may see what: by organization, by project, by part of the name', async () => {
  const catalog = await openCatalog({ path: ':memory:', clock });
  await catalog.transact(async (writer) => {
    await insertOrganization(writer, { id: 'o1', name: 'Acme 100%', createdAtMs: 1 });
    await insertOrganization(writer, { id: 'o2', name: 'Beta', createdAtMs: 2 });
    await insertProject(writer, { id: 'p1', organizationId: 'o1', name: 'shop', createdAtMs: 1 });
    await insertProject(writer, { id: 'p2', organizationId: 'o1', name: 'crm', createdAtMs: 2 });
    await insertProject(writer, { id: 'p3', organizationId: 'o2', name: 'lab', createdAtMs: 3 });
  });
  const organizations = async (visibleTo: Parameters<typeof listOrganizations>[1]['visibleTo'], nameFilter?: string) =>
    (await listOrganizations(catalog.reader, { visibleTo, nameFilter, page: everything })).items.map((row) => row.id);
  const projects = async (visibleTo: Parameters<typeof listProjects>[1]['visibleTo']) =>
    (await listProjects(catalog.reader, { visibleTo, page: everything })).items.map((row) => row.id);
  assert.deepEqual(await organizations('everything'), ['o1', 'o2']);
  assert.deepEqual(await organizations({ organizationIds: [], projectIds: [] }), []);
  assert.deepEqual(await organizations({ organizationIds: [], projectIds: ['p3'] }), ['o2']);
  assert.deepEqual(await organizations('everything', ''), ['o1', 'o2']);
  assert.deepEqual(await organizations('everything', 'ACME'), ['o1']);
  assert.deepEqual(await organizations('everything', '0%'), ['o1']);
  assert.deepEqual(await organizations('everything', '%1'), []);
  assert.deepEqual(await projects({ organizationIds: ['o1'], projectIds: ['p3'] }), ['p1', 'p2', 'p3']);
  assert.deepEqual(await projects({ organizationIds: [], projectIds: ['p2'] }), ['p2']);
  assert.deepEqual(await projects({ organizationIds: [], projectIds: [] }), []);
  await catalog.close();
});
