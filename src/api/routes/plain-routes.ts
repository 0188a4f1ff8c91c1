import type { FastifyInstance } from 'fastify';

/**
 * What the Atlas CLI and Terraform ask beside the versioned API: from where they call (`--currentIp`, which the CLI
 * puts on an access list), and from which addresses Atlas itself calls. No cloud calls anybody here, so that there are
 * none.
 */
export function registerPlainRoutes(server: FastifyInstance): void {
  server.get('/api/private/ipinfo', async (request, reply) =>
    reply.header('content-type', 'application/json').send(JSON.stringify({ currentIpv4Address: request.ip })),
  );
  server.get('/api/atlas/v2/unauth/controlPlaneIPAddresses', { config: { anonymous: true } }, async (_request, reply) =>
    reply
      .header('content-type', 'application/vnd.atlas.2023-11-15+json;charset=utf-8')
      .send(JSON.stringify({ inbound: {}, outbound: {} })),
  );
}
