import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Operation, patternOf } from '../../contract/operation.ts';
import { operations } from '../../contract/operations.ts';
import { digestHa1, expectedResponse } from '../../src/auth/digest.ts';
import {
  type OrganizationRole,
  organizationRoles,
  type ProjectRole,
  projectRoles,
  type ReadingRole,
  type RoleAssignment,
} from '../../src/auth/roles.ts';
import { must } from '../../src/lib/assert.ts';
import { samplesOf } from '../samples/all-samples.ts';
import { sampleClusterName, sampleIds } from '../samples/rows.ts';
import { type ApiFixture, apiFixture } from '../support/api-fixture.ts';
import { callerParameters } from '../support/sample-callers.ts';
import { sampleParameters } from '../support/sample-calls.ts';

/**
 * Every operation, every role, and every way of not having one. What an operation answers to those who may call it is
 * the concern of other tests.
 */
const shared = apiFixture();
const table = Object.entries<Operation>(operations);

const parameters: Readonly<Record<string, string>> = {
  groupId: sampleIds.project,
  groupName: 'Shop',
  orgId: sampleIds.organization,
  clusterName: sampleClusterName,
  name: sampleClusterName,
  snapshotId: sampleIds.snapshot,
  restoreJobId: '0000000000000000000e0001',
  ...sampleParameters,
  ...callerParameters,
};

function urlOf(operation: Operation, change: Readonly<Record<string, string>> = {}): string {
  return operation.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = change[name] ?? must(parameters[name], `no value for ${name}`);
    assert.match(value, patternOf(name));
    return encodeURIComponent(value);
  });
}

type Caller = { token: string | null } | { authorization: string };

async function ask(fixture: ApiFixture, operation: Operation, caller: Caller, url = urlOf(operation)) {
  const version = operation.negotiated ? (operation.versions.at(-1)?.date ?? null) : null;
  const response = await fixture.call(operation.method, url, {
    version,
    ...('token' in caller ? caller : { token: null, headers: { authorization: caller.authorization } }),
  });
  const refusal = response.statusCode === 401 ? String(response.json().errorCode) : null;
  return { response, refusal };
}

test('without a credential, or with one that is wrong in any way, nothing happens but a challenge', async () => {
  const fixture = await shared;
  const before = fixture.calls.length;
  const { publicKey, privateKey } = await fixture.apiKeyWith('GROUP_OWNER');
  const { clientId, secret } = await fixture.accountWith('GROUP_OWNER');
  const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  for (const [operationId, operation] of table) {
    // Long enough for failed logins to be forgotten: what makes guessing slow is another test's.
    fixture.time.ms += 20 * 60_000;
    const first = await ask(fixture, operation, { token: null });
    const challenge = String(first.response.headers['www-authenticate']);
    const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1] ?? '';
    const answerOf = (user: string, password: string, uri: string, method: string) => {
      const answer = { username: user, nonce, uri, response: '', cnonce: 'ab', nc: '00000001', count: 1 };
      const response = expectedResponse(digestHa1(user, password), method, answer);
      return `Digest username="${user}", realm="MMS Public API", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="ab"`;
    };
    const url = urlOf(operation);
    const wrong: Caller[] = [
      { token: 'wrong' },
      { authorization: basic(publicKey, privateKey) },
      { authorization: basic(clientId, secret) },
      { authorization: answerOf(publicKey, 'wrong', url, operation.method) },
      { authorization: answerOf('nobodyxx', privateKey, url, operation.method) },
      { authorization: answerOf(publicKey, privateKey, `${url}/elsewhere`, operation.method) },
      { authorization: answerOf(publicKey, privateKey, url, 'TRACE') },
      { authorization: 'Digest' },
      { authorization: '' },
    ];
    for (const { response, refusal } of [
      first,
      ...(await Promise.all(wrong.map(async (caller) => await ask(fixture, operation, caller)))),
    ]) {
      assert.equal(refusal, 'UNEXPECTED_ERROR', operationId);
      assert.match(String(response.headers['www-authenticate']), /^Digest realm=/, operationId);
    }
  }
  assert.deepEqual(fixture.calls.slice(before), []);
});

test('an owner of one project or organization is nobody in another', async () => {
  const fixture = await shared;
  const before = fixture.calls.length;
  const token = await fixture.tokenWith('GROUP_OWNER', 'ORG_OWNER');
  for (const [operationId, operation] of table) {
    const { scope } = operation.access;
    if (scope === 'caller') continue;
    const elsewhere =
      scope === 'project' ? { groupId: sampleIds.foreignProject } : { orgId: sampleIds.foreignOrganization };
    const { refusal } = await ask(fixture, operation, { token }, urlOf(operation, elsewhere));
    assert.equal(refusal, scope === 'project' ? 'USER_CANNOT_ACCESS_GROUP' : 'USER_CANNOT_ACCESS_ORG', operationId);
  }
  assert.deepEqual(fixture.calls.slice(before), []);
});

const operators: readonly ProjectRole[] = [
  'GROUP_BACKUP_CREATOR',
  'GROUP_BACKUP_EXPORT_OPERATOR',
  'GROUP_BACKUP_RECOVERY_OPERATOR',
];

/** The rules once more, in the words of the reference: what each role may do in a project. */
const inProject: Record<Exclude<ProjectRole, ReadingRole>, readonly ProjectRole[]> = {
  GROUP_READ_ONLY: [],
  GROUP_CLUSTER_MANAGER: ['GROUP_CLUSTER_MANAGER'],
  GROUP_BACKUP_CREATOR: ['GROUP_BACKUP_CREATOR'],
  GROUP_BACKUP_EXPORT_OPERATOR: ['GROUP_BACKUP_EXPORT_OPERATOR'],
  GROUP_BACKUP_RECOVERY_OPERATOR: ['GROUP_BACKUP_RECOVERY_OPERATOR'],
  GROUP_BACKUP_MANAGER: ['GROUP_BACKUP_MANAGER', ...operators],
  GROUP_ATLAS_ADMIN: ['GROUP_ATLAS_ADMIN', 'GROUP_BACKUP_MANAGER', 'GROUP_CLUSTER_MANAGER', ...operators],
  GROUP_OWNER: ['GROUP_OWNER', 'GROUP_ATLAS_ADMIN', 'GROUP_BACKUP_MANAGER', 'GROUP_CLUSTER_MANAGER', ...operators],
};

/** Null: admitted. */
function expectedRefusal(role: RoleAssignment['role'], { access }: Operation): string | null {
  if (access.scope === 'caller') return null;
  const allowed = (has: readonly string[]) =>
    access.anyOf.some((wanted) => has.includes(wanted)) ? null : 'USER_UNAUTHORIZED';
  const organizational = organizationRoles.includes(role as OrganizationRole);
  if (access.scope === 'organization') {
    if (role === 'ORG_OWNER') return null;
    return allowed(organizational ? ['ORG_MEMBER', role] : ['ORG_MEMBER']);
  }
  if (!organizational) return allowed(['GROUP_READ_ONLY', ...(inProject[role as keyof typeof inProject] ?? [])]);
  if (role === 'ORG_OWNER') return allowed(['GROUP_READ_ONLY', ...inProject.GROUP_OWNER]);
  return role === 'ORG_READ_ONLY' ? allowed(['GROUP_READ_ONLY']) : 'USER_CANNOT_ACCESS_GROUP';
}

/** By role, what it was let through to. */
const passed = new Map<string, string[]>();

for (const role of [...projectRoles, ...organizationRoles]) {
  test(`${role} passes exactly where it is named, or brings what is`, async () => {
    const fixture = await shared;
    fixture.renewCallers();
    const token = await fixture.tokenWith(role);
    let refusals = 0;
    const passes: string[] = [];
    for (const [operationId, operation] of table) {
      const { refusal } = await ask(fixture, operation, { token });
      // What comes after the roles (in a body that is missing here) is not asked.
      assert.equal(refusal, expectedRefusal(role, operation), `${role} ${operationId}`);
      if (refusal !== null) refusals++;
      else passes.push(operationId);
    }
    passed.set(role, passes);
    assert.equal(refusals > 0, role !== 'ORG_OWNER');
  });
}

test('every role is let through to the operations that it was reviewed for', () => {
  const found = table.map(([operationId]) => {
    const roles = [...passed].filter(([, operationIds]) => operationIds.includes(operationId)).map(([role]) => role);
    return [operationId, roles.length === passed.size ? 'every role' : roles.join(' ')];
  });
  assert.deepEqual(Object.fromEntries(found), samplesOf('who'), 'review who may do what, then say so in test/samples/');
});
