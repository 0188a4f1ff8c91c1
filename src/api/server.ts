import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify, type HTTPMethods } from 'fastify';
import type { Operation } from '../../contract/operation.ts';
import { operations } from '../../contract/operations.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import { originForm } from '../auth/digest.ts';
import type { Caller } from '../auth/roles.ts';
import type { Domain } from '../domain/domain.ts';
import { refuse } from '../domain/refusals/refusals.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { CloudProvider } from './call.ts';
import { drain } from './front-door/drain.ts';
import { answerMalformed } from './front-door/malformed-requests.ts';
import { defaultRateLimit, type RateLimit, RateLimiter } from './front-door/rate-limit.ts';
import { logRequests } from './front-door/request-log.ts';
import { securityHeaders, tlsRules } from './front-door/security-headers.ts';
import { handlers } from './handlers.ts';
import { HttpRefusal } from './http-refusals.ts';
import type { OwnNames } from './links.ts';
import { type Problem, problemOf, unauthenticated } from './problem.ts';
import { registerDownloadRoutes } from './routes/download-routes.ts';
import { registerOAuthRoutes } from './routes/oauth-routes.ts';
import { registerOpenApiRoute } from './routes/openapi-route.ts';
import { registerPlainRoutes } from './routes/plain-routes.ts';
import { type AnyHandler, pathOf, serveOperation } from './serve-operation.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    operationId?: string;
    /** Authenticates by itself. */
    anonymous?: boolean;
  }
}

export interface ApiServerOptions {
  domain: Domain;
  authenticator: Authenticator;
  clock: Clock;
  log: Logger;
  /** How clients reach us, for links; where left out one of our own names, when they write it into Host. */
  publicUrl?: string;
  /** Host names under which it listens, and names of its certificate; see `OwnNames`. */
  listenNames?: readonly string[];
  certificateNames?: readonly string[];
  version: string;
  /** Whose object store the repository is in; a directory where left out. */
  storedAt?: CloudProvider;
  rateLimit?: RateLimit;
  /** Addresses and networks whose word about where a request came from is taken. Nobody's where left out. */
  trustedProxies?: readonly string[];
  /** PEM; with it the server answers https. */
  tls?: { cert: Buffer; key: Buffer };
  timeLimits?: TimeLimits;
}

/** How long a client may take to send what it has to say; then its connection ends. */
export interface TimeLimits {
  headersMs: number;
  requestMs: number;
}

/** What `createApiServer` gives; named here, so that nobody else needs the HTTP library for it. */
export type ApiServer = FastifyInstance;

const bodyBytesMax = 1024 * 1024;
const defaultTimeLimits: TimeLimits = { headersMs: 15_000, requestMs: 120_000 };
const everyMethod: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * The Atlas-compatible surface on one HTTP server, not yet listening. Every rule that operations share is applied here
 * and in what this calls, once.
 */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { authenticator, clock, log } = options;
  const startedAt = clock.nowMs().toString(36);
  let requests = 0;
  const scheme = options.tls === undefined ? 'http' : 'https';
  const names: OwnNames = {
    publicUrl: options.publicUrl,
    scheme,
    listenNames: options.listenNames ?? [],
    certificateNames: options.certificateNames ?? [],
  };
  const headers = securityHeaders(scheme);
  const { headersMs, requestMs } = options.timeLimits ?? defaultTimeLimits;
  // How often Node looks for connections that are over their time; seldom enough to cost nothing.
  const http = {
    headersTimeout: headersMs,
    connectionsCheckingInterval: Math.min(headersMs, 5_000),
    // Asked for below, where the answer has a body.
    requireHostHeader: false,
  };
  const server = fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestMs,
    // One of the two is read, depending on whether there is a certificate; the types know them apart, the server does
    // not.
    ...((options.tls === undefined ? { http } : { https: { ...http, ...options.tls, ...tlsRules } }) as {
      http: typeof http;
    }),
    trustProxy: options.trustedProxies === undefined ? false : [...options.trustedProxies],
    rewriteUrl: (request) => originForm(request.url ?? '/'),
    genReqId: () => `${startedAt}-${++requests}`,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024 },
    clientErrorHandler: (error, socket) => answerMalformed(error, socket as Socket, headers, log),
    frameworkErrors: (error, request, reply) => {
      reply.headers(headers);
      void sendProblem(reply, problemOf(error, contextOf(request, log)));
    },
  });

  // Bodies are kept as text: their type says in which version they are read, and some clients send a type and no body.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  server.decorateRequest('caller', null);

  logRequests(server, log);

  const limiter = new RateLimiter(clock, options.rateLimit ?? defaultRateLimit);
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(headers).header('x-request-id', request.id);
    if (request.headers.host === undefined && request.raw.httpVersion !== '1.0')
      throw refuse('VALIDATION_ERROR', ['The Host header is missing']);
    if (request.routeOptions.config.anonymous) return;
    if (!(await admitted(request, reply, authenticator))) return reply;
    limit(request, reply, limiter);
  });
  server.setErrorHandler(async (error, request, reply) => {
    return sendProblem(reply, problemOf(error, contextOf(request, log)));
  });
  server.setNotFoundHandler(async (request) => {
    throw refuse('RESOURCE_NOT_FOUND', [pathOf(request.raw.url ?? '/')]);
  });

  registerOAuthRoutes(server, authenticator.clientCredentials);
  registerPlainRoutes(server);
  registerOpenApiRoute(server, { names, version: options.version });
  registerDownloadRoutes(server, { domain: options.domain, clock, log });
  registerOperations(server, options, names);
  return server;
}

function contextOf(request: FastifyRequest, log: Logger): Parameters<typeof problemOf>[1] {
  const { operationId } = request.routeOptions?.config ?? {};
  return { requestId: request.id, operationId, bodyBytesMax, clientIsGone: request.raw.socket.destroyed, log };
}

/** As bytes: to text the library would add a charset, and errors are plain `application/json`. */
function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .header('content-type', 'application/json')
    .send(Buffer.from(JSON.stringify(problem.body)));
}

/** Sets the caller, or answers 401 once the body is out of the way. */
async function admitted(request: FastifyRequest, reply: FastifyReply, authenticator: Authenticator): Promise<boolean> {
  const authentication = await authenticator.authenticate({
    method: request.raw.method ?? 'GET',
    target: request.raw.url ?? '/',
    authorization: request.headers.authorization,
    remoteAddress: request.ip,
  });
  if (authentication.caller !== null) {
    request.caller = authentication.caller;
    return true;
  }
  if ('forbiddenAddress' in authentication) {
    const { forbiddenAddress, name } = authentication;
    request.claimed = name;
    if (!(await drain(request.raw, bodyBytesMax))) reply.header('connection', 'close');
    throw new HttpRefusal('IP_ADDRESS_NOT_ON_ACCESS_LIST', [forbiddenAddress]);
  }
  request.claimed = authentication.principal;
  if ('retryAfterSeconds' in authentication) {
    const { retryAfterSeconds } = authentication;
    if (!(await drain(request.raw, bodyBytesMax))) reply.header('connection', 'close');
    reply.header('Retry-After', retryAfterSeconds);
    throw new HttpRefusal('TOO_MANY_FAILED_LOGINS', [String(retryAfterSeconds)]);
  }
  request.refusedFor = authentication.reason;
  if (!(await drain(request.raw, bodyBytesMax))) reply.header('connection', 'close');
  sendProblem(reply, unauthenticated(authentication.challenge));
  return false;
}

function limit(request: FastifyRequest, reply: FastifyReply, limiter: RateLimiter): void {
  const taken = limiter.take(request.caller?.id ?? '');
  reply.headers({ 'RateLimit-Limit': taken.limit, 'RateLimit-Remaining': taken.remaining });
  if (taken.retryAfterSeconds === 0) return;
  reply.header('Retry-After', taken.retryAfterSeconds);
  throw refuse('RATE_LIMITED');
}

/**
 * Braces to colons; a colon that is part of a path (`:invite`) is doubled, which is how the router is told so. A
 * parameter right before one ends there: without its own pattern it would swallow the verb.
 */
export function routePath(path: string): string {
  return path
    .replaceAll(':', '::')
    .replace(/\{(\w+)\}(?=::)/g, ':$1(^[^:/]+)')
    .replace(/\{(\w+)\}/g, ':$1');
}

function registerOperations(server: FastifyInstance, options: ApiServerOptions, names: OwnNames): void {
  const serve = {
    domain: options.domain,
    clock: options.clock,
    names,
    version: options.version,
    storedAt: options.storedAt ?? null,
  };
  const methodsOf = new Map<string, Set<HTTPMethods>>();
  for (const [operationId, operation] of Object.entries<Operation>(operations)) {
    const handler = handlers[operationId as keyof typeof handlers] as unknown as AnyHandler;
    const url = routePath(operation.path);
    server.route({
      method: operation.method,
      url,
      config: { operationId },
      handler: (request, reply) => serveOperation(operation, handler, request, reply, serve),
    });
    const methods = methodsOf.get(url) ?? new Set();
    methods.add(operation.method);
    if (operation.method === 'GET') methods.add('HEAD');
    methodsOf.set(url, methods);
  }
  for (const [url, methods] of methodsOf) refuseOtherMethods(server, url, methods);
}

/** A path that exists answers 405 to the methods that it does not have, and says which it has. */
function refuseOtherMethods(server: FastifyInstance, url: string, methods: ReadonlySet<HTTPMethods>): void {
  server.route({
    method: everyMethod.filter((method) => !methods.has(method)),
    url,
    handler: async (request, reply) => {
      reply.header('Allow', [...methods].join(', '));
      throw refuse('METHOD_NOT_ALLOWED', [request.method]);
    },
  });
}
