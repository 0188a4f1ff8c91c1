import type { FastifyInstance } from 'fastify';
import { operations } from '../../../contract/operations.ts';
import { refusalRules } from '../../domain/refusals/refusals.ts';
import { httpRefusalRules } from '../http-refusals.ts';
import { baseUrl, type OwnNames } from '../links.ts';
import { openApiDocument } from './openapi.ts';

const statuses = new Map(
  Object.entries({ ...refusalRules, ...httpRefusalRules }).map(([code, { status }]) => [code, status as number]),
);

/** For everybody: it says what the contract says and nothing of what is stored. */
export function registerOpenApiRoute(
  server: FastifyInstance,
  { names, version }: { names: OwnNames; version: string },
): void {
  const statusOf = (code: string) => statuses.get(code);
  server.get('/api/atlas/v2/openapi.json', { config: { anonymous: true } }, async (request, reply) => {
    const url = baseUrl(names, request.socket, request.headers.host);
    const text = JSON.stringify(openApiDocument(operations, { version, url, statusOf }));
    return reply.header('content-type', 'application/json;charset=utf-8').send(text);
  });
}
