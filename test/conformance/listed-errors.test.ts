import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operation } from '../../contract/operation.ts';
import { type OperationId, operations } from '../../contract/operations.ts';
import { ApiError } from '../../contract/primitives.ts';
import { problemsOf } from '../../contract/validate.ts';
import { httpRefusalRules } from '../../src/api/http-refusals.ts';
import type { RefusalRule } from '../../src/domain/refusals/refusal-rule.ts';
import { refusalRules } from '../../src/domain/refusals/refusals.ts';
import { type ApiWorld, inApiWorld } from '../support/api-world.ts';
import { provocationsByCode } from './provocations/by-code.ts';
import { callerProvocations } from './provocations/callers.ts';
import { clusterProvocations } from './provocations/clusters.ts';
import { exportProvocations } from './provocations/exports.ts';
import { policyProvocations } from './provocations/policies.ts';
import { kitOf, type Provocation } from './provocations/provocation.ts';
import { restoreProvocations } from './provocations/restores.ts';
import { snapshotProvocations } from './provocations/snapshots.ts';

/**
 * Every error that the contract lists for an operation, provoked over HTTP against the real rules. Whoever lists a code
 * says in `provocations/` how it comes about; one that cannot come about does not belong into the contract. That an
 * operation answers nothing that it does not list is seen to by `inApiWorld`, in every test that calls through it.
 */
const tables = [
  callerProvocations,
  clusterProvocations,
  exportProvocations,
  policyProvocations,
  restoreProvocations,
  snapshotProvocations,
];

function preparedFor(operationId: OperationId, code: string): Provocation | undefined {
  return tables.map((table) => table[operationId]?.[code]).find((found) => found !== undefined);
}

function statusOf(code: string): number | undefined {
  const rules: Readonly<Record<string, Pick<RefusalRule, 'status'> | { status: number }>> = {
    ...refusalRules,
    ...httpRefusalRules,
  };
  return rules[code]?.status;
}

async function provoked(it: ApiWorld, operationId: OperationId, code: string, provoke: Provocation): Promise<void> {
  const response = await provoke(kitOf(it, operationId));
  assert.equal(response.json().errorCode, code, `${operationId}: ${response.body}`);
  assert.equal(response.statusCode, statusOf(code), operationId);
  assert.equal(response.headers['x-error-code'], code, operationId);
  assert.deepEqual(problemsOf(ApiError, response.json()), [], response.body);
}

const listed = (Object.entries(operations) as [OperationId, Operation][]).flatMap(([operationId, { errorCodes }]) =>
  errorCodes.map((code) => ({ operationId, code, prepared: preparedFor(operationId, code) })),
);

for (const { operationId, code, prepared } of listed) {
  if (prepared === undefined) continue;
  test(`${operationId} answers ${code}`, async () => {
    await inApiWorld(async (it) => await provoked(it, operationId, code, prepared), {
      regions: ['US_EAST_2'],
      encrypted: true,
    });
  });
}

test('the others need no preparation: they change nothing, so one world will do', async () => {
  await inApiWorld(async (it) => {
    for (const { operationId, code, prepared } of listed) {
      if (prepared !== undefined) continue;
      const provoke = provocationsByCode[code];
      assert.ok(
        provoke !== undefined,
        `the contract lists ${code} for ${operationId}: say in test/conformance/provocations how it comes about, or take it off the contract`,
      );
      await provoked(it, operationId, code, provoke);
    }
  });
});

test('what is provoked is listed', () => {
  for (const [operationId, codes] of tables.flatMap((table) => Object.entries(table))) {
    for (const code of Object.keys(codes))
      assert.ok(
        listed.some((pair) => pair.operationId === operationId && pair.code === code),
        `${operationId} does not list ${code}`,
      );
  }
});
