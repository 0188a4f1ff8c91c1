import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../../contract/primitives.ts';
import { problemsOf } from '../../contract/validate.ts';
import { type RefusalCode, refusalRules, refuse } from '../domain/refusals/refusals.ts';
import { Fault } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { HttpRefusal, type HttpRefusalCode, httpRefusalRules, invalid } from './http-refusals.ts';
import { problemOf, unauthenticated } from './problem.ts';

function fixture() {
  const logged: unknown[][] = [];
  const note = (...line: unknown[]) => {
    logged.push(line);
  };
  const log = { info: note, warn: note, error: note, debug: note, child: () => log } as unknown as Logger;
  return { logged, context: { requestId: 'r-1', operationId: 'getX', clientIsGone: false, bodyBytesMax: 10, log } };
}

test('every refusal has an Atlas body with a numeric error and its code in a header', () => {
  const { context, logged } = fixture();
  const all = [
    ...Object.keys(refusalRules).map((code) => refuse(code as RefusalCode, ['a', 'b', 'c'])),
    ...Object.keys(httpRefusalRules).map((code) => new HttpRefusal(code as HttpRefusalCode, ['a'])),
  ];
  for (const refusal of all) {
    const { status, headers, body } = problemOf(refusal, context);
    assert.deepEqual(problemsOf(ApiError, body), [], refusal.code);
    assert.equal(body.error, status);
    assert.equal(body.errorCode, refusal.code);
    assert.equal(headers['X-Error-Code'], refusal.code);
    assert.ok(!body.detail.includes('{'), body.detail);
    assert.ok(body.reason.length > 0);
  }
  assert.deepEqual(logged, []);
});

test('a refusal carries its parameters and its fields', () => {
  const { context } = fixture();
  const missing = problemOf(refuse('CLUSTER_NOT_FOUND', ['c', 'g']), context).body;
  assert.deepEqual(missing, {
    detail: 'No cluster named c exists in group g.',
    error: 404,
    errorCode: 'CLUSTER_NOT_FOUND',
    parameters: ['c', 'g'],
    reason: 'Not Found',
  });
  const field = { field: 'itemsPerPage', description: 'must be small' };
  assert.deepEqual(problemOf(invalid([field]), context).body.badRequestDetail, { fields: [field] });
});

test('anything else is logged in full and told as one code', () => {
  const secret = 'mongodb://root:hunter2@db/';
  for (const error of [
    new Error(`boom ${secret}`),
    new Fault({ op: 'read', subject: secret, message: `cannot read ${secret}` }),
    Object.assign(new Error('teapot'), { statusCode: 418, code: 'OTHER' }),
    'a string',
    undefined,
  ]) {
    const { context, logged } = fixture();
    const { status, body } = problemOf(error, context);
    assert.equal(status, 500);
    assert.equal(body.errorCode, 'UNEXPECTED_ERROR');
    assert.ok(!JSON.stringify(body).includes('hunter2'));
    assert.equal(logged.length, 1);
    assert.match(JSON.stringify(logged[0]), /"requestId":"r-1"/);
  }
});

test('the answer in front of the API has its own shape', () => {
  const { status, headers, body } = unauthenticated('Digest x');
  assert.equal(status, 401);
  assert.deepEqual(headers, { 'WWW-Authenticate': 'Digest x' });
  assert.deepEqual(body, {
    detail: 'You are not authorized for this resource.',
    error: 401,
    errorCode: 'UNEXPECTED_ERROR',
    reason: 'Unauthorized',
  });
});
