import { createInterface } from 'node:readline';
import { createApiServer } from '../../src/api/server.ts';
import { createAuthenticator } from '../../src/auth/authenticator.ts';
import { catalogAuthStores } from '../../src/auth/catalog-stores.ts';
import { readSecretBox } from '../../src/catalog/secret-key.ts';
import { composeOffline } from '../../src/compose/service.ts';
import { secretKeyPathOf } from '../../src/config.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';

/**
 * The service's API on a data directory, given as the first argument, without its rate limit: that would be all that is
 * measured. Prints its address, and for each line that it is given the milliseconds of CPU that it has used so far;
 * ends with its standard input.
 */

const dataDir = process.argv[2] ?? '';
const { catalog, domain, close } = await composeOffline({ dataDir });
const authenticator = createAuthenticator({
  stores: catalogAuthStores(catalog),
  clock: systemClock,
  random: systemRandom,
  secretBox: await readSecretBox(secretKeyPathOf(dataDir), systemRandom),
});
const server = createApiServer({
  domain,
  authenticator,
  clock: systemClock,
  log: silentLogger,
  version: 'bench',
  rateLimit: { limit: 1_000_000_000, windowMs: 60_000 },
});
console.log(await server.listen({ host: '127.0.0.1', port: 0 }));
for await (const _ of createInterface({ input: process.stdin })) {
  const { user, system } = process.cpuUsage();
  console.log((user + system) / 1000);
}
await server.close();
await close();
