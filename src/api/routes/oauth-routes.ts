import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ClientCredentials, OAuthAnswer, OAuthRequest } from '../../auth/client-credentials.ts';

/**
 * The two OAuth endpoints stand beside the Atlas API: unversioned, authenticated by themselves, errors after RFC 6749.
 */
export function registerOAuthRoutes(server: FastifyInstance, clientCredentials: ClientCredentials): void {
  const answerWith = (work: (request: OAuthRequest) => Promise<OAuthAnswer>) => {
    return async (request: FastifyRequest, reply: FastifyReply) => {
      const answer = await work({
        authorization: request.headers.authorization,
        contentType: request.headers['content-type'],
        body: typeof request.body === 'string' ? request.body : '',
        remoteAddress: request.ip,
      });
      request.claimed = answer.principal;
      request.refusedFor = answer.reason;
      reply.code(answer.status).headers(answer.headers);
      if (answer.body === null) return reply.send();
      return reply.type('application/json').send(JSON.stringify(answer.body));
    };
  };
  const config = { anonymous: true };
  server.post('/api/oauth/token', { config }, answerWith(clientCredentials.issueToken));
  server.post('/api/oauth/revoke', { config }, answerWith(clientCredentials.revokeToken));
}
