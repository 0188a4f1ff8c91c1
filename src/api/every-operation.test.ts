import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Operation, patternOf } from '../../contract/operation.ts';
import { type OperationId, operations } from '../../contract/operations.ts';
import { ApiError } from '../../contract/primitives.ts';
import { problemsOf } from '../../contract/validate.ts';
import { sampleIds, sampleRestoreJobs, sampleSnapshots } from '../../test/samples/rows.ts';
import { type ApiFixture, apiFixture } from '../../test/support/api-fixture.ts';
import { acceptedBodies as bodies, parametersOf, refusing, samples, urlOf } from '../../test/support/sample-calls.ts';
import { projectRoles } from '../auth/roles.ts';
import { refusalRules } from '../domain/refusals/refusals.ts';
import { handlers } from './handlers.ts';
import { httpRefusalRules } from './http-refusals.ts';

const shared = apiFixture();
const table = Object.entries<Operation>(operations) as [OperationId, Operation][];

type CallOptions = Parameters<ApiFixture['call']>[2];

function ask(
  fixture: ApiFixture,
  operationId: OperationId,
  operation: Operation,
  url: string,
  options: CallOptions = {},
) {
  const body = bodies[operationId];
  const version = operation.negotiated ? operation.versions.at(-1)?.date : null;
  return fixture.call(operation.method, url, {
    version: version ?? null,
    ...(operation.access.scope === 'project' ? {} : { token: fixture.organizationToken }),
    ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    ...options,
  });
}

/** Status and code, after making sure that the whole answer is what every error is. */
function refusalIn(response: Awaited<ReturnType<typeof ask>>): string {
  const body = response.json();
  assert.deepEqual(problemsOf(ApiError, body), [], response.body);
  assert.equal(response.headers['content-type'], 'application/json');
  assert.equal(body.error, response.statusCode);
  return `${response.statusCode} ${body.errorCode}`;
}

test('contract and handlers name the same operations', () => {
  assert.deepEqual(Object.keys(handlers).sort(), Object.keys(operations).sort());
});

test('every code that the contract declares is one that we can refuse with', () => {
  for (const [operationId, { errorCodes }] of table) {
    for (const code of errorCodes) {
      assert.ok(code in refusalRules || code in httpRefusalRules, `${operationId}: ${code}`);
    }
  }
});

test('every operation answers in every version as its schema says', async (t) => {
  for (const [operationId, operation] of table) {
    await t.test(operationId, async () => {
      const fixture = await shared;
      fixture.renewCallers();
      for (const version of operation.versions) {
        const response = await ask(fixture, operationId, operation, urlOf(operation), {
          version: operation.negotiated ? version.date : null,
        });
        if (refusing[operationId] !== undefined) {
          assert.equal(refusalIn(response), refusing[operationId]);
          assert.ok(operation.errorCodes.includes(response.json().errorCode));
          continue;
        }
        assert.equal(response.statusCode, operation.success, response.body);
        if (version.response === null) assert.equal(response.body, '');
        else assert.deepEqual(problemsOf(version.response, response.json()), [], response.body);
        if (operation.answers === 'list' && version.response !== null) {
          const enveloped = await ask(
            fixture,
            operationId,
            operation,
            `${urlOf(operation)}?envelope=true&includeCount=false`,
            {
              version: operation.negotiated ? version.date : null,
            },
          );
          assert.deepEqual(problemsOf(version.response, enveloped.json()), [], enveloped.body);
        }
      }
    });
  }
});

test('snapshots and restore jobs in every state are as their schemas say', async () => {
  const fixture = await shared;
  for (const { id } of sampleSnapshots) {
    for (const operationId of [
      'getGroupClusterBackupSnapshot',
      'getGroupClusterBackupSnapshotShardedCluster',
    ] as const) {
      const operation = operations[operationId];
      const response = await ask(fixture, operationId, operation, urlOf(operation, { snapshotId: id }));
      assert.deepEqual(problemsOf(operation.versions[0].response, response.json()), [], response.body);
    }
  }
  const operation = operations.getGroupClusterBackupRestoreJob;
  for (const { id } of sampleRestoreJobs) {
    const response = await ask(
      fixture,
      'getGroupClusterBackupRestoreJob',
      operation,
      urlOf(operation, { restoreJobId: id }),
    );
    assert.deepEqual(problemsOf(operation.versions[0].response, response.json()), [], response.body);
  }
});

/** What bad input to an operation is answered with; undefined where the case does not exist for it. */
interface BadInput {
  name: string;
  expected: (operation: Operation, operationId: OperationId) => string | undefined;
  ask: (fixture: ApiFixture, operationId: OperationId, operation: Operation) => ReturnType<typeof ask>;
}

const has = (operation: Operation, parameter: string) => parametersOf(operation).includes(parameter);
const malformed = (operation: Operation, otherwise: string) =>
  operation.documents400 ? '400 VALIDATION_ERROR' : otherwise;
const withParameter =
  (parameter: string, value: string): BadInput['ask'] =>
  (fixture, operationId, operation) =>
    ask(fixture, operationId, operation, urlOf(operation, { [parameter]: value }));
const withQuery =
  (query: string): BadInput['ask'] =>
  (fixture, operationId, operation) =>
    ask(fixture, operationId, operation, `${urlOf(operation)}?${query}`);
const withOptions =
  (options: (fixture: ApiFixture) => CallOptions | Promise<CallOptions>): BadInput['ask'] =>
  async (fixture, operationId, operation) =>
    ask(fixture, operationId, operation, urlOf(operation), await options(fixture));
const withBody =
  (body: string): BadInput['ask'] =>
  (fixture, operationId, operation) =>
    ask(fixture, operationId, operation, urlOf(operation), { body, headers: { 'content-type': 'application/json' } });
const takesBody = (operation: Operation) => operation.versions.some(({ request }) => request !== undefined);

const notFound = {
  checkpointId: '404 CHECKPOINT_NOT_FOUND',
  endpointId: '404 PRIVATE_ENDPOINT_NOT_FOUND',
  exportBucketId: '404 EXPORT_BUCKET_NOT_FOUND',
  exportId: '404 EXPORT_JOB_NOT_FOUND',
  jobId: '404 RESTORE_JOB_NOT_FOUND',
  databaseName: '404 RESOURCE_NOT_FOUND',
  collectionName: '404 RESOURCE_NOT_FOUND',
} as const;
const otherIds = Object.keys(notFound) as (keyof typeof notFound)[];
const nowhere = sampleIds.unknown;

const badInputs: BadInput[] = [
  {
    name: 'malformed groupId',
    expected: (operation) => (has(operation, 'groupId') ? malformed(operation, '404 GROUP_NOT_FOUND') : undefined),
    ask: withParameter('groupId', 'XYZ'),
  },
  {
    name: 'unknown project',
    expected: (operation) => (has(operation, 'groupId') ? '404 GROUP_NOT_FOUND' : undefined),
    ask: withParameter('groupId', sampleIds.unknown),
  },
  {
    name: 'foreign project',
    expected: (operation) => (has(operation, 'groupId') ? '401 USER_CANNOT_ACCESS_GROUP' : undefined),
    ask: withParameter('groupId', sampleIds.foreignProject),
  },
  {
    name: 'foreign organization',
    expected: (operation) => (has(operation, 'orgId') ? '401 USER_CANNOT_ACCESS_ORG' : undefined),
    ask: withParameter('orgId', sampleIds.foreignOrganization),
  },
  {
    name: 'unknown organization',
    expected: (operation) => (has(operation, 'orgId') ? '404 RESOURCE_NOT_FOUND' : undefined),
    ask: withParameter('orgId', sampleIds.unknown),
  },
  {
    name: 'malformed cluster name',
    expected: (operation) =>
      has(operation, 'clusterName') ? malformed(operation, '404 CLUSTER_NOT_FOUND') : undefined,
    ask: withParameter('clusterName', '-no name'),
  },
  {
    name: 'unknown cluster',
    expected: (operation) =>
      has(operation, 'clusterName')
        ? operation.path.includes('/serverless/')
          ? '404 SERVERLESS_INSTANCE_NOT_FOUND'
          : '404 CLUSTER_NOT_FOUND'
        : undefined,
    ask: withParameter('clusterName', 'elsewhere'),
  },
  {
    name: 'malformed snapshot id',
    expected: (operation) =>
      has(operation, 'snapshotId') ? malformed(operation, '404 RESOURCE_NOT_FOUND') : undefined,
    ask: withParameter('snapshotId', 'latest'),
  },
  {
    name: 'unknown snapshot',
    expected: (operation, operationId) =>
      has(operation, 'snapshotId') && has(operation, 'clusterName') && refusing[operationId] === undefined
        ? '404 SNAPSHOT_NOT_FOUND'
        : undefined,
    ask: withParameter('snapshotId', sampleIds.unknown),
  },
  {
    name: 'unknown id of any other kind',
    expected: (operation, operationId) => {
      if (operation.path.includes('/collectionRestoreJobs/')) return '404 COLLECTION_RESTORE_JOB_NOT_FOUND';
      const parameter = otherIds.find((name) => has(operation, name));
      return parameter === undefined || refusing[operationId] !== undefined ? undefined : notFound[parameter];
    },
    ask: (fixture, operationId, operation) =>
      ask(fixture, operationId, operation, urlOf(operation, Object.fromEntries(otherIds.map((id) => [id, nowhere])))),
  },
  {
    name: 'malformed restore job id',
    expected: (operation) =>
      has(operation, 'restoreJobId') ? malformed(operation, '404 RESOURCE_NOT_FOUND') : undefined,
    ask: withParameter('restoreJobId', 'latest'),
  },
  {
    name: 'unknown restore job',
    expected: (operation) =>
      has(operation, 'restoreJobId') && has(operation, 'clusterName') && !operation.path.includes('/serverless/')
        ? '404 RESTORE_JOB_NOT_FOUND'
        : undefined,
    ask: withParameter('restoreJobId', sampleIds.unknown),
  },
  ...['itemsPerPage=-1', 'includeCount=perhaps', 'itemsPerPage=501', 'itemsPerPage=x', 'pageNum=-1', 'pageNum=x'].map(
    (query): BadInput => ({
      name: query,
      expected: (operation) => (operation.paging === 'none' ? undefined : '400 VALIDATION_ERROR'),
      ask: withQuery(query),
    }),
  ),
  ...['', '{', '[]', '"x"', '7', 'null'].map(
    (body): BadInput => ({
      name: `body ${JSON.stringify(body)}`,
      expected: (operation) =>
        takesBody(operation) && !(body === '' && operation.bodyOptional) ? '400 VALIDATION_ERROR' : undefined,
      ask: withBody(body),
    }),
  ),
  {
    name: 'body of the wrong media type',
    expected: (operation) => (takesBody(operation) ? '415 UNSUPPORTED_MEDIA_TYPE' : undefined),
    ask: withOptions(() => ({ body: '{}', headers: { 'content-type': 'text/plain' } })),
  },
  ...['application/json', 'application/vnd.atlas.2022-12-31+json', 'application/vnd.atlas.2999-01-01+json'].map(
    (accept): BadInput => ({
      name: `Accept ${accept}`,
      expected: (operation) => (operation.negotiated ? '406 INVALID_VERSION_DATE' : undefined),
      ask: async (fixture, operationId, operation) =>
        ask(fixture, operationId, operation, urlOf(operation), { version: null, headers: { accept } }),
    }),
  ),
  {
    name: 'no credential',
    expected: () => '401 UNEXPECTED_ERROR',
    ask: withOptions(() => ({ token: null })),
  },
  {
    name: 'wrong credential',
    expected: () => '401 UNEXPECTED_ERROR',
    ask: withOptions(() => ({ token: 'not-a-token' })),
  },
  {
    name: 'a stranger to the organization',
    expected: (operation) =>
      has(operation, 'groupId')
        ? '401 USER_CANNOT_ACCESS_GROUP'
        : has(operation, 'orgId')
          ? '401 USER_CANNOT_ACCESS_ORG'
          : undefined,
    ask: withOptions(async (fixture) => ({ token: await fixture.tokenWith() })),
  },
];

for (const input of badInputs) {
  test(`bad input to every operation: ${input.name}`, async () => {
    const fixture = await shared;
    const before = fixture.calls.length;
    let asked = 0;
    for (const [operationId, operation] of table) {
      const expected = input.expected(operation, operationId);
      if (expected === undefined) continue;
      const response = await input.ask(fixture, operationId, operation);
      assert.equal(refusalIn(response), expected, operationId);
      assert.deepEqual(fixture.calls.slice(before), [], operationId);
      asked++;
    }
    assert.ok(asked > 0, 'no operation has this case');
  });
}

test('every project role passes exactly the operations that name it or a role that it brings', async () => {
  for (const role of projectRoles) {
    const fixture = await shared;
    fixture.renewCallers();
    const token = await fixture.tokenWith(role);
    for (const [operationId, operation] of table) {
      const { access } = operation;
      if (access.scope !== 'project') continue;
      const response = await ask(fixture, operationId, operation, urlOf(operation), { token });
      const refused = response.statusCode === 401;
      if (refused) assert.equal(refusalIn(response), '401 USER_UNAUTHORIZED', `${role} ${operationId}`);
      assert.equal(refused, !mayCall(role, access.anyOf), `${role} ${operationId}`);
    }
  }
});

/** The rule once more, in the words of the reference: what a role may do, not what it brings. */
function mayCall(role: (typeof projectRoles)[number], anyOf: readonly string[]): boolean {
  const operators = ['GROUP_BACKUP_CREATOR', 'GROUP_BACKUP_EXPORT_OPERATOR', 'GROUP_BACKUP_RECOVERY_OPERATOR'];
  const allowed: Partial<Record<typeof role, readonly string[]>> = {
    GROUP_BACKUP_MANAGER: operators,
    GROUP_ATLAS_ADMIN: ['GROUP_BACKUP_MANAGER', 'GROUP_CLUSTER_MANAGER', ...operators],
    GROUP_OWNER: ['GROUP_ATLAS_ADMIN', 'GROUP_BACKUP_MANAGER', 'GROUP_CLUSTER_MANAGER', ...operators],
  };
  return ['GROUP_READ_ONLY', role, ...(allowed[role] ?? [])].some((has) => anyOf.includes(has));
}

test('every operation tells who calls too often when to come back, and what fails here without a word of what it was', async () => {
  const failing = new Proxy({}, { get: () => async () => Promise.reject(new Error('the disk says so')) });
  const nouns = Object.fromEntries(Object.keys((await shared).domain).map((noun) => [noun, failing]));
  // Calls that reach no noun fail nowhere.
  const { projects, organizations } = (await shared).domain;
  const fixture = await apiFixture({ domain: { ...nouns, projects, organizations } });
  for (const [operationId, operation] of table) {
    const response = await ask(fixture, operationId, operation, urlOf(operation));
    if (response.statusCode === 500) {
      assert.equal(refusalIn(response), '500 UNEXPECTED_ERROR', operationId);
      assert.doesNotMatch(response.body, /disk/, operationId);
    }
  }
  const limited = await apiFixture({ rateLimit: { limit: 1, windowMs: 60_000 } });
  for (const token of [limited.organizationToken, limited.projectToken])
    await limited.call('GET', '/api/atlas/v2/groups', { token });
  for (const [operationId, operation] of table) {
    const response = await ask(limited, operationId, operation, urlOf(operation));
    assert.equal(refusalIn(response), '429 RATE_LIMITED', operationId);
    assert.equal(response.headers['ratelimit-remaining'], '0', operationId);
    assert.match(String(response.headers['retry-after']), /^[1-9]\d*$/, operationId);
  }
});

test('samples have the form that the contract asks for', () => {
  for (const [name, value] of Object.entries(samples)) assert.match(value, patternOf(name), name);
});
