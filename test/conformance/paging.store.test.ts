import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import type { Operation } from '../../contract/operation.ts';
import { type OperationId, operations } from '../../contract/operations.ts';
import { problemsOf } from '../../contract/validate.ts';
import { must } from '../../src/lib/assert.ts';
import { sampleIds } from '../samples/rows.ts';
import { inApiWorld } from '../support/api-world.ts';
import { bucket } from './provocations/exports.ts';
import { type Asked, type Kit, kitOf } from './provocations/provocation.ts';
import { collectionRestore } from './provocations/restores.ts';

/**
 * Every paged list over HTTP, with 0, 1, 99, 100, 101 and 10,000 rows in the catalog, page by page. One row comes about
 * as rows do; the others are copies of it, since what is looked at is paging and not them.
 */
const counts = [0, 1, 99, 100, 101, 10_000];

/** What differs between copies, as SQL over their number `i`. */
type Copies = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface List {
  /** Makes the one row; gives how the list is asked for, where that takes more than the project and its cluster. */
  first(kit: Kit): Promise<Asked | undefined>;
  /** By table. */
  copies: Copies;
  /** How many rows are there before the first: lists of what a test cannot be without begin with one. */
  before?: 1;
  /** What is asked while there is nothing; left out where there is no way to ask then. */
  empty?: Asked | 'cannot be';
}

const id = `printf('%024x', i)`;
const letter = (divisor: number) => `char(65 + i / ${divisor} % 26)`;
const region = `'US_' || ${[17_576, 676, 26, 1].map(letter).join(' || ')}`;
const cidr = `printf('10.%d.%d.%d/32', i / 65536, i / 256 % 256, i % 256)`;

async function apiKey({ did }: Kit): Promise<string> {
  return String((await did('createOrgApiKey', { body: { desc: 'one', roles: ['ORG_READ_ONLY'] } })).id);
}

async function account({ did }: Kit, operationId: 'createOrgServiceAccount' | 'createGroupServiceAccount') {
  const roles = operationId === 'createOrgServiceAccount' ? ['ORG_MEMBER'] : ['GROUP_READ_ONLY'];
  const body = { name: 'ci', description: 'd', secretExpiresAfterHours: 24, roles };
  return String((await did(operationId, { body })).clientId);
}

const entry = [{ ipAddress: '203.0.113.7' }];
const entries: Copies = { access_list_entries: { id, cidr_block: cidr } };
/** The POST adds an entry that is there already and answers with the list. */
const posting = (asked: Asked = {}): Asked => ({ ...asked, body: entry });

const callers = {
  listOrgApiKeys: {
    first: async (kit) => void (await apiKey(kit)),
    copies: { api_keys: { id, public_key: `printf('%08x', i)` } },
  },
  listGroupApiKeys: {
    first: async ({ did }) => void (await did('createGroupApiKey')),
    copies: { api_keys: { id, public_key: `printf('%08x', i)` }, role_assignments: { id, principal_id: id } },
  },
  listOrgServiceAccounts: {
    first: async (kit) => void (await account(kit, 'createOrgServiceAccount')),
    copies: { service_accounts: { id, client_id: `'mdb_sa_id_' || ${id}` } },
  },
  listGroupServiceAccounts: {
    first: async (kit) => void (await account(kit, 'createGroupServiceAccount')),
    copies: {
      service_accounts: { id, client_id: `'mdb_sa_id_' || ${id}` },
      role_assignments: { id, principal_id: id },
    },
  },
  getOrgServiceAccountGroups: {
    first: async (kit) => ({ params: { clientId: await account(kit, 'createGroupServiceAccount') } }),
    empty: 'cannot be',
    copies: { projects: { id, name: id }, role_assignments: { id, project_id: id } },
  },
  listOrgApiKeyAccessListEntries: {
    first: async (kit) => {
      const params = { apiUserId: await apiKey(kit) };
      await kit.did('createOrgApiKeyAccessListEntry', { params, body: entry });
      return { params };
    },
    empty: 'cannot be',
    copies: entries,
  },
  createOrgApiKeyAccessListEntry: {
    first: async (kit) => posting({ params: { apiUserId: await apiKey(kit) } }),
    empty: 'cannot be',
    copies: entries,
  },
  listOrgServiceAccountAccessList: {
    first: async (kit) => {
      const params = { clientId: await account(kit, 'createOrgServiceAccount') };
      await kit.did('createOrgServiceAccountAccessList', { params, body: entry });
      return { params };
    },
    empty: 'cannot be',
    copies: entries,
  },
  createOrgServiceAccountAccessList: {
    first: async (kit) => posting({ params: { clientId: await account(kit, 'createOrgServiceAccount') } }),
    empty: 'cannot be',
    copies: entries,
  },
  listGroupServiceAccountAccessList: {
    first: async (kit) => {
      const params = { clientId: await account(kit, 'createGroupServiceAccount') };
      await kit.did('createGroupServiceAccountAccessList', { params, body: entry });
      return { params };
    },
    empty: 'cannot be',
    copies: entries,
  },
  createGroupServiceAccountAccessList: {
    first: async (kit) => posting({ params: { clientId: await account(kit, 'createGroupServiceAccount') } }),
    empty: 'cannot be',
    copies: entries,
  },
  listGroupAccessListEntries: {
    first: async ({ did }) => void (await did('createGroupAccessListEntry', { body: entry })),
    copies: entries,
  },
  createGroupAccessListEntry: { first: async () => posting(), empty: 'cannot be', copies: entries },
} satisfies Partial<Record<OperationId, List>>;

const jobs: List = {
  first: async (kit) => {
    const body = kit.restoreOf({ snapshotId: await kit.completed() });
    await kit.did('createGroupClusterBackupRestoreJob', { body });
    return undefined;
  },
  copies: { restore_jobs: { id } },
};
const snapshots: List = {
  first: async (kit) => void (await kit.completed()),
  copies: { snapshots: { id, requested_at_ms: 't.requested_at_ms - i * 3600000' } },
};
const clusters: List = { first: async () => undefined, before: 1, copies: { clusters: { id, name: `'c' || i` } } };
const projects: List = { first: async () => undefined, before: 1, copies: { projects: { id, name: id } } };

/** An export job as its row stands, and a checkpoint: how they come about is the concern of other tests. */
const inserted =
  (table: 'export_jobs' | 'checkpoints'): List['first'] =>
  async (kit) => {
    const { clusterId } = (await kit.did('getGroupClusterBackupSchedule')) as unknown as { clusterId: string };
    const snapshotId = await kit.completed();
    const { exportBucketId } = await bucket(kit);
    const { reader } = kit.world.catalog;
    if (table === 'export_jobs')
      await sql`insert into export_jobs (id, cluster_id, snapshot_id, export_bucket_id, state, prefix, custom_data,
          exported_collections, total_collections, created_at_ms, finished_at_ms)
          values (${sampleIds.cluster}, ${clusterId}, ${snapshotId}, ${exportBucketId}, 'Successful', 'p', '[]', 1, 1, 1, 2)`.execute(
        reader,
      );
    else
      await sql`insert into checkpoints (id, cluster_id, started_at_ms, restorable)
          values (${sampleIds.cluster}, ${clusterId}, 1, 0)`.execute(reader);
    return undefined;
  };

const lists: Partial<Record<OperationId, List>> = {
  ...callers,
  getOrgGroups: projects,
  listGroups: projects,
  listGroupClusters: clusters,
  listRegisteredClusters: clusters,
  listGroupClusterBackupSnapshots: snapshots,
  listGroupClusterSnapshots: snapshots,
  listGroupClusterBackupRestoreJobs: jobs,
  listGroupClusterRestoreJobs: jobs,
  listGroupClusterCollectionRestoreJobs: {
    first: async (kit) => void (await collectionRestore(kit)),
    copies: { collection_restore_jobs: { id } },
  },
  listGroupClusterCollectionRestoreJobCollections: {
    first: async (kit) => ({ params: { jobId: await collectionRestore(kit) } }),
    empty: 'cannot be',
    copies: { restored_collections: { position: 'i', source: `'orders.c' || i` } },
  },
  listGroupBackupExportBuckets: {
    first: async (kit) => void (await bucket(kit)),
    copies: { export_buckets: { id } },
  },
  listGroupClusterBackupExports: { first: inserted('export_jobs'), copies: { export_jobs: { id } } },
  listGroupClusterBackupCheckpoints: { first: inserted('checkpoints'), copies: { checkpoints: { id } } },
  listGroupBackupPrivateEndpoints: {
    first: async ({ did }) => void (await did('createGroupBackupPrivateEndpoint')),
    copies: { private_endpoints: { id, region_name: region } },
  },
};

/**
 * Of what is never there, and those whose rows are no rows: each has a test of its own below, or is another list's
 * twin.
 */
const elsewhere = new Set<OperationId>([
  'listOrgs',
  'listGroupTeams',
  'listGroupUsers',
  'listOrgUsers',
  'listGroupContainers',
  'listGroupFlexClusters',
  'listGroupClusterBackupSnapshotDatabases',
  'listGroupClusterBackupSnapshotDatabaseCollections',
]);

test('every paged list is gone through here', () => {
  const paged = (Object.entries(operations) as [OperationId, Operation][]).filter(
    ([, { paging }]) => paging !== 'none',
  );
  for (const [operationId] of paged)
    assert.ok(operationId in lists || elsewhere.has(operationId), `${operationId}: say how its rows come about`);
});

/** Copies of the first row of each table, numbered from `from` up to but not including `to`. */
async function copy({ world }: Kit, copies: Copies, from: number, to: number): Promise<void> {
  if (to <= from) return;
  // Behind the catalog's back, which follows what transactions write: these are no changes that anybody made.
  const { reader } = world.catalog;
  for (const [table, differing] of Object.entries(copies)) {
    const { rows } = await sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(reader);
    const columns = rows.map(({ name }) => name);
    const values = columns.map((name) => differing[name] ?? `t.${name}`);
    const statement = `insert into ${table} (${columns.join(', ')})
      with recursive n (i) as (select ${from} union all select i + 1 from n where i < ${to - 1})
      select ${values.join(', ')} from n, (select * from ${table} order by rowid limit 1) t`;
    await sql.raw(statement).execute(reader);
  }
}

interface Body {
  results: { [part: string]: string }[];
  totalCount?: number;
  links: { rel: string; href: string }[];
}

async function pageThrough(kit: Kit, asked: Asked, count: number): Promise<void> {
  const operation: Operation = operations[kit.operationId];
  const { success, versions, paging } = operation;
  const schema = must(versions.at(-1)?.response, 'a list answers');
  const get = async (query: string, status: number = success): Promise<Body> => {
    const response = await kit.ask({ ...asked, query });
    assert.equal(response.statusCode, status, `${query}: ${response.body}`);
    return response.json();
  };
  const size = count > 1000 ? 500 : 100;
  const pages = Math.max(1, Math.ceil(count / size));
  const seen = new Set<string>();
  for (let pageNum = 1; pageNum <= pages; pageNum++) {
    const body = await get(`?itemsPerPage=${size}&pageNum=${pageNum}`);
    if (body.results.length <= 1) assert.deepEqual(problemsOf(schema, body), []);
    assert.equal(body.totalCount, count);
    assert.equal(body.results.length, Math.min(size, count - (pageNum - 1) * size));
    for (const row of body.results) seen.add(JSON.stringify(row));
    const link = (wanted: string) => body.links.find(({ rel }) => rel === wanted)?.href;
    const counted = paging === 'counted' ? 'includeCount=true&' : '';
    assert.ok(link('self')?.endsWith(`?${counted}pageNum=${pageNum}&itemsPerPage=${size}`), link('self'));
    const to = (n: number) => `?${counted}itemsPerPage=${size}&pageNum=${n}`;
    assert.equal(link('next')?.endsWith(to(pageNum + 1)), pageNum < pages ? true : undefined);
    assert.equal(link('previous')?.endsWith(to(pageNum - 1)), pageNum > 1 ? true : undefined);
  }
  assert.equal(seen.size, count, 'each row once');
  const beyond = await get(`?pageNum=${pages * 5 + 7}`);
  assert.deepEqual([beyond.results, beyond.totalCount], [[], count]);
  const zeroth = await get('?pageNum=0');
  assert.equal(zeroth.results.length, Math.min(count, 100));
  if (paging === 'counted') assert.ok(!('totalCount' in (await get('?includeCount=false'))));
  for (const wrong of ['itemsPerPage=-1', 'itemsPerPage=501', 'itemsPerPage=x', 'pageNum=-1'])
    await get(`?${wrong}`, 400);
}

for (const [operationId, list] of Object.entries(lists) as [OperationId, List][]) {
  test(`${operationId}: 0, 1, 99, 100, 101 and 10,000 rows`, async () => {
    await inApiWorld(async (it) => {
      const kit = kitOf({ ...it, api: { ...it.api, projectToken: it.api.organizationToken } }, operationId);
      const { first, copies, empty = {}, before = 0 } = list;
      let there = before;
      if (before === 0 && empty !== 'cannot be') await pageThrough(kit, empty, 0);
      const asked = (await first(kit)) ?? {};
      there = 1;
      if (asked.body !== undefined) await kit.ask(asked);
      for (const count of counts.filter((each) => each >= 1)) {
        await copy(kit, copies, there, count);
        there = count;
        await pageThrough(kit, asked, count);
      }
    });
  });
}

test('listOrgs: as many as the caller has a role in, its own among them', async () => {
  await inApiWorld(async (it) => {
    let there = 1;
    for (const count of counts.filter((each) => each >= 1)) {
      await copy(kitOf(it, 'listOrgs'), { organizations: { id, name: id } }, there, count);
      there = count;
      const { rows } = await sql<{ id: string }>`select id from organizations`.execute(it.world.catalog.reader);
      const roles = rows.map((row) => ({ role: 'ORG_MEMBER', organizationId: row.id, projectId: null }) as const);
      const organizationToken = await it.api.tokenWithRoles(roles);
      await pageThrough(kitOf({ ...it, api: { ...it.api, organizationToken } }, 'listOrgs'), {}, count);
    }
  });
});

test('databases and collections of a snapshot, which a manifest names', async () => {
  await inApiWorld(async (it) => {
    for (const count of counts) {
      it.world.manifests.held = Array.from({ length: count }, (_, n) => ({ db: `d${n}`, collection: 'c' }));
      const kit = kitOf(it, 'listGroupClusterBackupSnapshotDatabases');
      await pageThrough(kit, { params: { snapshotId: await kit.completed() } }, count);
      if (count === 0) continue;
      it.world.manifests.held = Array.from({ length: count }, (_, n) => ({ db: 'd', collection: `c${n}` }));
      const inside = kitOf(it, 'listGroupClusterBackupSnapshotDatabaseCollections');
      await pageThrough(inside, { params: { snapshotId: await inside.completed(), databaseName: 'd' } }, count);
    }
  });
});

for (const operationId of [
  'listGroupTeams',
  'listGroupUsers',
  'listOrgUsers',
  'listGroupContainers',
  'listGroupFlexClusters',
] as const) {
  test(`${operationId}: nothing, on every page`, async () => {
    await inApiWorld(async (it) => await pageThrough(kitOf(it, operationId), {}, 0));
  });
}
