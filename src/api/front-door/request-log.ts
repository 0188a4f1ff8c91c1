import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../../lib/logger.ts';
import { pathOf } from '../serve-operation.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** As whom a caller tried to log in who was not let in. */
    claimed: string | null;
    /** Why it was refused, where the status does not say it. */
    refusedFor: string | null;
  }
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * One line for each request that changes something or is refused: who, from where, what, to what, how it ended. Nothing
 * of bodies, queries or credentials is in it, and of a download's path not the part that opens it. Reads that were
 * answered are debug lines. So is the first half of a digest login, which every client begins without a credential.
 */
export function logRequests(server: FastifyInstance, log: Logger): void {
  server.decorateRequest('claimed', null);
  server.decorateRequest('refusedFor', null);
  server.addHook('onRequest', async (request, reply) => {
    // The library's own hook for it is not called once a body was read (findings/fastify-abort-hook-after-body.sh).
    reply.raw.once('close', () => {
      if (!reply.raw.writableEnded) log.info(factsOf(request), 'request broken off by its client');
    });
  });
  server.addHook('onResponse', async (request, reply) => {
    const { statusCode } = reply;
    const refused = statusCode >= 400 && !isChallenge(request, statusCode);
    const outcome = statusCode >= 500 ? 'failed' : refused ? 'refused' : 'done';
    const line = lineOf(request, reply);
    if (refused || (!READING.has(request.method) && statusCode < 400)) log.info(line, `request ${outcome}`);
    else log.debug(line, 'request answered');
  });
}

function isChallenge(request: FastifyRequest, statusCode: number): boolean {
  return statusCode === 401 && request.headers.authorization === undefined && request.claimed === null;
}

function lineOf(request: FastifyRequest, reply: FastifyReply): object {
  const errorCode = reply.getHeader('x-error-code');
  return {
    ...factsOf(request),
    status: reply.statusCode,
    ...(errorCode === undefined ? {} : { errorCode }),
    ...(request.refusedFor === null ? {} : { reason: request.refusedFor }),
    tookMs: Math.round(reply.elapsedTime),
  };
}

function factsOf(request: FastifyRequest): object {
  const { caller, claimed } = request;
  return {
    requestId: request.id,
    ...(caller === null ? {} : { caller: { kind: caller.kind, id: caller.id, name: caller.name } }),
    ...(claimed === null ? {} : { claimed }),
    remote: request.ip,
    method: request.method,
    operation: request.routeOptions.config.operationId ?? null,
    resource: pathOf(request.raw.url ?? '/').replace(/^(\/downloads\/)[^/]+/, '$1…'),
  };
}
