import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operation } from '../../../contract/operation.ts';
import { operations } from '../../../contract/operations.ts';
import { apiFixture } from '../../../test/support/api-fixture.ts';

const path = '/api/atlas/v2/openapi.json';

interface Described {
  operationId: string;
  parameters: { in: string; name: string }[];
  responses: Record<string, { content: object }>;
}

interface Document {
  openapi: string;
  servers: unknown;
  paths: Record<string, Record<string, Described>>;
}

async function document(): Promise<Document> {
  const { call } = await apiFixture({ publicUrl: 'https://backup.example/' });
  const response = await call('GET', path, { token: null, version: null });
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'application/json;charset=utf-8');
  return response.json();
}

test('the document has every operation of the contract, in every version, and no other', async () => {
  const { paths, openapi, servers } = await document();
  assert.equal(openapi, '3.1.0');
  assert.deepEqual(servers, [{ url: 'https://backup.example' }]);
  const found = new Set<string>();
  for (const [url, methods] of Object.entries(paths)) {
    for (const [method, { operationId }] of Object.entries(methods)) {
      found.add(operationId);
      const operation: Operation | undefined = operations[operationId as keyof typeof operations];
      assert.deepEqual([operation?.path, operation?.method], [url, method.toUpperCase()], operationId);
    }
  }
  assert.deepEqual([...found].sort(), Object.keys(operations).sort());
  const list = paths['/api/atlas/v2/groups/{groupId}/backup/exportBuckets']?.get;
  assert.deepEqual(Object.keys(list?.responses['200']?.content ?? {}), [
    'application/vnd.atlas.2023-01-01+json',
    'application/vnd.atlas.2024-05-30+json',
  ]);
});

test('what the document refers to is in it, and path parameters are those of the path', async () => {
  const root = await document();
  const text = JSON.stringify(root);
  for (const [, reference = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = reference
      .split('/')
      .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], root);
    assert.ok(target !== undefined, reference);
  }
  for (const [url, methods] of Object.entries(root.paths)) {
    for (const { parameters } of Object.values(methods)) {
      const named = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
      assert.deepEqual(named, url.match(/\{\w+\}/g) ?? [], url);
      const query = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      assert.equal(new Set(query).size, query.length, url);
    }
  }
});

test('the error codes of an operation are answered with statuses that it declares', async () => {
  const { paths } = await document();
  const create = paths['/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/exports']?.post;
  for (const status of ['400', '401', '403', '404', '406', '409', '429', '500']) {
    assert.ok(create?.responses[status], status);
  }
});
