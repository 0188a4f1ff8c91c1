import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { Operation, ResourceVersion } from '../../contract/operation.ts';
import { type OperationId, operations } from '../../contract/operations.ts';
import { contentTypeOf, headerDate } from '../../src/api/media-types.ts';
import { type ApiFixture, apiFixture } from '../support/api-fixture.ts';
import { acceptedBodies, refusing, urlOf } from '../support/sample-calls.ts';

/**
 * What holds for every operation and version alike, asked of each as the contract describes it.
 * `every-operation.test.ts` holds what is refused.
 */

interface Case {
  operationId: OperationId;
  operation: Operation;
  version: ResourceVersion;
}

const cases: Case[] = Object.entries<Operation>(operations).flatMap(([operationId, operation]) =>
  operation.versions.map((version) => ({ operationId: operationId as OperationId, operation, version })),
);
const answered = cases.filter(({ operationId }) => refusing[operationId] === undefined);
const nameOf = ({ operationId, version }: Case) => `${operationId} ${version.date}`;

/** The body that the newest version of the operation accepts; the older ones accept it too. */
function bodyOf({ operationId, version }: Case): object | undefined {
  return version.request === undefined ? undefined : acceptedBodies[operationId];
}

/** Whoever may do it: an organization's owner or, where the path names a project, the project's. */
function tokenOf({ organizationToken, projectToken }: ApiFixture, { operation }: Case): string {
  return operation.access.scope === 'project' ? projectToken : organizationToken;
}

const shared = apiFixture();

/**
 * One server for all. Each test finds the samples as they were at first, and so does what deletes something, and what
 * comes after it.
 */
function fixtures(): (it: Case) => Promise<ApiFixture> {
  let touched = true;
  return async ({ operation }) => {
    const fixture = await shared;
    if (touched || deletes(operation)) fixture.renewCallers();
    touched = deletes(operation);
    return fixture;
  };
}

function deletes({ method, path }: Operation): boolean {
  return method === 'DELETE' || path.includes('Secret') || path.includes('secrets');
}

/** Text with ids, secrets and names that are made anew each time taken out. */
function masked(value: unknown): string {
  return JSON.stringify(value).replace(/[a-f0-9]{24}|[a-f0-9-]{36}/g, '#');
}

async function send(
  fixture: ApiFixture,
  it: Case,
  {
    query = '',
    headers = {},
    body = bodyOf(it),
  }: { query?: string; headers?: Record<string, string>; body?: object | undefined } = {},
) {
  return await fixture.call(it.operation.method, urlOf(it.operation) + query, {
    version: it.operation.negotiated ? it.version.date : null,
    token: tokenOf(fixture, it),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

test('a version answers under its own media type, and a superseded one says since when and until when', async () => {
  const fixtureFor = fixtures();
  for (const it of cases) {
    const response = await send(await fixtureFor(it), it);
    const { versions, negotiated } = it.operation;
    const successor = versions[versions.indexOf(it.version) + 1]?.date ?? it.version.deprecated;
    const expected = (date: string | undefined) => (date === undefined || !negotiated ? undefined : headerDate(date));
    assert.equal(response.headers.deprecation, expected(successor), nameOf(it));
    assert.equal(response.headers.sunset, expected(it.version.sunset), nameOf(it));
    const type = negotiated ? contentTypeOf(it.version) : 'application/json;charset=utf-8';
    assert.equal(
      response.headers['content-type'],
      refusing[it.operationId] === undefined ? type : 'application/json',
      nameOf(it),
    );
    assert.match(String(response.headers['ratelimit-remaining']), /^\d+$/, nameOf(it));
  }
});

test('a date between releases answers as the newest version before it', async () => {
  const fixtureFor = fixtures();
  for (const it of answered.filter(({ operation }) => operation.negotiated)) {
    const dayAfter = new Date(Date.parse(it.version.date) + 86_400_000).toISOString().slice(0, 10);
    const accept = `application/vnd.atlas.${dayAfter}+json`;
    const response = await send(await fixtureFor(it), it, { headers: { accept } });
    assert.equal(response.statusCode, it.operation.success, `${nameOf(it)}: ${response.body}`);
    assert.equal(response.headers['content-type'], contentTypeOf(it.version), nameOf(it));
  }
});

test('pretty changes the spaces alone; envelope wraps one and marks many, where the operation has them', async () => {
  const fixtureFor = fixtures();
  for (const it of answered.filter(({ operation }) => operation.answers !== 'nothing')) {
    const { envelope, pretty, answers, success } = it.operation;
    const ask = async (query: string) => (await send(await fixtureFor(it), it, { query })).body;
    const plain = JSON.parse(await ask(''));
    const spaced = await ask('?pretty=true');
    const indented = `${JSON.stringify(JSON.parse(spaced), null, 2)}\n`;
    assert.equal(spaced === indented, pretty, nameOf(it));
    const wrapped = JSON.parse(await ask('?envelope=true'));
    const inner = envelope && answers === 'one' ? wrapped.content : wrapped;
    assert.equal(wrapped.status, envelope ? success : plain.status, nameOf(it));
    assert.deepEqual(
      Object.keys(inner).filter((key) => key !== 'status' || answers === 'one'),
      Object.keys(plain),
      nameOf(it),
    );
  }
});

test('unknown query parameters, unknown fields, echoed read-only fields and explicit nulls change nothing', async () => {
  const fixtureFor = fixtures();
  // Process arguments are a map of settings by name: one that is not known there is refused.
  for (const it of answered.filter(({ operationId }) => operationId !== 'updateGroupClusterProcessArgs')) {
    const body = bodyOf(it);
    const noise = { links: [], created: 'yesterday', fromTheFuture: { deep: [1] }, requestId: null };
    const fixture = await fixtureFor(it);
    const { response: plain, done } = await doing(fixture, () => send(fixture, it));
    const other = await fixtureFor(it);
    const sent = body === undefined || Array.isArray(body) ? body : { ...noise, ...body };
    const noisy = await doing(other, () => send(other, it, { query: '?color=blue', body: sent }));
    assert.equal(noisy.response.statusCode, plain.statusCode, `${nameOf(it)}: ${noisy.response.body}`);
    const namesOf = (calls: ApiFixture['calls']) => calls.map(({ name }) => name);
    assert.deepEqual(namesOf(noisy.done), namesOf(done), nameOf(it));
  }
});

/** What the domain was asked to do meanwhile, beside the answer. */
async function doing<T>(
  fixture: ApiFixture,
  work: () => Promise<T>,
): Promise<{ response: T; done: ApiFixture['calls'] }> {
  const before = fixture.calls.length;
  const response = await work();
  return { response, done: fixture.calls.slice(before) };
}

test('a body may come in chunks without a length, in the media type of the version or as plain JSON', async () => {
  const fixtureFor = fixtures();
  for (const it of answered) {
    const body = bodyOf(it);
    if (body === undefined) continue;
    const fixture = await fixtureFor(it);
    const whole = await doing(fixture, () => send(fixture, it));
    const types = [contentTypeOf(it.version), contentTypeOf(it.version).toUpperCase()];
    for (const contentType of ['application/json', ...(it.operation.negotiated ? types : [])]) {
      const other = await fixtureFor(it);
      const send: () => Promise<Sent> = () => sendInChunks(other, it, { contentType, body });
      const chunked: { response: Sent; done: ApiFixture['calls'] } = await doing(other, send);
      assert.equal(chunked.response.statusCode, whole.response.statusCode, `${nameOf(it)}: ${chunked.response.body}`);
      assert.equal(masked(chunked.done), masked(whole.done), nameOf(it));
    }
  }
});

interface Sent {
  statusCode: number;
  body: string;
}

async function sendInChunks(
  fixture: ApiFixture,
  it: Case,
  { contentType, body }: { contentType: string; body: object },
): Promise<Sent> {
  const { operation, version } = it;
  return await fixture.server.inject({
    method: operation.method,
    url: urlOf(operation),
    headers: {
      host: 'backup.example:8080',
      authorization: `Bearer ${tokenOf(fixture, it)}`,
      'content-type': contentType,
      ...(operation.negotiated ? { accept: `application/vnd.atlas.${version.date}+json` } : {}),
    },
    payload: Readable.from(JSON.stringify(body).match(/.{1,7}/gs) ?? []),
  });
}

test('a content type on a request without a body means nothing', async () => {
  const fixtureFor = fixtures();
  for (const it of answered.filter(({ version }) => version.request === undefined)) {
    const response = await send(await fixtureFor(it), it, { headers: { 'content-type': contentTypeOf(it.version) } });
    assert.equal(response.statusCode, it.operation.success, `${nameOf(it)}: ${response.body}`);
  }
});
