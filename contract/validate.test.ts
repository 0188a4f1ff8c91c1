import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KindGuard, type TSchema, Type } from '@sinclair/typebox';
import type { Operation } from './operation.ts';
import { operations } from './operations.ts';
import { OnDemandSnapshotRequest, SnapshotRetention } from './snapshots.ts';
import { problemsOf } from './validate.ts';

test('a value of the shape has no problems, and fields that the schema does not name are no concern', () => {
  assert.deepEqual(problemsOf(OnDemandSnapshotRequest, {}), []);
  assert.deepEqual(problemsOf(OnDemandSnapshotRequest, { retentionInDays: 3, links: [], id: 7 }), []);
});

test('each field is named once, missing ones as missing', () => {
  assert.deepEqual(problemsOf(SnapshotRetention, { retentionUnit: 'DAYS' }), [
    { field: 'retentionValue', missing: true, description: 'must be present' },
  ]);
  const [problem, ...others] = problemsOf(OnDemandSnapshotRequest, { retentionInDays: 0 });
  assert.equal(problem?.field, 'retentionInDays');
  assert.equal(problem?.missing, false);
  assert.match(problem?.description ?? '', /^must be integer to be greater or equal to 1$/);
  assert.deepEqual(others, []);
});

test('where only certain values are taken, the answer says which: of every operation', () => {
  const silent: string[] = [];
  const visit = (schema: TSchema, path: string): void => {
    for (const [name, property] of Object.entries<TSchema>(schema.properties ?? {})) visit(property, `${path}.${name}`);
    if (schema.items !== undefined) visit(schema.items, `${path}[]`);
    if (!KindGuard.IsUnion(schema) && !KindGuard.IsLiteral(schema)) return;
    const [problem] = problemsOf(Type.Object({ it: schema }), { it: { no: 'value' } });
    if (problem === undefined || /union|literal/.test(problem.description))
      silent.push(`${path}: ${problem?.description}`);
  };
  for (const [operationId, { versions }] of Object.entries<Operation>(operations))
    for (const { request } of versions) if (request !== undefined) visit(request, operationId);
  assert.deepEqual(silent, []);
});

test('every text that a caller sets has a length', () => {
  const endless: string[] = [];
  const visit = (schema: TSchema, path: string): void => {
    for (const [name, property] of Object.entries<TSchema>(schema.properties ?? {})) visit(property, `${path}.${name}`);
    if (schema.items !== undefined) visit(schema.items, `${path}[]`);
    for (const option of schema.anyOf ?? []) visit(option, path);
    if (!KindGuard.IsString(schema)) return;
    if (schema.maxLength === undefined && schema.pattern === undefined) endless.push(path);
  };
  for (const [operationId, { versions }] of Object.entries<Operation>(operations))
    for (const { request } of versions) if (request !== undefined) visit(request, operationId);
  assert.deepEqual([...new Set(endless)], []);
});
