import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Operation, ResourceVersion } from '../../contract/operation.ts';
import { rolesInProject } from '../auth/roles.ts';
import type { Domain } from '../domain/domain.ts';
import { refuse } from '../domain/refusals/refusals.ts';
import { must } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { authorize } from './authorize.ts';
import type { Call, CloudProvider, ListAnswer } from './call.ts';
import { baseUrl, linkBuilder, type OwnNames } from './links.ts';
import { deprecationHeaders, negotiate } from './media-types.ts';
import { ownParameters, pageOf, queryOf } from './paging.ts';
import { answerForm, listBody, rendered, successType } from './render.ts';
import { checkedBody, checkedParams } from './request-parts.ts';

export interface ServeOptions {
  domain: Domain;
  clock: Clock;
  names: OwnNames;
  version: string;
  storedAt: CloudProvider | null;
}

/** A handler whose types were checked where it was written, against its own operation. */
export type AnyHandler = (call: Call) => Promise<unknown>;

/**
 * One request to one operation, in the order in which Atlas refuses: version, path, roles, query, body; then the
 * handler.
 */
export async function serveOperation(
  operation: Operation,
  handler: AnyHandler,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ServeOptions,
): Promise<FastifyReply> {
  const { domain, clock } = options;
  const target = request.raw.url ?? '/';
  const path = pathOf(target);
  const version = versionFor(operation, request, reply, clock.nowMs());
  const params = checkedParams(operation, request.params as Record<string, string>, path);
  const caller = must(request.caller, 'an operation is served only after authentication');
  const project = await authorize(operation, caller, params, domain);
  const query = queryOf(target);
  const page = pageOf(operation, query);
  const ownQuery = ownParameters(operation, query);
  const form = answerForm(operation, query);
  const body = checkedBody(operation, {
    contentType: request.headers['content-type'],
    text: typeof request.body === 'string' ? request.body : '',
    accepted: version,
    nowMs: clock.nowMs(),
  });
  const base = baseUrl(options.names, request.socket, request.headers.host);
  const answer = await handler({
    params,
    query: ownQuery as never,
    page,
    body: body as never,
    version: version.date,
    caller,
    remoteAddress: request.ip,
    project: project as never,
    rolesInProjectNamed: async (projectId) => {
      const { id, organizationId } = await domain.projects.get(projectId);
      return rolesInProject(caller, { projectId: id, organizationId });
    },
    domain,
    links: linkBuilder(base),
    service: { version: options.version, storedAt: options.storedAt },
    signal: gone(reply),
  });
  if (operation.location === true) reply.header('Location', `${base}//api/atlas/v1.0`);
  if (operation.answers === 'nothing') {
    return reply.code(operation.success).header('content-type', successType(operation, version)).send();
  }
  const content =
    operation.answers === 'list'
      ? listBody({ answer: answer as ListAnswer, operation, query, page, href: base + path })
      : (answer as object | boolean);
  const { contentType, text } = rendered(operation, version, form, content);
  return reply.code(operation.success).header('content-type', contentType).send(text);
}

export function pathOf(target: string): string {
  const path = target.split('?')[0] ?? target;
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

/** Headers that announce the end of a version are set at once, so that errors carry them too. */
function versionFor(
  operation: Operation,
  request: FastifyRequest,
  reply: FastifyReply,
  nowMs: number,
): ResourceVersion {
  if (!operation.negotiated) return operation.versions[0];
  const version = negotiate(operation.versions, request.headers.accept, nowMs);
  if (version === null) throw refuse('INVALID_VERSION_DATE');
  reply.headers(deprecationHeaders(operation.versions, version));
  return version;
}

/** Fires when the client hangs up before it has its answer. */
function gone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort();
  });
  return controller.signal;
}
